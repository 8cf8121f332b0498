"""Who was erased, as a restore of the database would forget? Ids only, in a file beside it.

A backup brings an erased person back. Their id stands here, so that `replay` erases them again
and `verify` names them until it did.
"""

import os
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from django.conf import settings

from config.lib import canonical
from consent.models import Contact

FILE = "tombstones"


def _path() -> Path:
    return Path(settings.HOME) / FILE


def write(*, contact_id: uuid.UUID, at: datetime) -> None:
    """Note an erasure that begins; on the disk before anything is erased."""
    line = f"{contact_id} {canonical.instant(at)}\n".encode()
    descriptor = os.open(_path(), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, line)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def everyone() -> set[uuid.UUID]:
    """Return the ids of all whose erasure began."""
    try:
        lines = _path().read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return set()
    return {uuid.UUID(line.partition(" ")[0]) for line in lines if line}


def returned() -> Iterator[Contact]:
    """Yield the erased persons whom the database knows as living: a restore brought them back."""
    ids = sorted(everyone())
    for start in range(0, len(ids), 500):
        yield from Contact.objects.filter(pk__in=ids[start : start + 500], erased_at=None)
