"""Can this node serve? One word for each part; it names no host and no path."""

import os
from datetime import datetime

from django.core.files.storage import FileSystemStorage, default_storage
from django.db import DatabaseError, connection

from accounts import pulse, ring
from config.lib import keyring, logs

log = logs.get(__name__)
# Longer than the supervisor needs to replace a cluster that stands still.
LATE_SECONDS = 180


def answers(*, at: datetime) -> dict[str, str]:
    """Return one word for each part: `ok`, or what is wrong."""
    database = _database()
    parts = {"database": database, "keyring": _keyring(), "storage": _storage()}
    # The rest is read from the database; without one nothing can be said of it.
    parts["jobs"] = _jobs(at) if database == "ok" else "not known"
    return parts


def is_ready(parts: dict[str, str]) -> bool:
    """Say whether requests may come; late jobs delay work, and stop no page."""
    return all(word == "ok" for part, word in parts.items() if part != "jobs")


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        log.warning("accounts.health.database_away", error=type(error).__name__)
        return "away"
    return "ok"


def _keyring() -> str:
    try:
        ring.current()
    except keyring.KeyringUnavailable as unavailable:
        return str(unavailable).partition(":")[0]
    return "ok"


def _storage() -> str:
    if isinstance(default_storage, FileSystemStorage):
        place = default_storage.location
        return "ok" if os.access(place, os.W_OK | os.X_OK) else "not writable"
    try:
        default_storage.exists("readyz")
    except Exception as error:  # noqa: BLE001 each storage has errors of its own
        log.warning("accounts.health.storage_away", error=type(error).__name__)
        return "away"
    return "ok"


def _jobs(at: datetime) -> str:
    age = pulse.newest_answer_age(at=at)
    if age is None:
        return "not seen yet"
    return "ok" if age.total_seconds() < LATE_SECONDS else "late"
