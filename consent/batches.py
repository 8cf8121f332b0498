"""What becomes of an uploaded list from its upload to its end? Sealed, judged, worked through."""

import hashlib
import json
import uuid
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import transaction

from accounts import audit, keys
from accounts.audit import Actor
from accounts.models import DataKey, Partner, User
from consent.lists import RowProblem
from consent.models import ImportBatch

State = ImportBatch.State
ROWS_KEPT_DAYS = 7
T = TypeVar("T")


class NotInThisState(Exception):
    """The list was imported, discarded or is being worked on already."""


@dataclass
class Findings:
    """What a check found, apart from the rows that may be imported."""

    problems: list[RowProblem] = field(default_factory=list)
    ignored: tuple[str, ...] = ()
    new_rows: int = 0
    updated_rows: int = 0
    # Rows whose person asked not to be written to: nothing in a list changes that.
    stopped_rows: int = 0


@transaction.atomic
def receive(
    *,
    file: bytes,
    kind: str,
    total_rows: int,
    source: str,
    created_by: User | None,
    at: datetime,
    partner: Partner | None = None,
) -> ImportBatch:
    """Keep the bytes of a readable list, sealed, to be examined by a job."""
    batch = ImportBatch(
        id=uuid.uuid4(),
        state=State.CHECKING,
        kind=kind,
        source=source,
        partner=partner,
        file_sha256=hashlib.sha256(file).hexdigest(),
        total_rows=total_rows,
        created_by=created_by,
        created_at=at,
    )
    batch.key = keys.create(
        scope=DataKey.Scope.HOUSE,
        owner_id=batch.id,
        at=at,
        delete_at=at + timedelta(days=ROWS_KEPT_DAYS),
    )
    # Packed first: sealed and quoted for the wire, the bytes are held several times over.
    batch.rows_sealed = seal(batch, "file", zlib.compress(file, level=1), at)
    batch.save(force_insert=True)
    note(batch, "received", at, audit.staff(created_by))
    return batch


def opened_file(*, batch: ImportBatch, at: datetime) -> bytes:
    """Return the bytes of a list that waits to be examined.

    :raises KeyRefused: the list is past its time.
    """
    return zlib.decompress(unseal(batch, "file", batch.rows_sealed, at))


@transaction.atomic
def examined(*, batch: ImportBatch, packed: bytes, found: Findings, at: datetime) -> ImportBatch:
    """Keep what a check found, unless the list was put away meanwhile or another was first."""
    if not still(batch, State.CHECKING):
        batch.refresh_from_db()
        return batch
    bad = {problem.row for problem in found.problems}
    batch.state = State.CHECKED
    batch.total_rows = found.new_rows + found.updated_rows + len(bad)
    batch.new_rows, batch.updated_rows = found.new_rows, found.updated_rows
    batch.bad_rows, batch.done_rows = len(bad), 0
    batch.rows_sealed = seal(batch, "rows", packed, at)
    batch.report_sealed = seal(batch, "report", _report_bytes(found), at)
    batch.save()
    note(batch, "checked", at, audit.staff(batch.created_by))
    return batch


@transaction.atomic
def refuse(batch: ImportBatch, problem: str, at: datetime) -> ImportBatch:
    """Say that a list cannot be read to its end; nothing of it is kept."""
    if not still(batch, State.CHECKING):
        batch.refresh_from_db()
        return batch
    batch.state, batch.problem, batch.rows_sealed = State.REFUSED, problem[:200], None
    batch.save()
    note(batch, "refused", at, audit.staff(batch.created_by))
    return batch


def report(*, batch: ImportBatch, at: datetime) -> list[RowProblem]:
    """Return each bad cell of a checked list; nothing once its time is over."""
    return findings(batch=batch, at=at).problems


def findings(*, batch: ImportBatch, at: datetime) -> Findings:
    """Return what the check found; nothing once its time is over."""
    if batch.report_sealed is None:
        return Findings()
    try:
        kept = json.loads(zlib.decompress(unseal(batch, "report", batch.report_sealed, at)))
    except keys.KeyRefused:
        return Findings()
    problems = [RowProblem(**problem) for problem in kept["problems"]]
    # Some faults show only once all rows are read: a person looks for them row by row.
    kept["problems"] = sorted(problems, key=lambda one: one.row)
    kept["ignored"] = tuple(kept["ignored"])
    return Findings(**kept)


@transaction.atomic
def start(*, batch: ImportBatch, at: datetime, actor: Actor) -> ImportBatch:
    """Decide that a checked list is imported; a job or `commit` does it.

    :raises NotInThisState: it was imported or discarded already.
    """
    held = ImportBatch.objects.select_for_update(of=("self",)).get(pk=batch.pk)
    if held.state != State.CHECKED:
        raise NotInThisState
    held.state, held.done_rows, held.started_at = State.COMMITTING, 0, at
    held.save(update_fields=["state", "done_rows", "started_at"])
    note(held, "started", at, actor)
    batch.state, batch.done_rows = held.state, 0
    return batch


@transaction.atomic
def discard(*, batch: ImportBatch, at: datetime, actor: Actor) -> ImportBatch:
    """Put a list away without importing it; its rows are destroyed at once.

    :raises NotInThisState: it was imported already.
    """
    held = ImportBatch.objects.select_for_update(of=("self",)).get(pk=batch.pk)
    if held.state not in {State.CHECKING, State.CHECKED, State.REFUSED}:
        raise NotInThisState
    held.state = State.DISCARDED
    forget(batch=held, at=at)
    note(held, "discarded", at, actor)
    return held


def forget(*, batch: ImportBatch, at: datetime) -> None:
    """Destroy the rows and the report of a list; that it was there stays known."""
    batch.rows_sealed = batch.report_sealed = None
    batch.save()
    keys.destroy(key=batch.key, at=at)


def held(batch: ImportBatch) -> ImportBatch | None:
    """Hold a list that is being imported; None if it is not any more.

    Two workers at one list take turns, and the second finds where the first has come to.
    """
    rows = ImportBatch.objects.select_for_update(of=("self",)).select_related("partner", "key")
    now = rows.defer("rows_sealed", "report_sealed").get(pk=batch.pk)
    return now if now.state == State.COMMITTING else None


def passed(*, batch: ImportBatch, done: int, of: int, at: datetime, actor: Actor) -> bool:
    """Note how far a held list has come; return whether there is more of it."""
    if done < of:
        ImportBatch.objects.filter(pk=batch.pk).update(done_rows=done)
        return True
    ImportBatch.objects.filter(pk=batch.pk).update(
        state=State.COMMITTED, committed_at=at, done_rows=done, rows_sealed=None
    )
    batch.state = State.COMMITTED
    note(batch, "committed", at, actor)
    return False


def still(batch: ImportBatch, state: str) -> bool:
    """Hold a list and say whether it is in this state."""
    rows = ImportBatch.objects.select_for_update(of=("self",)).only("state")
    return rows.get(pk=batch.pk).state == state


def note(batch: ImportBatch, word: str, at: datetime, actor: Actor) -> None:
    """Put what became of a list in the trail."""
    audit.record(
        action=f"consent.import.{word}",
        at=at,
        actor=actor,
        object_type="consent.importbatch",
        object_id=str(batch.pk),
        details={
            "file": batch.file_sha256,
            "kind": batch.kind,
            "rows": batch.total_rows,
            "new": batch.new_rows,
            "updated": batch.updated_rows,
            "bad": batch.bad_rows,
        },
    )


def in_chunks(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield rows a few at a time."""
    chunk: list[T] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def packed(lines: Iterable[bytes]) -> bytes:
    """Pack lines as they come: a hundred thousand are never held at once."""
    packer = zlib.compressobj(level=1)
    parts = [packer.compress(line + b"\n") for line in lines]
    return b"".join([*parts, packer.flush()])


def unpacked(packed: bytes) -> list[bytes]:
    """Unpack the lines; each is opened when its turn comes."""
    return zlib.decompress(packed).splitlines()


def seal(batch: ImportBatch, what: str, plain: bytes, at: datetime) -> bytes:
    """Seal a part of a list under its own key."""
    return keys.seal(key=batch.key, plaintext=plain, context=_place(batch, what), at=at)


def unseal(batch: ImportBatch, what: str, sealed: object, at: datetime) -> bytes:
    """Open a part of a list.

    :raises KeyRefused: the list is past its time.
    """
    kept = bytes(sealed) if isinstance(sealed, bytes | memoryview) else b""
    return keys.unseal(key=batch.key, sealed=kept, context=_place(batch, what), at=at)


def _report_bytes(found: Findings) -> bytes:
    return zlib.compress(json.dumps(asdict(found), ensure_ascii=False).encode(), level=1)


def _place(batch: ImportBatch, what: str) -> str:
    return f"consent_importbatch.{what}:{batch.id}"
