"""What became of an uploaded list? Judged whole, then committed whole, row by row in the trail."""

import itertools
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db import transaction

from accounts import keys
from accounts.audit import Actor
from accounts.models import Partner, User
from consent import addresses, batches, contacts, import_rows, lists, purposes, suppression
from consent.batches import Findings, NotInThisState, discard, findings, forget, report, start
from consent.import_rows import Row
from consent.lists import BadFile, Line, RowProblem
from consent.models import ImportBatch, Purpose

State = ImportBatch.State
CHUNK_ROWS = 1000
TWO_PEOPLE = "This number and this e-mail address belong to two contacts."
__all__ = [
    "BadFile",
    "Findings",
    "NotInThisState",
    "RowProblem",
    "check",
    "commit",
    "discard",
    "findings",
    "forget",
    "report",
    "start",
]


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
    return batches.receive(
        file=file,
        kind=ImportBatch.Kind.PEOPLE,
        total_rows=sheet.text.rstrip("\n").count("\n"),
        source=source,
        created_by=created_by,
        partner=partner,
        at=at,
    )


def examine(*, batch: ImportBatch, at: datetime) -> ImportBatch:
    """Judge each row of a list that was received; a list judged before stays as it is.

    :raises KeyRefused: the list is past its time.
    """
    if batch.state != State.CHECKING:
        return batch
    sheet = lists.read(batches.opened_file(batch=batch, at=at))
    found = Findings(ignored=sheet.ignored)
    try:
        packed = import_rows.packed(_judged(batch, sheet, found))
    except BadFile as fault:
        return batches.refuse(batch, str(fault), at)
    return batches.examined(batch=batch, packed=packed, found=found, at=at)


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
    rows = batches.unpacked(batches.unseal(batch, "rows", batch.rows_sealed, at))
    purpose = purposes.current(purposes.MARKETING, at)
    for _ in range(chunks) if chunks else itertools.count():
        if not _commit_chunk(batch, rows, purpose, at, actor=actor):
            break
    batch.refresh_from_db()
    return batch


def _judged(batch: ImportBatch, sheet: lists.Sheet, found: Findings) -> Iterator[Row]:
    seen: dict[str, int] = {}
    done = 0
    for lines in batches.in_chunks(sheet.lines(), CHUNK_ROWS):
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
    now = batches.held(batch)
    if now is None:
        return False
    lines = rows[now.done_rows : now.done_rows + CHUNK_ROWS]
    chunk = [import_rows.opened_row(line) for line in lines]
    known = import_rows.known(now.partner_id, chunk)
    writer = import_rows.Writer(import_rows.list_of(now), purpose, at, actor)
    for row in chunk:
        people = [known[i] for i in import_rows.indexes(now.partner_id, row.person) if i in known]
        if people and keys.opens(key=people[0].key, at=at):
            writer.update(row)
        else:
            writer.add(row, gone=people)
    writer.write()
    done = now.done_rows + len(chunk)
    return batches.passed(batch=now, done=done, of=len(rows), at=at, actor=actor)
