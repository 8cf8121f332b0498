"""Is everything at rest still what was sealed? One walk over all of it, which can be resumed.

First each object is authenticated, chunk by chunk, in the order of ids; then each file is looked at
from outside, in the order of names. What has been seen so far is kept beside the keys, so that a
walk that was cut off goes on where it was.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from videos import vault
from videos.models import SealedObject

OBJECTS, FILES, DONE = "objects", "files", "done"
ROWS_AT_ONCE = 500


@dataclass
class Walk:
    """How far a walk has come: `after` is the last id or name that was seen in this phase."""

    began_at: str
    phase: str = OBJECTS
    after: str = ""
    objects: int = 0
    size_bytes: int = 0
    # Objects whose key opens no more: nobody can read them, and neither can we.
    closed: int = 0
    files: int = 0
    faults: list[dict[str, str]] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        return not self.faults


def inspect(*, walk: Walk, at: datetime) -> Iterator[Walk]:
    """Go on with a walk; yield it after each object and each file, until its phase is `done`."""
    if walk.phase == OBJECTS:
        yield from _objects(walk, at)
        walk.phase, walk.after = FILES, ""
    if walk.phase == FILES:
        for found in vault.looked_at(at=at, after=walk.after):
            walk.files, walk.after = walk.files + 1, found.name
            _note(walk, found.code, found.name)
            yield walk
        walk.phase, walk.after = DONE, ""
    yield walk


def total(*, walk: Walk) -> int:
    """Return how many objects a walk has to read in all."""
    return _rows(walk).count()


def begun(*, at: datetime) -> Walk:
    """Return a new walk."""
    return Walk(began_at=at.isoformat())


def kept() -> Walk | None:
    """Return the walk that was cut off, if there is one that can be read."""
    try:
        return Walk(**json.loads(_place().read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def keep(*, walk: Walk) -> None:
    """Write down how far a walk has come, whole or not at all; a walk that is done is forgotten."""
    place = _place()
    if walk.phase == DONE:
        place.unlink(missing_ok=True)
        return
    fresh = place.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(walk)), encoding="utf-8")
    fresh.replace(place)


def _objects(walk: Walk, at: datetime) -> Iterator[Walk]:
    rows = _rows(walk).select_related("key__parent").order_by("pk")
    while batch := list(_beyond(rows, walk.after)[:ROWS_AT_ONCE]):
        for row in batch:
            code = vault.fault_of(sealed_object=row, at=at)
            walk.objects, walk.after = walk.objects + 1, str(row.pk)
            if code is None:
                walk.closed += 1
            else:
                walk.size_bytes += row.size_bytes
                _note(walk, _unless_gone(row, code), row.name)
            yield walk


def _beyond(rows: QuerySet[SealedObject], after: str) -> QuerySet[SealedObject]:
    return rows.filter(pk__gt=UUID(after)) if after else rows


def _rows(walk: Walk) -> QuerySet[SealedObject]:
    # What came later stands in the order of ids before and behind us: it is the next walk's.
    began = datetime.fromisoformat(walk.began_at)
    return SealedObject.objects.filter(state=SealedObject.State.STORED, created_at__lte=began)


def _unless_gone(row: SealedObject, code: str) -> str:
    # Between reading the row and its bytes the object may have been removed, as it should.
    still = SealedObject.objects.filter(pk=row.pk, state=SealedObject.State.STORED)
    return code if code and still.exists() else ""


def _note(walk: Walk, code: str, name: str) -> None:
    if code:
        walk.faults.append({"code": code, "name": name})


def _place() -> Path:
    return Path(settings.HOME) / "assets-check.json"
