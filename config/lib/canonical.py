"""What bytes does a fact have? One spelling of JSON, so that equal facts have equal hashes."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache

ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
HARMLESS = frozenset({str, int, bool, type(None)})


# A page of people is one instant, told thousands of times.
@lru_cache(maxsize=16)
def instant(at: datetime) -> str:
    """Return an aware datetime as UTC text to the microsecond."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def encode(value: object) -> bytes:
    """Return canonical JSON: sorted keys, no spaces, UTF-8, no floats.

    :raises TypeError: the value holds a float or something JSON has no word for.
    """
    _refuse_floats(value)
    return ENCODER.encode(value).encode()


def digest(value: object) -> str:
    """Return the SHA-256 of the canonical bytes, in hex."""
    return hashlib.sha256(encode(value)).hexdigest()


def _refuse_floats(value: object) -> None:
    # Two machines may print one float in two ways; a hash must not depend on it.
    if isinstance(value, float):
        raise TypeError("a float has no canonical form")
    if isinstance(value, dict | Mapping):
        parts: Iterable[object] = value.values()
    elif isinstance(value, list | tuple):
        parts = value
    else:
        return
    for part in parts:
        # Nearly all are texts, and every row of the trail comes by here: they cost no call.
        if type(part) not in HARMLESS:
            _refuse_floats(part)
