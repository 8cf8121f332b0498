"""What bytes does a fact have? One spelling of JSON, so that equal facts have equal hashes."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime


def instant(at: datetime) -> str:
    """Return an aware datetime as UTC text to the microsecond."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def encode(value: object) -> bytes:
    """Return canonical JSON: sorted keys, no spaces, UTF-8, no floats.

    :raises TypeError: the value holds a float or something JSON has no word for.
    """
    _refuse_floats(value)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def digest(value: object) -> str:
    """Return the SHA-256 of the canonical bytes, in hex."""
    return hashlib.sha256(encode(value)).hexdigest()


def _refuse_floats(value: object) -> None:
    # Two machines may print one float in two ways; a hash must not depend on it.
    if isinstance(value, float):
        raise TypeError("a float has no canonical form")
    if isinstance(value, Mapping):
        for part in value.values():
            _refuse_floats(part)
    elif isinstance(value, list | tuple):
        for part in value:
            _refuse_floats(part)
