"""Which address must not be written to? Kept by a keyed hash, so that erasure does not lift it."""

import uuid
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from accounts import audit, keys
from accounts.models import TrailLeaf
from consent import addresses, contacts
from consent.models import Channel, Contact, Suppression

# Held back until a person has read the answer; every other reason stands by itself.
PROVISIONAL = "inbound_unsure"
CONFIRMED, NOT_A_STOP = "confirmed", "not_a_stop"


def suppress(
    *,
    channel: str,
    reason: str,
    at: datetime,
    contact: Contact | None = None,
    address: str = "",
) -> Suppression | None:
    """Put an address on the list, by itself or as a contact's; return None if there is none.

    What was provisional stands for good once there is another reason.
    Law: GDPR Art. 21(3); 47 CFR 64.1200(d)(6); CAN-SPAM, 15 USC 7704(a)(4).
    """
    if contact is not None:
        try:
            address = contacts.address(contact=contact, channel=channel, at=at)
        except contacts.NoAddress:
            return None
    hashed = index(channel=channel, address=address)
    _harden(channel, hashed, reason, contact, at)
    row, is_new = Suppression.objects.get_or_create(
        address_index=hashed,
        channel=channel,
        lifted_at=None,
        defaults={"reason": reason, "created_at": at},
    )
    if is_new:
        _note("consent.suppression.added", row, contact, at)
    return row


def suppress_many(
    *, people: Mapping[tuple[str, str], uuid.UUID], reason: str, at: datetime
) -> None:
    """Put many addresses, by (channel, index) and whose they are, on the list in few statements."""
    indexes = {index for _, index in people}
    before = Suppression.objects.filter(address_index__in=indexes, lifted_at=None)
    before.filter(reason=PROVISIONAL).update(reason=reason)
    there = set(before.values_list("channel", "address_index"))
    fresh = [
        Suppression(channel=channel, address_index=index, reason=reason, created_at=at)
        for channel, index in sorted(set(people) - there)
    ]
    # Who says stop at this very instant is on the list by their own word.
    Suppression.objects.bulk_create(fresh, batch_size=500, ignore_conflicts=True)
    written = Suppression.objects.filter(
        address_index__in=indexes, lifted_at=None, created_at=at, reason=reason
    )
    audit.record_many(
        _leaf("consent.suppression.added", row, people.get((row.channel, row.address_index)), at)
        for row in written
    )


def is_suppressed(*, channel: str, address_index: str) -> bool:
    """Say whether an address, given by its index, is on the list."""
    return bool(in_force(channel=channel, indexes=[address_index]))


def in_force(*, channel: str, indexes: Iterable[str]) -> set[str]:
    """Return which of these indexes are on the list of a channel."""
    rows = Suppression.objects.filter(
        channel=channel, lifted_at=None, address_index__in=list(indexes)
    )
    return set(rows.values_list("address_index", flat=True))


def reasons(*, indexes: Collection[str]) -> set[tuple[str, str]]:
    """Return where addresses, given by their indexes, are on a list: (channel, reason)."""
    rows = Suppression.objects.filter(address_index__in=indexes, lifted_at=None)
    return set(rows.values_list("channel", "reason"))


def lift(*, contact: Contact, channel: str, at: datetime) -> bool:
    """Take a contact's address off the list; only `consent.ledger` calls this, on a confirmation.

    Law: no import, edit or other system may undo a person's objection (GDPR Art. 21(3)).
    """
    try:
        address = contacts.address(contact=contact, channel=channel, at=at)
    except contacts.NoAddress:
        return False
    held = Suppression.objects.filter(
        address_index=index(channel=channel, address=address), channel=channel, lifted_at=None
    ).first()
    if held is None:
        return False
    _lift(held, CONFIRMED, contact, at)
    return True


def release(*, channel: str, address_index: str, at: datetime) -> bool:
    """Let go what was held back provisionally and was no stop; only `consent.reviews` calls this.

    Whatever else holds an address, stays.
    """
    held = (
        Suppression.objects.select_for_update()
        .filter(address_index=address_index, channel=channel, lifted_at=None, reason=PROVISIONAL)
        .first()
    )
    if held is None:
        return False
    _lift(held, NOT_A_STOP, None, at)
    return True


def ended_by(row: Suppression) -> str:
    """Return how an entry ended: `confirmed` by the person, or `not_a_stop` once it was read."""
    return row.lifted_by


def stand(*, row: Suppression, reason: str, at: datetime) -> None:
    """Make a provisional entry stand for good, where the address itself is not known any more."""
    _harden(row.channel, row.address_index, reason, None, at)


def index(*, channel: str, address: str) -> str:
    """Return the keyed hash of an address on a channel.

    What is no address at all is hashed as it stands: a stop from it must still hold.
    """
    clean = addresses.clean_email if channel == Channel.EMAIL else addresses.clean_phone
    try:
        value = clean(address)
    except addresses.NotAContact:
        value = address.strip().lower()
    return index_of(channel=channel, value=value)


def index_of(*, channel: str, value: str) -> str:
    """Return the keyed hash of a normalised address."""
    return keys.suppression_index(channel=channel, value=value)


def _harden(
    channel: str, address_index: str, reason: str, contact: Contact | None, at: datetime
) -> None:
    if reason == PROVISIONAL:
        return
    held = Suppression.objects.filter(
        channel=channel, address_index=address_index, lifted_at=None, reason=PROVISIONAL
    )
    # One statement: an officer who lets the same row go at this instant comes before or after it.
    if held.update(reason=reason):
        row = Suppression.objects.get(channel=channel, address_index=address_index, lifted_at=None)
        _note("consent.suppression.hardened", row, contact, at)


def _lift(row: Suppression, by: str, contact: Contact | None, at: datetime) -> None:
    row.lifted_at, row.lifted_by = at, by
    row.save(update_fields=["lifted_at", "lifted_by"])
    _note("consent.suppression.lifted", row, contact, at)


def _note(action: str, row: Suppression, contact: Contact | None, at: datetime) -> None:
    audit.record_many([_leaf(action, row, contact.id if contact else None, at)])


def _leaf(action: str, row: Suppression, subject_id: uuid.UUID | None, at: datetime) -> TrailLeaf:
    return audit.leaf(
        action=action,
        at=at,
        actor=audit.SYSTEM,
        subject_id=subject_id,
        object_type="consent.suppression",
        object_id=str(row.pk),
        details={"channel": row.channel, "reason": row.reason, "lifted_by": row.lifted_by},
    )
