"""Who tells the workers that something came? One bell a process, rung at most twice a second.

A task for each event would cost more than to keep the event. The row in the inbox is the queue: a
ring that is lost with its process costs the minute until the schedule looks, and no event.
"""

import threading
import time
from collections.abc import Callable

from django.db import DatabaseError, connection
from django_q.tasks import async_task

from config.lib import logs

log = logs.get(__name__)
TASK = "consent.jobs.take_inbox"
PAUSE_SECONDS = 0.5


class Bell:
    """Tells at once, or a pause after it told before; never once for each ring."""

    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell = tell
        self._rung, self._one = threading.Event(), threading.Lock()
        self._ringer: threading.Thread | None = None

    def ring(self) -> None:
        """Have what was kept acted upon soon; costs the caller nothing."""
        self._rung.set()
        # Made by the first ring: a process that forks before has none to lose.
        if self._ringer is None:
            with self._one:
                if self._ringer is None:
                    self._ringer = threading.Thread(target=self._run, name="bell", daemon=True)
                    self._ringer.start()

    def _run(self) -> None:
        while True:
            self._rung.wait()
            # Before it is told: what comes meanwhile rings again.
            self._rung.clear()
            self._tell()
            time.sleep(PAUSE_SECONDS)


def tell() -> None:
    """Queue the task that takes what waits; where that fails, the schedule does it."""
    try:
        async_task(TASK)
    except DatabaseError as fault:
        log.warning("integrations.bell.not_heard", fault=type(fault).__name__)
    finally:
        # It is idle most of the time, and shall not hold one of PostgreSQL's connections.
        connection.close()


INBOX = Bell(tell)
