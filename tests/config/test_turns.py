"""Does no more heavy work run at once than there are places, whoever dies?"""

import fcntl
import os
import signal
from pathlib import Path

from config.lib import turns


def holds_a_place(folder: Path) -> int:
    ready, told = os.pipe()
    pid = os.fork()
    if not pid:
        with turns.taken(folder=folder, places=1):
            os.write(told, b"!")
            signal.pause()
        os._exit(0)
    os.read(ready, 1)
    return pid


def test_each_gets_a_place_of_their_own(tmp_path: Path) -> None:
    with (
        turns.taken(folder=tmp_path, places=2) as one,
        turns.taken(folder=tmp_path, places=2) as two,
    ):
        assert {one, two} == {0, 1}


def test_a_place_comes_back_when_its_process_is_killed(tmp_path: Path) -> None:
    pid = holds_a_place(tmp_path)
    with (tmp_path / "turn-0.lock").open("ab") as file:
        assert not turns._locked(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    with turns.taken(folder=tmp_path, places=1) as number:
        assert number == 0
