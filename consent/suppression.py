"""Which address must not be written to? Kept by a keyed hash, so that erasure does not lift it."""

from collections.abc import Iterable
from datetime import datetime

from accounts import audit, keys
from consent import addresses, contacts
from consent.models import Channel, Contact, Suppression


def suppress(
    *,
    channel: str,
    reason: str,
    at: datetime,
    contact: Contact | None = None,
    address: str = "",
) -> Suppression | None:
    """Put an address on the list, by itself or as a contact's; return None if there is none.

    Law: GDPR Art. 21(3); 47 CFR 64.1200(d)(6); CAN-SPAM, 15 USC 7704(a)(4).
    """
    if contact is not None:
        try:
            address = contacts.address(contact=contact, channel=channel, at=at)
        except contacts.NoAddress:
            return None
    row, is_new = Suppression.objects.get_or_create(
        address_index=index(channel=channel, address=address),
        channel=channel,
        lifted_at=None,
        defaults={"reason": reason, "created_at": at},
    )
    if is_new:
        _note("consent.suppression.added", row, contact, at)
    return row


def is_suppressed(*, channel: str, address_index: str) -> bool:
    """Say whether an address, given by its index, is on the list."""
    return bool(in_force(channel=channel, indexes=[address_index]))


def in_force(*, channel: str, indexes: Iterable[str]) -> set[str]:
    """Return which of these indexes are on the list of a channel."""
    rows = Suppression.objects.filter(
        channel=channel, lifted_at=None, address_index__in=list(indexes)
    )
    return set(rows.values_list("address_index", flat=True))


def lift(*, contact: Contact, channel: str, at: datetime, reason: str = "") -> bool:
    """Take a contact's address off the list; return whether it was on it.

    Only the person's own acts call this: `consent.ledger` on a confirmation, and the page of their
    choices for a stop of that same page, which is the `reason`.
    Law: no import, edit or other system may undo a person's objection (GDPR Art. 21(3)).
    """
    try:
        address = contacts.address(contact=contact, channel=channel, at=at)
    except contacts.NoAddress:
        return False
    held = Suppression.objects.filter(
        address_index=index(channel=channel, address=address), channel=channel, lifted_at=None
    ).first()
    if held is None or (reason and held.reason != reason):
        return False
    held.lifted_at = at
    held.save(update_fields=["lifted_at"])
    _note("consent.suppression.lifted", held, contact, at)
    return True


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


def _note(action: str, row: Suppression, contact: Contact | None, at: datetime) -> None:
    audit.record(
        action=action,
        at=at,
        actor=audit.SYSTEM,
        subject_id=contact.id if contact else None,
        object_type="consent.suppression",
        object_id=str(row.pk),
        details={"channel": row.channel, "reason": row.reason},
    )
