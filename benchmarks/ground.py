"""What does a benchmark stand on? A private home and a PostgreSQL of its own, as the tests have."""

import atexit
import os
import resource
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import django
from django.core.management import call_command

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from config import bootstrap
from tests import postgres


def prepare(engine: str = "postgres") -> None:
    """Make an empty, migrated database of its own, and set Django up on it."""
    home = Path(tempfile.mkdtemp(prefix="sealcast-bench-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    os.environ["SEALCAST_HOME"] = str(home)
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    os.environ["LOG_LEVEL"] = "ERROR"
    os.environ.pop("DATABASE_URL", None)
    if engine == "postgres":
        # The address names a database that the server does not have yet.
        os.environ["DATABASE_URL"] = postgres.start().replace("/sealcast?", "/postgres?")
    bootstrap.prepare(home)
    django.setup()
    call_command("migrate", verbosity=0)


def timed(act: Callable[[], object]) -> float:
    """Return how many seconds an act takes."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def peak_mb() -> float:
    """Return the most memory this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def until_answers(port: int, *, seconds: float = 30.0) -> None:
    """Return once something on this machine takes connections at a port."""
    ends = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.2)
        else:
            return
