"""The door of evidence: the only module that appends to the trail (promise 7).

A leaf is written in the caller's own transaction. One sealer then orders the leaves, chains them
in blocks and signs each block, so that writers never wait for one another.
"""

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db import connection, transaction
from django.db.models import Max

from accounts import ring
from accounts.models import TrailEntry, TrailLeaf, TrailSeal, User
from config.lib import bulk, canonical, crypto, merkle

GENESIS = "0" * 64
BLOCK_LEAVES = 4096
# Two sealers must not make one block twice; the number is only a name for the lock.
SEALER_LOCK = 0x5EA1
ACTION = re.compile(r"^[a-z]+(\.[a-z_]+){2,3}$")
# Ids, codes, counts and hashes. No space and no @: a name or an address does not fit.
VALUE = re.compile(r"^[A-Za-z0-9_.:/+=*,-]{0,160}$")

Detail = str | int | bool | None | Sequence[str]


class NotForTheTrail(ValueError):
    """The entry holds something that is not an id, a code, a count or a hash."""


@dataclass(frozen=True)
class Actor:
    """Who acted; `id` is the id of a row or a code, never a name or an address."""

    kind: Literal["staff", "partner", "recipient", "provider", "system"]
    id: str


SYSTEM = Actor("system", "sealcast")


def staff(user: User | None) -> Actor:
    """Return a member of staff as an actor, or the house where nobody asked."""
    return Actor("staff", str(user.pk)) if user else SYSTEM


def record(
    *,
    action: str,
    at: datetime,
    actor: Actor,
    subject_id: uuid.UUID | None = None,
    object_type: str = "",
    object_id: str = "",
    details: Mapping[str, Detail] | None = None,
) -> TrailLeaf:
    """Append one act to the trail, in the caller's transaction.

    :raises NotForTheTrail: the action has no dotted name, or a detail is not an id or a code.
    """
    row = leaf(
        action=action,
        at=at,
        actor=actor,
        subject_id=subject_id,
        object_type=object_type,
        object_id=object_id,
        details=details,
    )
    row.save(force_insert=True)
    return row


def leaf(
    *,
    action: str,
    at: datetime,
    actor: Actor,
    subject_id: uuid.UUID | None = None,
    object_type: str = "",
    object_id: str = "",
    details: Mapping[str, Detail] | None = None,
) -> TrailLeaf:
    """Prepare an act for `record_many`, unsaved.

    :raises NotForTheTrail: as `record`.
    """
    if not ACTION.match(action):
        raise NotForTheTrail("an action is named app.noun.past_participle")
    row = bulk.row(
        TrailLeaf,
        uid=uuid.uuid4(),
        at=at,
        action=action,
        actor_kind=actor.kind,
        actor_id=_code(actor.id),
        subject_id=subject_id,
        object_type=object_type,
        object_id=object_id,
        details={name: _allowed(value) for name, value in (details or {}).items()},
    )
    row.leaf_hash = canonical.digest(content(row))
    return row


def record_many(leaves: Iterable[TrailLeaf]) -> None:
    """Append prepared acts in one statement, in the caller's transaction."""
    bulk.insert(list(leaves))


def content(row: TrailLeaf) -> dict[str, object]:
    """Return the content of a leaf as it is hashed and as a proof carries it."""
    return {
        "uid": str(row.uid),
        "at": canonical.instant(row.at),
        "action": row.action,
        "actor": {"kind": row.actor_kind, "id": row.actor_id},
        "subject": str(row.subject_id) if row.subject_id else None,
        "object": {"type": row.object_type, "id": row.object_id},
        "details": row.details,
    }


def entry_content(entry: TrailEntry, leaf_hash: str) -> dict[str, object]:
    """Return what the Merkle tree binds: the leaf, its place among all and its subject's."""
    return {
        "leaf": leaf_hash,
        "position": entry.position,
        "subject_number": entry.subject_number,
        "subject_previous": entry.subject_previous_hash,
    }


def header(seal: TrailSeal) -> dict[str, object]:
    """Return the header of a block as it is hashed and signed."""
    return {
        "number": seal.number,
        "sealed_at": canonical.instant(seal.sealed_at),
        "first_position": seal.first_position,
        "leaf_count": seal.leaf_count,
        "merkle_root": seal.merkle_root,
        "previous": seal.previous_hash,
        "signing_id": seal.signing_id,
    }


def seal(*, at: datetime) -> int:
    """Order, chain and sign every leaf that has no place yet; return how many."""
    sealed = 0
    while count := _seal_block(at):
        sealed += count
    return sealed


def unsealed() -> int:
    """Count the leaves that no signed block holds yet."""
    return TrailLeaf.objects.filter(entry=None).count()


def head() -> TrailSeal | None:
    """Return the newest signed block, if there is one."""
    return TrailSeal.objects.order_by("-number").first()


def public_key() -> tuple[str, str]:
    """Return the id and the hex of the key that signs the trail."""
    held = ring.current()
    return held.signing_id, crypto.public_key(seed=held.signing_seed).hex()


def sign(document: Mapping[str, object]) -> dict[str, str]:
    """Sign a document's canonical bytes with the key of the trail."""
    held = ring.current()
    signature = crypto.sign(seed=held.signing_seed, message=canonical.encode(document))
    return {
        "signing_id": held.signing_id,
        "public_key": crypto.public_key(seed=held.signing_seed).hex(),
        "signature": signature.hex(),
    }


def is_signed(*, message: bytes, signature: str, signing_id: str) -> bool:
    """Say whether the key of the trail made this signature."""
    held = ring.current()
    try:
        raw = bytes.fromhex(signature)
    except ValueError:
        return False
    public = crypto.public_key(seed=held.signing_seed)
    return signing_id == held.signing_id and crypto.signature_holds(
        public=public, signature=raw, message=message
    )


def _allowed(value: Detail) -> Detail:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return _code(value)
    return [_code(str(part)) for part in value]


def _code(text: str) -> str:
    if VALUE.match(text):
        return text
    # The text is not repeated: it may be the personal value that must not be here.
    raise NotForTheTrail("a detail is an id, a code, a count or a hash")


@transaction.atomic
def _seal_block(at: datetime) -> int:
    if not _may_seal():
        return 0
    leaves = list(TrailLeaf.objects.filter(entry=None).order_by("id")[:BLOCK_LEAVES])
    if not leaves:
        return 0
    previous = head()
    first = previous.first_position + previous.leaf_count if previous else 1
    entries = _place(leaves, first)
    held = ring.current()
    block = TrailSeal(
        number=previous.number + 1 if previous else 1,
        sealed_at=at,
        first_position=first,
        leaf_count=len(leaves),
        merkle_root=merkle.root([entry.entry_hash for entry in entries]),
        previous_hash=previous.seal_hash if previous else GENESIS,
        signing_id=held.signing_id,
    )
    block.seal_hash = canonical.digest(header(block))
    block.signature = crypto.sign(seed=held.signing_seed, message=block.seal_hash.encode()).hex()
    block.save(force_insert=True)
    for entry in entries:
        entry.seal = block
    TrailEntry.objects.bulk_create(entries)
    return len(leaves)


def _may_seal() -> bool:
    # SQLite's IMMEDIATE transaction lets one writer in at a time; PostgreSQL needs a lock.
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [SEALER_LOCK])
        row = cursor.fetchone()
    return bool(row and row[0])


def _place(leaves: Sequence[TrailLeaf], first: int) -> list[TrailEntry]:
    last = _next_of_subjects({leaf.subject_id for leaf in leaves if leaf.subject_id})
    entries = []
    for position, row in enumerate(leaves, start=first):
        entry = TrailEntry(position=position, leaf=row, subject_id=row.subject_id)
        if row.subject_id:
            entry.subject_number, entry.subject_previous_hash = last.get(
                row.subject_id, (1, GENESIS)
            )
        entry.entry_hash = canonical.digest(entry_content(entry, row.leaf_hash))
        if row.subject_id and entry.subject_number:
            last[row.subject_id] = (entry.subject_number + 1, entry.entry_hash)
        entries.append(entry)
    return entries


def _next_of_subjects(subjects: set[uuid.UUID]) -> dict[uuid.UUID, tuple[int, str]]:
    newest = (
        TrailEntry.objects.filter(subject_id__in=subjects)
        .values("subject_id")
        .annotate(newest=Max("position"))
        .values_list("newest", flat=True)
    )
    rows = TrailEntry.objects.filter(position__in=list(newest))
    return {
        row.subject_id: ((row.subject_number or 0) + 1, row.entry_hash)
        for row in rows
        if row.subject_id
    }
