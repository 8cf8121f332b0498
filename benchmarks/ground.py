"""What does a benchmark stand on? A private home and a PostgreSQL of its own, as the tests have."""

import atexit
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import django
from django.core.management import call_command
from django.db import connection

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from config import bootstrap
from tests import postgres

# Links of nobody, for a table of a real size: their video, their person, and how many.
FILL_LINKS = """INSERT INTO videos_link (id, token_index, asset_id, contact_id, created_at,
    not_before, expires_at, plays_allowed, plays)
    SELECT gen_random_uuid(), encode(sha256(i::text::bytea), 'hex'), %s, %s, now(), now(), now(),
    1, 0 FROM generate_series(1, %s) i"""


def prepare(engine: str = "postgres", *, durable: bool = False) -> None:
    """Make an empty, migrated database of its own, and set Django up on it.

    `durable`: PostgreSQL waits for the disk at each commit, as in the product.
    """
    home = Path(tempfile.mkdtemp(prefix="sealcast-bench-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    os.environ["SEALCAST_HOME"] = str(home)
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    os.environ["LOG_LEVEL"] = "ERROR"
    os.environ.pop("DATABASE_URL", None)
    if engine == "postgres":
        # The address names a database that the server does not have yet.
        os.environ["DATABASE_URL"] = postgres.start(durable=durable).replace(
            "/sealcast?", "/postgres?"
        )
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


def certificate(folder: Path) -> None:
    """Make a key and a certificate of its own in a folder: `key.pem` and `cert.pem`."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", "key.pem"]
    subprocess.run([*command, "-out", "cert.pem"], cwd=folder, check=True, capture_output=True)


def tree(pid: int) -> list[int]:
    """Return a process and all that came of it."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in listed for one in tree(int(child)))]


def cpu_seconds(pid: int) -> float:
    """Return the seconds of processor that a process and all that came of it have used.

    What has ended and was waited for is counted with its parent.
    """
    total = 0
    for one in tree(pid):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        total += sum(int(field) for field in fields[11:15])
    return total / os.sysconf("SC_CLK_TCK")


def database_pid() -> int:
    """Return the process of PostgreSQL under which all its others are."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        own = Path(f"/proc/{cursor.fetchone()[0]}/stat").read_text().rpartition(")")[2].split()
    return int(own[1])
