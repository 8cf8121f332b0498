"""What must stand before the settings are read? A private home, a key ring, a database.

Loaded as a plug-in by `-p tests.environment`, because pytest-django imports the settings
before it looks at any conftest. Nothing of the reader's own installation is used: every
variable that Sealcast reads is set or taken away here.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from config import bootstrap
from tests import postgres

OURS = ("SECRET_KEY", "SEALCAST_", "S3_", "ALLOWED_HOSTS", "DEBUG", "TRUSTED_PROXY_COUNT")
WORKER = "PYTEST_XDIST_WORKER"


def _forget_the_readers_installation() -> None:
    for name in list(os.environ):
        if name.startswith(OURS):
            del os.environ[name]


def _make_home() -> Path:
    home = Path(tempfile.mkdtemp(prefix="sealcast-test-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    return home


def _choose_database(engine: str) -> None:
    address = os.environ.get("DATABASE_URL", "")
    if engine == "sqlite":
        os.environ.pop("DATABASE_URL", None)
    elif engine != "postgres":
        raise pytest.UsageError(f"TEST_DATABASE must be sqlite or postgres, not {engine!r}.")
    elif not address.startswith(("postgres:", "postgresql:")):
        # Workers of xdist inherit the address: one server for all of them.
        os.environ["DATABASE_URL"] = postgres.start()


_forget_the_readers_installation()
if WORKER not in os.environ:
    _choose_database(os.environ.get("TEST_DATABASE", "sqlite"))
HOME = _make_home()
os.environ["SEALCAST_HOME"] = str(HOME)
os.environ["SEALCAST_DEMO"] = "1"
# The driver of the browser runs an event loop in the thread that also asks the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
bootstrap.prepare(HOME)
(HOME / "static").mkdir()
