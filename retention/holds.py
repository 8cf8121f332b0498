"""What must not be deleted, and until whose word? A hold also keeps what it holds readable."""

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from accounts import audit, keys
from accounts.models import DataKey, User
from config.lib.inventory import Due
from consent import contacts
from consent.models import Contact, Message
from retention.models import HOLD_REASONS, Hold, KeptKey, SubjectRequest
from videos.models import Asset

CONTACT = "contact"
REASONS = HOLD_REASONS
# A case number: letters, digits and a few signs, no spaces, so that no name slips in.
REFERENCE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9./_-]{0,39}$")


class HoldRefused(Exception):
    """The hold cannot be placed; the text says why, in words fit for a page."""


class AlreadyHeld(HoldRefused):
    """A hold is in force on it."""


class NothingToHold(HoldRefused):
    """There is no such record, or it is gone already."""


class NotHeld(Exception):
    """The hold was released before."""


@dataclass(frozen=True)
class InForce:
    """The holds of one instant, ready to be asked about thousands of records."""

    contacts: frozenset[uuid.UUID]
    items: frozenset[tuple[str, str]]
    # Persons of whom one item is held: the rest of theirs may go by its label, they may not.
    owners: frozenset[uuid.UUID]
    # Renders whose shared bytes a held video still needs.
    renders: frozenset[str]

    def covers(self, item: Due) -> bool:
        """Say whether a hold stops the deletion of a record."""
        if item.contact_id in self.contacts or (item.record_class, item.object_id) in self.items:
            return True
        if item.record_class == CONTACT:
            return item.contact_id in self.owners
        return item.record_class == "campaign_media" and item.object_id in self.renders


def in_force() -> InForce:
    """Return the holds that are in force."""
    rows = list(Hold.objects.filter(released_at=None))
    contacts_held = {row.object_id for row in rows if row.record_class == CONTACT}
    assets = {row.object_id for row in rows if row.record_class == "asset"}
    shared = Asset.objects.filter(Q(pk__in=assets) | Q(contact_id__in=contacts_held))
    return InForce(
        contacts=frozenset(contacts_held),
        items=frozenset((row.record_class, str(row.object_id)) for row in rows),
        owners=frozenset(row.contact_id for row in rows if row.contact_id),
        renders=frozenset(str(pk) for pk in shared.values_list("render_id", flat=True)),
    )


def is_held(*, contact_id: uuid.UUID) -> bool:
    """Say whether a hold keeps this person from being erased."""
    return Hold.objects.filter(contact_id=contact_id, released_at=None).exists()


@transaction.atomic
def place(
    *,
    record_class: str,
    object_id: uuid.UUID,
    reason: str,
    at: datetime,
    staff: User | None,
    reference: str = "",
) -> Hold:
    """Stop the deletion of a person or an item and keep its keys open past their time.

    What is past its time already stays shut, and only stays undeleted. Links end as they did.
    Law: FRCP 37(e); GDPR Art. 17(3)(e) and 18(1)(c).
    :raises HoldRefused: no such reason or reference, nothing there, or a hold is in force on it.
    """
    if reason not in REASONS or (reference and not REFERENCE.match(reference)):
        raise HoldRefused("Choose a reason; a case number has no spaces. No hold was placed.")
    contact = contacts.lock(contact_id=_owner(record_class, object_id))
    if contact.erased_at or contact.key.destroyed_at:
        raise NothingToHold("This person was erased already. There is nothing to hold.")
    if Hold.objects.filter(record_class=record_class, object_id=object_id, released_at=None):
        raise AlreadyHeld("A hold is in force on it already.")
    hold = Hold.objects.create(
        record_class=record_class,
        object_id=object_id,
        contact_id=contact.id,
        reason="/".join(filter(None, [reason, reference])),
        placed_by=staff,
        placed_at=at,
    )
    _record("retention.hold.placed", hold, at=at, staff=staff)
    _keep_keys(hold, at=at, staff=staff)
    return hold


@transaction.atomic
def release(*, hold: Hold, at: datetime, staff: User | None) -> Hold:
    """Let a hold go: keys end when they would have, and deferred erasures are open again.

    :raises NotHeld: it was released before.
    """
    changed = Hold.objects.filter(pk=hold.pk, released_at=None).update(
        released_at=at, released_by=staff
    )
    if not changed:
        raise NotHeld
    hold.refresh_from_db()
    _record("retention.hold.released", hold, at=at, staff=staff)
    _let_keys_go(hold, at=at, staff=staff)
    if hold.contact_id and not is_held(contact_id=hold.contact_id):
        SubjectRequest.objects.filter(
            contact_id=hold.contact_id, state=SubjectRequest.State.DEFERRED
        ).update(state=SubjectRequest.State.OPEN)
    return hold


@transaction.atomic
def keep_new_keys(*, at: datetime) -> None:
    """Keep the keys that were made for what is on hold since the hold was placed."""
    for hold in Hold.objects.filter(released_at=None):
        _keep_keys(hold, at=at, staff=None)


def _owner(record_class: str, object_id: uuid.UUID) -> uuid.UUID:
    rows = {
        CONTACT: Contact.objects.filter(pk=object_id).values_list("pk"),
        "asset": Asset.objects.filter(pk=object_id, deleted_at=None).values_list("contact_id"),
        "message_body": Message.objects.filter(pk=object_id).values_list("contact_id"),
    }.get(record_class)
    if rows is None:
        raise HoldRefused("Only a person, a video or a message can be put on hold.")
    found = rows.first()
    if found is None:
        raise NothingToHold("There is no such record, or it is gone already.")
    return uuid.UUID(str(found[0]))


def _keys_of(hold: Hold) -> "Iterable[DataKey]":
    """Return every key that must stay open for what is on hold to stay readable."""
    if hold.contact_id is None:
        return []
    assets = Asset.objects.filter(contact_id=hold.contact_id, deleted_at=None)
    if hold.record_class == "asset":
        assets = assets.filter(pk=hold.object_id)
    wanted = Q(pk__in=Contact.objects.filter(pk=hold.contact_id).values("key_id"))
    if hold.record_class in {CONTACT, "asset"}:
        wanted |= Q(pk__in=assets.values("key_id")) | Q(pk__in=assets.values("campaign__key_id"))
    return DataKey.objects.filter(wanted, destroyed_at=None)


def _keep_keys(hold: Hold, *, at: datetime, staff: User | None) -> None:
    for key in _keys_of(hold):
        if key.delete_at is None or key.delete_at <= at:
            continue
        KeptKey.objects.update_or_create(key=key, defaults={"delete_at": key.delete_at})
        keys.expire_at(key=key, delete_at=None, at=at, actor=audit.staff(staff), reason="hold")


def _let_keys_go(hold: Hold, *, at: datetime, staff: User | None) -> None:
    others = Hold.objects.filter(released_at=None, contact_id__isnull=False)
    still_needed = {key.pk for other in others for key in _keys_of(other)}
    mine = {key.pk for key in _keys_of(hold)} - still_needed
    for kept in KeptKey.objects.filter(pk__in=mine).select_related("key"):
        keys.expire_at(
            key=kept.key,
            delete_at=kept.delete_at,
            at=at,
            actor=audit.staff(staff),
            reason="hold_released",
        )
        kept.delete()


def _record(action: str, hold: Hold, *, at: datetime, staff: User | None) -> None:
    audit.record(
        action=action,
        at=at,
        actor=audit.staff(staff),
        subject_id=hold.contact_id,
        object_type="retention.hold",
        object_id=str(hold.pk),
        details={
            "record_class": hold.record_class,
            "item": str(hold.object_id),
            "reason": hold.reason,
        },
    )
