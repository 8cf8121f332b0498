"""One idle worker is killed: the cluster looks alive, does nothing, and is replaced."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    environment = _environment(home)
    for command in (["-m", "config.bootstrap"], ["manage.py", "migrate", "-v0"]):
        subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, check=True)
    return home


def _environment(home: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "SEALCAST_HOME": str(home), "SEALCAST_DEMO": "1", "SEALCAST_WORKERS": "1"}


@pytest.fixture
def served(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "manage.py", "serve", "--port", str(_free_port())]
    process = subprocess.Popen(
        [*command, "--silence-seconds", "8"],
        cwd=ROOT,
        env=_environment(home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield process
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    assert _children(process.pid) == []


def _children(pid: int) -> list[int]:
    # Not `ps`: a small machine has none.
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in listed.read_text().split()] if listed.exists() else []


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def _answers(home: Path) -> int:
    with sqlite3.connect(home / "sealcast.sqlite3", timeout=10) as database:
        query = "SELECT COUNT(*) FROM accounts_pulse WHERE answered_at IS NOT NULL"
        return int(database.execute(query).fetchone()[0])


def _until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def test_jobs_go_on_after_an_idle_worker_was_killed(
    home: Path, served: subprocess.Popen[bytes]
) -> None:
    _until(lambda: _answers(home) >= 1, 40)
    cluster = next(pid for pid in _children(served.pid) if "qcluster" in _command(pid))
    # The main process guards, monitors, pushes and works: all below the sentinel die here.
    for sentinel in _children(cluster):
        for worker in _children(sentinel):
            os.kill(worker, signal.SIGKILL)
    before = _answers(home)
    _until(lambda: _answers(home) >= before + 2, 60)
