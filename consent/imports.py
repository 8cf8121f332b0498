"""What became of an uploaded list? Judged whole, then committed whole, row by row in the trail."""

import hashlib
import itertools
import json
import uuid
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from accounts import audit, keys
from accounts.audit import Actor
from accounts.models import DataKey, Partner, User
from consent import addresses, contacts, import_rows, lists, purposes, suppression
from consent.import_rows import Row
from consent.lists import BadFile, Line, RowProblem
from consent.models import ImportBatch, Purpose

State = ImportBatch.State
ROWS_KEPT_DAYS = 7
CHUNK_ROWS = 1000
TWO_PEOPLE = "This number and this e-mail address belong to two contacts."
__all__ = ["BadFile", "RowProblem", "check", "commit", "discard", "report"]


class NotInThisState(Exception):
    """The list was imported, discarded or is being worked on already."""


@dataclass
class Findings:
    """What a check found, apart from the rows that may be imported."""

    problems: list[RowProblem] = field(default_factory=list)
    ignored: tuple[str, ...] = ()
    new_rows: int = 0
    updated_rows: int = 0
    # Rows whose address asked not to be written to: kept as contacts, never written to.
    stopped_rows: int = 0


def check(
    *,
    file: bytes,
    source: str,
    created_by: User | None,
    at: datetime,
    partner: Partner | None = None,
) -> ImportBatch:
    """Judge a list without importing anything: how many are new, known, and bad, and why.

    :raises BadFile: it cannot be read as a list.
    """
    batch = receive(file=file, source=source, created_by=created_by, partner=partner, at=at)
    return examine(batch=batch, at=at)


@transaction.atomic
def receive(
    *,
    file: bytes,
    source: str,
    created_by: User | None,
    at: datetime,
    partner: Partner | None = None,
) -> ImportBatch:
    """Keep a readable list, sealed, to be examined by a job.

    :raises BadFile: it cannot be read as a list.
    """
    sheet = lists.read(file)
    batch = ImportBatch(
        id=uuid.uuid4(),
        state=State.CHECKING,
        source=source,
        partner=partner,
        file_sha256=hashlib.sha256(file).hexdigest(),
        total_rows=sheet.text.rstrip("\n").count("\n"),
        created_by=created_by,
        created_at=at,
    )
    batch.key = keys.create(
        scope=DataKey.Scope.HOUSE,
        owner_id=batch.id,
        at=at,
        delete_at=at + timedelta(days=ROWS_KEPT_DAYS),
    )
    batch.rows_sealed = _seal(batch, "file", file, at)
    batch.save(force_insert=True)
    _note(batch, "received", at, _staff(created_by))
    return batch


def examine(*, batch: ImportBatch, at: datetime) -> ImportBatch:
    """Judge each row of a list that was received; a list judged before stays as it is.

    :raises KeyRefused: the list is past its time.
    """
    if batch.state != State.CHECKING:
        return batch
    sheet = lists.read(_unseal(batch, "file", batch.rows_sealed, at))
    found = Findings(ignored=sheet.ignored)
    try:
        packed = import_rows.packed(_judged(batch, sheet, found))
    except BadFile as fault:
        return _refuse(batch, str(fault), at)
    bad = {problem.row for problem in found.problems}
    with transaction.atomic():
        if not _still(batch, State.CHECKING):
            # It was put away meanwhile, or another worker was first.
            batch.refresh_from_db()
            return batch
        batch.state = State.CHECKED
        batch.total_rows = found.new_rows + found.updated_rows + len(bad)
        batch.new_rows, batch.updated_rows = found.new_rows, found.updated_rows
        batch.bad_rows, batch.done_rows = len(bad), 0
        batch.rows_sealed = _seal(batch, "rows", packed, at)
        batch.report_sealed = _seal(batch, "report", _report_bytes(found), at)
        batch.save()
        _note(batch, "checked", at, _staff(batch.created_by))
    return batch


def report(*, batch: ImportBatch, at: datetime) -> list[RowProblem]:
    """Return each bad cell of a checked list; nothing once its time is over."""
    return findings(batch=batch, at=at).problems


def findings(*, batch: ImportBatch, at: datetime) -> Findings:
    """Return what the check found; nothing once its time is over."""
    if batch.report_sealed is None:
        return Findings()
    try:
        kept = json.loads(zlib.decompress(_unseal(batch, "report", batch.report_sealed, at)))
    except keys.KeyRefused:
        return Findings()
    kept["problems"] = [RowProblem(**problem) for problem in kept["problems"]]
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
    held.state, held.done_rows = State.COMMITTING, 0
    held.save(update_fields=["state", "done_rows"])
    _note(held, "started", at, actor)
    batch.state, batch.done_rows = held.state, 0
    return batch


def commit(
    *, batch: ImportBatch, at: datetime, actor: Actor, chunks: int | None = None
) -> ImportBatch:
    """Import the good rows of a checked list, a thousand in each transaction.

    After `chunks` of them, or stopped half-way, it is called again and goes on where it was; no
    row is imported twice. A claim of consent is
    recorded as a claim, which allows no marketing; a "no" is honoured.
    Law: GDPR Art. 14 (data from elsewhere), 7(1).
    :raises NotInThisState: it was imported or discarded already.
    :raises KeyRefused: the list is past its time.
    """
    if batch.state == State.CHECKED:
        start(batch=batch, at=at, actor=actor)
    if batch.state != State.COMMITTING:
        raise NotInThisState
    rows = import_rows.unpacked(_unseal(batch, "rows", batch.rows_sealed, at))
    purpose = purposes.current(purposes.MARKETING, at)
    for _ in range(chunks) if chunks else itertools.count():
        if not _commit_chunk(batch, rows, purpose, at, actor=actor):
            break
    batch.refresh_from_db()
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
    _note(held, "discarded", at, actor)
    return held


def forget(*, batch: ImportBatch, at: datetime) -> None:
    """Destroy the rows and the report of a list; that it was there stays known."""
    batch.rows_sealed = batch.report_sealed = None
    batch.save()
    keys.destroy(key=batch.key, at=at)


def _judged(batch: ImportBatch, sheet: lists.Sheet, found: Findings) -> Iterator[Row]:
    seen: dict[str, int] = {}
    done = 0
    for lines in _chunks(sheet.lines(), CHUNK_ROWS):
        fresh = [row for line in lines if (row := _usable(line, seen, found))]
        yield from _against_known(batch.partner_id, fresh, found)
        done += len(lines)
        ImportBatch.objects.filter(pk=batch.pk).update(done_rows=done)


def _usable(line: Line, seen: dict[str, int], found: Findings) -> Row | None:
    if line.person is None:
        found.problems += line.problems
        return None
    for column in ("email", "phone"):
        value = getattr(line.person, column)
        if value and value in seen:
            shown = addresses.mask(column, value)
            problem = f"The same address is in row {seen[value]}."
            found.problems.append(RowProblem(line.row, column, shown, problem))
            return None
    seen.update({value: line.row for value in (line.person.email, line.person.phone) if value})
    return Row(line.row, line.person, line.claim)


def _against_known(partner_id: uuid.UUID | None, rows: list[Row], found: Findings) -> Iterator[Row]:
    known = import_rows.known(partner_id, rows)
    stopped = _stopped(rows)
    for row in rows:
        people = {
            known[index].pk
            for index in import_rows.indexes(partner_id, row.person)
            if index in known
        }
        if len(people) > 1:
            shown = addresses.mask("phone", row.person.phone)
            found.problems.append(RowProblem(row.number, "phone", shown, TWO_PEOPLE))
            continue
        found.updated_rows += bool(people)
        found.new_rows += not people
        found.stopped_rows += row.number in stopped
        yield row


def _stopped(rows: list[Row]) -> set[int]:
    numbers: set[int] = set()
    for channel in ("email", "sms"):
        column = contacts.field_of(channel)
        places = {
            suppression.index_of(channel=channel, value=value): row.number
            for row in rows
            if (value := getattr(row.person, column))
        }
        hits = suppression.in_force(channel=channel, indexes=places)
        numbers |= {places[index] for index in hits}
    return numbers


@transaction.atomic
def _commit_chunk(
    batch: ImportBatch,
    rows: Sequence[bytes],
    purpose: Purpose,
    at: datetime,
    *,
    actor: Actor,
) -> bool:
    # Two workers at one list take turns, and the second finds where the first has come to.
    held = ImportBatch.objects.select_for_update(of=("self",)).select_related("partner", "key")
    now = held.defer("rows_sealed", "report_sealed").get(pk=batch.pk)
    if now.state != State.COMMITTING:
        return False
    lines = rows[now.done_rows : now.done_rows + CHUNK_ROWS]
    chunk = [import_rows.opened_row(line) for line in lines]
    known = import_rows.known(now.partner_id, chunk)
    writer = import_rows.Writer(now, purpose, at, actor)
    for row in chunk:
        people = [known[i] for i in import_rows.indexes(now.partner_id, row.person) if i in known]
        if people and keys.opens(key=people[0].key, at=at):
            writer.update(row)
        else:
            writer.add(row, gone=people)
    writer.write()
    done = now.done_rows + len(chunk)
    if done < len(rows):
        ImportBatch.objects.filter(pk=now.pk).update(done_rows=done)
        return True
    _finish(now, done, at, actor)
    return False


def _finish(batch: ImportBatch, done: int, at: datetime, actor: Actor) -> None:
    ImportBatch.objects.filter(pk=batch.pk).update(
        state=State.COMMITTED, committed_at=at, done_rows=done, rows_sealed=None
    )
    batch.state = State.COMMITTED
    _note(batch, "committed", at, actor)


def _refuse(batch: ImportBatch, problem: str, at: datetime) -> ImportBatch:
    with transaction.atomic():
        if not _still(batch, State.CHECKING):
            batch.refresh_from_db()
            return batch
        batch.state, batch.problem, batch.rows_sealed = State.REFUSED, problem[:200], None
        batch.save()
        _note(batch, "refused", at, _staff(batch.created_by))
    return batch


def _still(batch: ImportBatch, state: str) -> bool:
    rows = ImportBatch.objects.select_for_update(of=("self",)).only("state")
    return rows.get(pk=batch.pk).state == state


def _note(batch: ImportBatch, word: str, at: datetime, actor: Actor) -> None:
    audit.record(
        action=f"consent.import.{word}",
        at=at,
        actor=actor,
        object_type="consent.importbatch",
        object_id=str(batch.pk),
        details={
            "file": batch.file_sha256,
            "rows": batch.total_rows,
            "new": batch.new_rows,
            "updated": batch.updated_rows,
            "bad": batch.bad_rows,
        },
    )


def _staff(user: User | None) -> Actor:
    return Actor("staff", str(user.pk)) if user else audit.SYSTEM


def _report_bytes(found: Findings) -> bytes:
    return zlib.compress(json.dumps(asdict(found), ensure_ascii=False).encode(), level=1)


def _chunks(lines: Iterable[Line], size: int) -> Iterator[list[Line]]:
    chunk: list[Line] = []
    for line in lines:
        chunk.append(line)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _seal(batch: ImportBatch, what: str, plain: bytes, at: datetime) -> bytes:
    return keys.seal(key=batch.key, plaintext=plain, context=_place(batch, what), at=at)


def _unseal(batch: ImportBatch, what: str, sealed: object, at: datetime) -> bytes:
    held = bytes(sealed) if isinstance(sealed, bytes | memoryview) else b""
    return keys.unseal(key=batch.key, sealed=held, context=_place(batch, what), at=at)


def _place(batch: ImportBatch, what: str) -> str:
    return f"consent_importbatch.{what}:{batch.id}"
