"""Which root keys does this process hold now?"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

from django.conf import settings

from config.lib import keyring

_steady: ContextVar[keyring.Keyring | None] = ContextVar("steady", default=None)


@lru_cache(maxsize=1)
def _load(_path: str, _stamp: float, _mode: int) -> keyring.Keyring:
    return keyring.load(path=settings.KEYRING_FILE)


def current() -> keyring.Keyring:
    """Return the key ring; its file is read again when it, or who may read it, has changed.

    :raises keyring.KeyringUnavailable: it is missing, too open or damaged.
    """
    steady = _steady.get()
    if steady is not None:
        return steady
    try:
        stat = settings.KEYRING_FILE.stat()
    except OSError:
        return _load(str(settings.KEYRING_FILE), 0.0, 0)
    return _load(str(settings.KEYRING_FILE), stat.st_mtime, stat.st_mode)


@contextmanager
def steady() -> Iterator[None]:
    """Look at the file once for what is done within: a page of people asks thousands of times.

    :raises keyring.KeyringUnavailable: as `current`.
    """
    token = _steady.set(current())
    try:
        yield
    finally:
        _steady.reset(token)
