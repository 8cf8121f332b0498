"""How many processes of this machine may do heavy work at once? As many as there are places.

A place is a lock on a file: the system gives it back however its process ends.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def cores() -> int:
    """Return how many cores this process may use, which may be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def taken(*, folder: Path, places: int) -> Iterator[int]:
    """Wait for a free place and hold it; yield its number.

    Who finds all taken waits for one of them, each process for another.
    """
    files = [(folder / f"turn-{number}.lock").open("ab") for number in range(places)]
    try:
        for number, file in enumerate(files):
            if _locked(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB):
                yield number
                return
        number = os.getpid() % places
        _locked(files[number].fileno(), fcntl.LOCK_EX)
        yield number
    finally:
        for file in files:
            file.close()


def _locked(handle: int, how: int) -> bool:
    try:
        fcntl.flock(handle, how)
    except BlockingIOError:
        return False
    return True
