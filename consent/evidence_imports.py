"""What becomes of a list of evidence? Claims turn into consent, one by one, where it suffices.

It lifts no stop and undoes no no; it makes nobody known who was not. Judged whole, then worked
through in the trail, as a list of people is (`consent/batches.py`).
"""

import itertools
import json
from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F

from accounts.audit import Actor
from accounts.models import Partner, User
from consent import batches, evidence_lists, evidence_rows
from consent.batches import Findings, NotInThisState, discard, findings, report, start
from consent.evidence_lists import COLUMNS, EvidenceRow, EvidenceSheet
from consent.evidence_rows import KEPT, STOPPED, TURNS, Judge, Judged
from consent.lists import BadFile, RowProblem
from consent.models import ImportBatch

State = ImportBatch.State
CHUNK_ROWS = 1000
# Words that many rows share are packed once, before the rows.
NOTICES = "notices"
__all__ = [
    "BadFile",
    "Findings",
    "NotInThisState",
    "RowProblem",
    "check",
    "commit",
    "discard",
    "findings",
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
    """Judge a list of evidence without changing anything.

    Of what comes back: `new_rows` would turn into consent, `updated_rows` are known already,
    `bad_rows` are named in the report; the findings count those whose person said stop.
    :raises BadFile: it cannot be read as a list of evidence.
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
    """Keep a readable list of evidence, sealed, to be examined by a job.

    :raises BadFile: it cannot be read as a list of evidence.
    """
    sheet = evidence_lists.read(file)
    return batches.receive(
        file=file,
        kind=ImportBatch.Kind.EVIDENCE,
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
    sheet = evidence_lists.read(batches.opened_file(batch=batch, at=at))
    found = Findings(ignored=sheet.ignored)
    texts: dict[str, int] = {}
    try:
        rows = _judged(batch, sheet, found, at)
        packed = batches.packed(itertools.chain(_lines(rows, texts), _texts(texts)))
    except BadFile as fault:
        return batches.refuse(batch, str(fault), at)
    return batches.examined(batch=batch, packed=packed, found=found, at=at)


def commit(
    *, batch: ImportBatch, at: datetime, actor: Actor, chunks: int | None = None
) -> ImportBatch:
    """Turn the claims of a checked list into consent, a thousand rows in each transaction.

    Each row is judged once more while the person is held: who said stop since stays stopped.
    After `chunks` of them, or stopped half-way, it is called again and goes on where it was.
    Law: GDPR Art. 7(1), the consent must be demonstrable.
    :raises NotInThisState: it was imported or discarded already.
    :raises KeyRefused: the list is past its time.
    """
    if batch.state == State.CHECKED:
        start(batch=batch, at=at, actor=actor)
    if batch.state != State.COMMITTING:
        raise NotInThisState
    *rows, last = batches.unpacked(batches.unseal(batch, "rows", batch.rows_sealed, at))
    texts = json.loads(last)[NOTICES]
    for _ in range(chunks) if chunks else itertools.count():
        if not _commit_chunk(batch, rows, texts, at, actor=actor):
            break
    batch.refresh_from_db()
    return batch


def _judged(
    batch: ImportBatch, sheet: EvidenceSheet, found: Findings, at: datetime
) -> Iterator[EvidenceRow]:
    judge, seen, done = Judge(partner=batch.partner, at=at), dict[bytes, int](), 0
    for lines in batches.in_chunks(sheet.rows(at), CHUNK_ROWS):
        readable = [row for line in lines if (row := _readable(line, seen, found))]
        for judged in judge.judge(readable):
            if isinstance(judged, RowProblem):
                found.problems.append(judged)
                continue
            found.stopped_rows += judged.outcome == STOPPED
            found.updated_rows += judged.outcome == KEPT
            found.new_rows += judged.outcome == TURNS
            if judged.outcome == TURNS:
                yield judged.row
        done += len(lines)
        ImportBatch.objects.filter(pk=batch.pk).update(done_rows=done)


def _readable(
    line: EvidenceRow | list[RowProblem], seen: dict[bytes, int], found: Findings
) -> EvidenceRow | None:
    if isinstance(line, list):
        found.problems += line
        return None
    if (first := seen.setdefault(line.place, line.number)) != line.number:
        words = f"Row {first} tells of the same person, purpose and channel."
        found.problems.append(evidence_lists.problem(line, "address", words))
        return None
    return line


def _lines(rows: Iterator[EvidenceRow], texts: dict[str, int]) -> Iterator[bytes]:
    for row in rows:
        values = dict(row.values)
        if text := values.pop("notice", ""):
            values["notice"] = str(texts.setdefault(text, len(texts)))
        # Without the names of the columns: of a hundred thousand lines they would be the most.
        yield json.dumps([row.number, *map(values.get, COLUMNS)]).encode()


def _texts(texts: dict[str, int]) -> Iterator[bytes]:
    yield json.dumps({NOTICES: list(texts)}).encode()


@transaction.atomic
def _commit_chunk(
    batch: ImportBatch, rows: Sequence[bytes], texts: Sequence[str], at: datetime, *, actor: Actor
) -> bool:
    now = batches.held(batch)
    if now is None:
        return False
    lines = rows[now.done_rows : now.done_rows + CHUNK_ROWS]
    chunk = [_opened(line, texts) for line in lines]
    judge = Judge(partner=now.partner, at=at)
    turning = [
        row
        for row in judge.judge(chunk, hold=True)
        if isinstance(row, Judged) and row.outcome == TURNS
    ]
    writer = evidence_rows.Writer(judge=judge, file_sha256=now.file_sha256, at=at, actor=actor)
    if lost := len(chunk) - writer.write(turning):
        # Stopped, withdrawn or agreed by themselves since the check.
        ImportBatch.objects.filter(pk=now.pk).update(new_rows=F("new_rows") - lost)
        now.new_rows -= lost
    done = now.done_rows + len(chunk)
    return batches.passed(batch=now, done=done, of=len(rows), at=at, actor=actor)


def _opened(line: bytes, texts: Sequence[str]) -> EvidenceRow:
    number, *cells = json.loads(line)
    values = {name: cell for name, cell in zip(COLUMNS, cells, strict=True) if cell is not None}
    if "notice" in values:
        values["notice"] = texts[int(values["notice"])]
    return EvidenceRow(number, values)
