import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from config.supervisor import Child, Supervisor

SLEEPER = "import time; time.sleep(60)"
# A parent whose own child would outlive it, were the group not stopped as a whole.
PARENT = (
    "import subprocess, sys, time;"
    "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    "open(sys.argv[1], 'w').write(str(p.pid)); time.sleep(60)"
)


def _python(code: str, *rest: str) -> list[str]:
    return [sys.executable, "-c", code, *rest]


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    status = Path(f"/proc/{pid}/status")
    return status.is_file() and "State:\tZ" in status.read_text()


def _until(condition: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def _run(monkeypatch: pytest.MonkeyPatch, supervisor: Supervisor) -> threading.Thread:
    # Signals reach the main thread only; here the supervisor is told to stop by its own flag.
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    thread = threading.Thread(target=supervisor.run)
    thread.start()
    return thread


def _supervisor(cluster: list[str], moves: Callable[[float], bool] = lambda _: True) -> Supervisor:
    return Supervisor(
        web=Child("web", _python(SLEEPER)),
        cluster=Child("jobs", cluster),
        moves=moves,
        announce=lambda: True,
        ask_seconds=0.1,
    )


def test_a_child_that_dies_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    supervisor = _supervisor(_python(SLEEPER))
    thread = _run(monkeypatch, supervisor)
    _until(supervisor.web.alive)
    first = supervisor.web.process
    assert first is not None
    os.kill(first.pid, signal.SIGKILL)
    _until(lambda: supervisor.web.alive() and supervisor.web.process is not first)
    supervisor.stopping = True
    thread.join(20)


def test_a_cluster_that_shows_no_life_is_replaced_with_its_group(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    note = tmp_path / "pid"
    stalled = threading.Event()
    supervisor = _supervisor(
        _python(PARENT, str(note)), moves=lambda age: not (stalled.is_set() and age > 0.5)
    )
    thread = _run(monkeypatch, supervisor)
    _until(lambda: note.is_file() and note.read_text() != "")
    grandchild, first = int(note.read_text()), supervisor.cluster.process
    stalled.set()
    _until(lambda: supervisor.cluster.process not in {first, None})
    _until(lambda: _gone(grandchild))
    supervisor.stopping = True
    thread.join(20)


def test_stopping_leaves_no_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    supervisor = _supervisor(_python(PARENT, str(note)))
    thread = _run(monkeypatch, supervisor)
    _until(lambda: note.is_file() and note.read_text() != "")
    supervisor.stopping = True
    thread.join(20)
    assert not thread.is_alive()
    grandchild = int(note.read_text())
    _until(lambda: _gone(grandchild))
    assert not supervisor.web.alive()
    assert not supervisor.cluster.alive()


def test_a_child_that_dies_at_once_is_not_started_in_a_loop() -> None:
    child = Child("jobs", _python("raise SystemExit(3)"))
    for _ in range(3):
        child.start()
        assert child.process is not None
        child.process.wait()
        child.fell()
    assert child.deaths == 3
    assert child.resume - time.monotonic() > 4


def test_jobs_step_back_before_the_web() -> None:
    child = Child("jobs", _python(SLEEPER), nice=5)
    child.start()
    assert child.process is not None
    try:
        own = os.getpriority(os.PRIO_PROCESS, 0)
        assert os.getpriority(os.PRIO_PROCESS, child.process.pid) == max(own, 5)
    finally:
        child.fell()
