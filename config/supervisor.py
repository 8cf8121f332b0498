"""Do the web server and the job cluster still work? One process starts, watches and stops both.

A cluster whose worker was killed looks alive and does nothing (it holds the lock of the queue), so
"the process exists" proves nothing. A canary task must come back, or the whole group is replaced.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from config.lib import logs

log = logs.get(__name__)
STOP_SECONDS = 12
# A child that dies at once is not started again at once.
BACKOFF_SECONDS = (0, 1, 2, 5, 10, 30)
LIVED_SECONDS = 60


@dataclass
class Child:
    """One process with a group of its own, so that its children can be stopped with it."""

    name: str
    argv: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    deaths: int = 0
    resume: float = 0.0
    # How far it steps back when others want the cores: 0 (not at all) to 19.
    nice: int = 0

    def start(self) -> None:
        self.process = subprocess.Popen(self.argv, start_new_session=True)  # noqa: S603 fixed argv
        if self.nice:
            # Before it has children of its own, which take after it.
            os.setpriority(os.PRIO_PROCESS, self.process.pid, self.nice)
        self.started = time.monotonic()

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            return

    def fell(self) -> None:
        """Note a death, end what is left of the group, and set when to start again."""
        self.signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()
        now = time.monotonic()
        self.deaths = 1 if now - self.started > LIVED_SECONDS else self.deaths + 1
        self.resume = now + BACKOFF_SECONDS[min(self.deaths, len(BACKOFF_SECONDS) - 1)]
        self.process = None


@dataclass
class Supervisor:
    """Keeps children running until told to stop.

    `moves(age_seconds)` says whether the cluster has shown a sign of work since it was started
    `age_seconds` ago; it is asked every `ask_seconds`. `announce()` is called until it says that
    the web answers.
    """

    web: Child
    cluster: Child
    moves: Callable[[float], bool]
    announce: Callable[[], bool]
    ask_seconds: float = 5.0
    stopping: bool = field(default=False, init=False)

    def run(self) -> None:
        """Run until SIGINT or SIGTERM, then stop both and return."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        asked, announced = 0.0, False
        try:
            while not self.stopping:
                for child in (self.web, self.cluster):
                    self._keep(child)
                announced = announced or self.announce()
                if time.monotonic() - asked >= self.ask_seconds:
                    asked = time.monotonic()
                    self._ask()
                time.sleep(0.2)
        finally:
            self._end()

    def _stop(self, _number: int, _frame: object) -> None:
        self.stopping = True

    def _keep(self, child: Child) -> None:
        if child.alive():
            return
        if child.process is not None:
            log.warning("house.child.died", child=child.name, status=child.process.returncode)
            child.fell()
        if time.monotonic() >= child.resume:
            child.start()

    def _ask(self) -> None:
        age = time.monotonic() - self.cluster.started
        if self.cluster.alive() and not self.moves(age):
            log.warning("house.cluster.stalled", age_seconds=int(age))
            self.cluster.fell()

    def _end(self) -> None:
        children = [child for child in (self.web, self.cluster) if child.alive()]
        for child in children:
            # The leader alone: it lets its workers finish, and would wait for one told apart.
            if child.process is not None:
                child.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        while any(child.alive() for child in children) and time.monotonic() < deadline:
            time.sleep(0.1)
        for child in (self.web, self.cluster):
            child.signal(signal.SIGKILL)
