"""The door to plaintext: the only module that seals and opens what is personal or secret.

Every storey above calls it. It refuses a key that is past its `delete_at`, destroyed, or whose
parent is: retention holds even when no worker runs (promise 6).
"""

import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import BinaryIO

from django.db import models, transaction

from accounts import audit, ring
from accounts.models import DataKey
from config.lib import bulk, crypto, sealed_stream

# Seals (plaintext, context) under one key.
Seal = Callable[[bytes, str], bytes]
# By so much a sealed value is longer than what it holds.
ENVELOPE_BYTES = crypto.ENVELOPE_BYTES


class KeyRefused(Exception):
    """The key does not open."""


class KeyExpired(KeyRefused):
    """The key is past its `delete_at`."""


class KeyDestroyed(KeyRefused):
    """The key was destroyed."""


class SealBroken(KeyRefused):
    """What was sealed has been changed or moved."""


class _Opener(sealed_stream.Opener):
    def range(self, start: int, end: int) -> Iterator[bytes]:
        try:
            yield from super().range(start, end)
        except crypto.SealBroken:
            raise SealBroken("stream") from None

    def check(self) -> None:
        try:
            super().check()
        except crypto.SealBroken:
            raise SealBroken("stream") from None


def create(
    *,
    scope: DataKey.Scope,
    owner_id: uuid.UUID,
    at: datetime,
    delete_at: datetime | None = None,
    parent: DataKey | None = None,
) -> DataKey:
    """Make a data key, wrapped under its parent or under the primary root key."""
    row = prepare(scope=scope, owner_id=owner_id, at=at, delete_at=delete_at, parent=parent)
    row.save(force_insert=True)
    return row


def prepare(
    *,
    scope: DataKey.Scope,
    owner_id: uuid.UUID,
    at: datetime,
    delete_at: datetime | None = None,
    parent: DataKey | None = None,
) -> DataKey:
    """Make a data key as `create` does, unsaved: for writers of thousands of rows."""
    row = bulk.row(
        DataKey,
        scope=scope,
        owner_id=owner_id,
        parent=parent,
        created_at=at,
        delete_at=delete_at,
    )
    row.root_key_id = "" if parent else ring.current().primary_id
    wrapping = _material(key=parent, at=at) if parent else ring.current().root(row.root_key_id)
    row.wrapped = crypto.seal(key=wrapping, plaintext=crypto.new_key(), context=_place(row))
    return row


def seal(*, key: DataKey, plaintext: bytes, context: str, at: datetime) -> bytes:
    """Seal a value under a data key to its place (`table.column:row id`).

    :raises KeyRefused: the key is expired or destroyed.
    """
    return crypto.seal(key=_material(key=key, at=at), plaintext=plaintext, context=context)


def sealer(*, key: DataKey, at: datetime) -> Seal:
    """Return what seals (plaintext, context) as `seal` does, the key unwrapped once.

    :raises KeyRefused: the key is expired or destroyed.
    """
    return crypto.sealer(key=_material(key=key, at=at))


def unseal(*, key: DataKey, sealed: bytes, context: str, at: datetime) -> bytes:
    """Open a value at its place.

    :raises KeyRefused: the key is expired or destroyed, or the value was changed or moved.
    """
    try:
        return crypto.unseal(key=_material(key=key, at=at), sealed=sealed, context=context)
    except crypto.SealBroken:
        raise SealBroken(context.partition(":")[0]) from None


def reveal(
    *, key: DataKey, sealed: bytes, context: str, at: datetime, staff: audit.Actor, reason: str
) -> bytes:
    """Open a person's value for a member of staff and put the opening in the trail.

    `reason` is a code such as `timeline` or `preview`.
    :raises KeyRefused: as `unseal`.
    """
    value = unseal(key=key, sealed=sealed, context=context, at=at)
    audit.record(
        action="accounts.plaintext.revealed",
        at=at,
        actor=staff,
        subject_id=key.owner_id if key.scope == DataKey.Scope.PERSON else None,
        details={"place": context.partition(":")[0], "reason": reason},
    )
    return value


def seal_stream(
    *, key: DataKey, source: BinaryIO, context: str, at: datetime
) -> sealed_stream.Sealer:
    """Return what seals a stream in chunks while it is walked; see `config.lib.sealed_stream`.

    :raises KeyRefused: the key is expired or destroyed.
    """
    material = _material(key=key, at=at)
    return sealed_stream.Sealer(key=material, source=source, context=context)


def open_stream(
    *,
    key: DataKey,
    read: Callable[[int, int], bytes],
    size_bytes: int,
    context: str,
    at: datetime,
) -> sealed_stream.Opener:
    """Return an opener for ranges of a sealed stream; `read(start, length)` brings ciphertext.

    :raises KeyRefused: the key is expired or destroyed, or the stream was changed or moved;
        a chunk is judged when it is read.
    """
    material = _material(key=key, at=at)
    try:
        return _Opener(key=material, read=read, size_bytes=size_bytes, context=context)
    except crypto.SealBroken:
        raise SealBroken("stream") from None


@transaction.atomic
def destroy(*, key: DataKey, at: datetime) -> None:
    """Destroy a key's material; what it sealed is unreadable from now on, backups of data included.

    Law: NIST SP 800-88r2, cryptographic erase.
    """
    # Two statements in one, so that a race leaves one destruction in the trail.
    changed = DataKey.objects.filter(pk=key.pk, destroyed_at=None).update(
        wrapped=None, destroyed_at=at
    )
    if changed:
        audit.record(
            action="accounts.key.destroyed",
            at=at,
            actor=audit.SYSTEM,
            subject_id=key.owner_id if key.scope == DataKey.Scope.PERSON else None,
            object_type="accounts.datakey",
            object_id=str(key.pk),
            details={"scope": key.scope},
        )
    key.refresh_from_db()


@transaction.atomic
def expire_at(
    *, key: DataKey, delete_at: datetime | None, at: datetime, actor: audit.Actor, reason: str
) -> None:
    """Set the instant from which a key no longer opens; `None` keeps it open, for a hold.

    A key that is past its time already stays shut: nothing is brought back.
    :raises KeyExpired: it is past its time.
    :raises KeyDestroyed: there is nothing left to keep.
    """
    held = DataKey.objects.select_for_update(of=("self",)).get(pk=key.pk)
    if held.destroyed_at is not None:
        raise KeyDestroyed
    if held.delete_at is not None and held.delete_at <= at:
        raise KeyExpired
    DataKey.objects.filter(pk=key.pk).update(delete_at=delete_at)
    audit.record(
        action="accounts.key.expiry_set",
        at=at,
        actor=actor,
        subject_id=key.owner_id if key.scope == DataKey.Scope.PERSON else None,
        object_type="accounts.datakey",
        object_id=str(key.pk),
        details={"delete_at": delete_at.isoformat() if delete_at else None, "reason": reason},
    )
    key.refresh_from_db()


def opens(*, key: DataKey, at: datetime) -> bool:
    """Say whether a key would open at this instant."""
    try:
        _material(key=key, at=at)
    except KeyRefused:
        return False
    return True


def openable(*, at: datetime) -> models.Q:
    """Return the condition under which a `DataKey` row opens, its parent included."""
    alive = models.Q(destroyed_at=None) & (models.Q(delete_at=None) | models.Q(delete_at__gt=at))
    parent = models.Q(parent=None) | (
        models.Q(parent__destroyed_at=None)
        & (models.Q(parent__delete_at=None) | models.Q(parent__delete_at__gt=at))
    )
    return alive & parent


def seal_secret(*, plaintext: bytes, context: str) -> bytes:
    """Seal a secret of the house itself (credentials, a second factor) under the primary root."""
    held = ring.current()
    derived = crypto.derive(key=held.root(held.primary_id), label="house-secret")
    name = held.primary_id.encode()
    body = crypto.seal(key=derived, plaintext=plaintext, context=context)
    return bytes([len(name)]) + name + body


def unseal_secret(*, sealed: bytes, context: str) -> bytes:
    """Open a secret of the house.

    :raises KeyRefused: it was changed or moved.
    :raises keyring.KeyringUnavailable: the ring lacks the root key it names.
    """
    size = sealed[0] if sealed else 0
    root_id, body = sealed[1 : 1 + size].decode(errors="replace"), sealed[1 + size :]
    derived = crypto.derive(key=ring.current().root(root_id), label="house-secret")
    try:
        return crypto.unseal(key=derived, sealed=body, context=context)
    except crypto.SealBroken:
        raise SealBroken(context) from None


def blind_index(*, realm: str, value: str) -> str:
    """Return the keyed hash by which a normalised address is looked up in its realm."""
    return crypto.keyed_hash(key=ring.current().index_pepper, label=realm, value=value)


def blind_indexes(*, realm: str, values: Iterable[str]) -> dict[str, str]:
    """Return the keyed hashes of many values of one realm, by value."""
    once = list(set(values))
    hashed = crypto.keyed_hashes(key=ring.current().index_pepper, label=realm, values=once)
    return dict(zip(once, hashed, strict=True))


def suppression_index(*, channel: str, value: str) -> str:
    """Return the keyed hash of a suppressed address; its pepper outlives the person's key."""
    return crypto.keyed_hash(key=ring.current().suppression_pepper, label=channel, value=value)


def token_index(*, kind: str, token: str) -> str:
    """Return the keyed hash under which a token is stored; the token itself never is."""
    return crypto.keyed_hash(key=ring.current().link_pepper, label=kind, value=token)


def _place(row: DataKey) -> str:
    return f"accounts_datakey.wrapped:{row.pk}"


def _material(*, key: DataKey, at: datetime) -> bytes:
    if key.destroyed_at is not None or key.wrapped is None:
        raise KeyDestroyed
    if key.delete_at is not None and key.delete_at <= at:
        raise KeyExpired
    parent = key.parent
    wrapping = _material(key=parent, at=at) if parent else ring.current().root(key.root_key_id)
    try:
        return crypto.unseal(key=wrapping, sealed=bytes(key.wrapped), context=_place(key))
    except crypto.SealBroken:
        raise SealBroken("accounts_datakey.wrapped") from None
