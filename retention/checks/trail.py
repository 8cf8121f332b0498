"""Promise 7: is the trail whole, in order, signed, and out of reach of a plain UPDATE?"""

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Max

from accounts import audit
from accounts.models import TrailEntry, TrailLeaf, TrailSeal
from config.lib import append_only, canonical, merkle
from retention import certificates, witness
from retention.checks import told
from retention.checks.tally import Tally
from retention.models import Certificate

# The sealer comes every minute; what waits longer shows that it stands still.
UNSEALED_FOR = timedelta(minutes=30)
# Superusers, and whoever may act as the owner, can do anything: they migrate and do not serve.
CHANGERS = """SELECT rolname, relname,
    coalesce(has_table_privilege(pg_roles.oid, pg_class.oid, 'UPDATE, DELETE, TRUNCATE'), false)
FROM pg_class CROSS JOIN pg_roles
WHERE relname = ANY(%s) AND relnamespace = current_schema()::regnamespace
    AND rolcanlogin AND NOT rolsuper AND NOT pg_has_role(pg_roles.oid, relowner, 'MEMBER')
ORDER BY 1, 2"""
LastActs = dict[uuid.UUID, tuple[int, str]]


def check(*, at: datetime) -> Iterator[Tally]:
    """Yield what was found about the trail and the certificates."""
    entries, blocks = (
        Tally("each entry is as it was written, in its place"),
        Tally("each block is signed and follows the one before"),
    )
    before: TrailSeal | None = None
    for seal in TrailSeal.objects.order_by("number").iterator(chunk_size=100):
        blocks.saw()
        _check_block(seal, before, blocks)
        _check_entries(seal, entries, blocks)
        before = seal
    yield entries
    yield blocks
    yield _strays(before, at)
    yield _witnessed()
    yield _certificates()
    yield from told.check()
    yield _guards()
    if connection.vendor == "postgresql":
        yield _roles()


def _check_block(seal: TrailSeal, before: TrailSeal | None, tally: Tally) -> None:
    where = f"block {seal.number}"
    if canonical.digest(audit.header(seal)) != seal.seal_hash:
        tally.blame(f"{where}: its header was changed")
    message = seal.seal_hash.encode()
    if not audit.is_signed(message=message, signature=seal.signature, signing_id=seal.signing_id):
        tally.blame(f"{where}: its signature does not hold")
    number = before.number + 1 if before else 1
    position = before.first_position + before.leaf_count if before else 1
    previous = before.seal_hash if before else audit.GENESIS
    if (seal.number, seal.first_position, seal.previous_hash) != (number, position, previous):
        tally.blame(f"{where}: does not follow the block before it")


def _check_entries(seal: TrailSeal, tally: Tally, blocks: Tally) -> None:
    rows = TrailEntry.objects.filter(seal=seal).select_related("leaf").order_by("position")
    entries = list(rows)
    tally.saw(len(entries))
    places = [entry.position for entry in entries]
    first = seal.first_position
    if places != list(range(first, first + seal.leaf_count)):
        blocks.blame(f"block {seal.number}: entries are missing")
    last = _acts_before(first, {entry.subject_id for entry in entries if entry.subject_id})
    for entry in entries:
        _check_entry(entry, last, tally)
    hashes = [entry.entry_hash for entry in entries]
    if not hashes or merkle.root(hashes) != seal.merkle_root:
        blocks.blame(f"block {seal.number}: its entries are not those that were signed")


def _check_entry(entry: TrailEntry, last: LastActs, tally: Tally) -> None:
    where = f"trail entry {entry.position}"
    leaf_hash = canonical.digest(audit.content(entry.leaf))
    if leaf_hash != entry.leaf.leaf_hash or entry.subject_id != entry.leaf.subject_id:
        tally.blame(f"{where}: the act was changed")
    if canonical.digest(audit.entry_content(entry, leaf_hash)) != entry.entry_hash:
        tally.blame(f"{where}: its place was changed")
    if entry.subject_id is None:
        return
    number, previous = last.get(entry.subject_id, (0, audit.GENESIS))
    if (entry.subject_number, entry.subject_previous_hash) != (number + 1, previous):
        tally.blame(f"{where}: does not follow the person's act before it")
    last[entry.subject_id] = (entry.subject_number or 0, entry.entry_hash)


def _acts_before(position: int, subjects: set[uuid.UUID]) -> LastActs:
    before = TrailEntry.objects.filter(position__lt=position, subject_id__in=subjects)
    newest = before.order_by().values("subject_id").annotate(newest=Max("position"))
    rows = TrailEntry.objects.filter(position__in=list(newest.values_list("newest", flat=True)))
    return {
        row.subject_id: (row.subject_number or 0, row.entry_hash) for row in rows if row.subject_id
    }


def _strays(head: TrailSeal | None, at: datetime) -> Tally:
    tally = Tally("each act has a place in the trail", rows=TrailLeaf.objects.count())
    end = head.first_position + head.leaf_count if head else 1
    for entry in TrailEntry.objects.filter(position__gte=end)[:10]:
        tally.blame(f"trail entry {entry.position}: stands in no block")
    late = TrailLeaf.objects.filter(entry=None, at__lt=at - UNSEALED_FOR)
    for leaf in late.order_by("id").iterator(chunk_size=500):
        tally.blame(f"act {leaf.uid}: was never entered, the sealer stands still")
    return tally


def _witnessed() -> Tally:
    tally = Tally("the newest block that was ever seen is still there", rows=1)
    if fault := witness.fault():
        tally.blame(fault)
    else:
        witness.note_head()
    return tally


def _certificates() -> Tally:
    tally = Tally("certificates are numbered, chained and signed")
    number, previous = 1, certificates.GENESIS
    for row in Certificate.objects.order_by("number").iterator(chunk_size=200):
        tally.saw()
        where = f"certificate {row.number}"
        signed = audit.is_signed(
            message=canonical.encode(row.document),
            signature=row.signature,
            signing_id=row.signing_id,
        )
        if canonical.digest(row.document) != row.document_hash or not signed:
            tally.blame(f"{where}: was changed")
        placed = (row.document["number"], row.document["previous"])
        if (row.number, row.previous_hash) != (number, previous) or placed != (number, previous):
            tally.blame(f"{where}: does not follow the one before it")
        number, previous = row.number + 1, row.document_hash
    return tally


def _guards() -> Tally:
    tally = Tally("the database refuses to change evidence", rows=len(append_only.TABLES))
    guarded = _guarded_tables()
    for table in append_only.TABLES:
        if table not in guarded:
            tally.blame(f"table {table}: nothing keeps its rows from being changed")
    return tally


def _roles() -> Tally:
    """Ask PostgreSQL who may change evidence beside the owner; SQLite has no roles."""
    tally = Tally("no role but the owner's may change evidence")
    with connection.cursor() as cursor:
        cursor.execute(CHANGERS, [sorted(append_only.TABLES)])
        rows: Sequence[tuple[str, str, bool]] = cursor.fetchall()
    for role, table, may_change in rows:
        tally.saw()
        if may_change:
            tally.blame(f"role {role}: may change rows of {table}")
    return tally


def _guarded_tables() -> set[str]:
    """Return the tables with a trigger for each of the ways to change a row."""
    sqlite = "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'"
    postgres = (
        "SELECT relname, tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
        "WHERE tgenabled <> 'D' AND NOT tgisinternal"
    )
    with connection.cursor() as cursor:
        cursor.execute(sqlite if connection.vendor == "sqlite" else postgres)
        rows: Sequence[tuple[str, str]] = cursor.fetchall()
    found = [table for table, name in rows if name.startswith("append_only_")]
    return {table for table in found if found.count(table) >= 2}
