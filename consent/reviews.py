"""Was it a stop? What reads like one and may be none is held back until an officer has read it.

The ledger is not touched meanwhile, so states and links stay; the gate refuses, since the person's
addresses are suppressed. Nothing lifts that but the person or the officer who has read the words.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from accounts import audit, roles
from accounts.audit import Actor
from accounts.models import User
from config.lib import ids
from consent import addresses, contacts, ledger, suppression
from consent.models import Channel, ConsentEvent, Contact, Review, Revocation
from integrations.models import InboxItem

State = Review.State
MAY_DECIDE = "consent.withdraw"
CALL_NOTE = "call_note"


class Decided(Exception):
    """An officer has decided this one already."""


def open_for(
    *, item: InboxItem, channel: str, sender: str, people: Iterable[Contact], at: datetime
) -> Review:
    """Hold back a person whose answer may be a stop, on every channel, and ask an officer.

    Each such answer gets a review of its own: while one is open, nothing is let go.
    Law: 47 CFR 64.1200(a)(10): unclear wording is judged by a reasonable person.
    """
    people = list(people)
    said = suppression.suppress(
        channel=channel, reason=suppression.PROVISIONAL, at=at, address=sender
    )
    for person in people:
        for other in Channel.values:
            suppression.suppress(
                contact=person, channel=other, reason=suppression.PROVISIONAL, at=at
            )
    review = Review.objects.create(item=item, suppression=said, channel=channel, created_at=at)
    _note("opened", review, people, at, audit.SYSTEM)
    return review


def waiting() -> QuerySet[Review]:
    """Return the reviews nobody has decided, the oldest first."""
    return (
        Review.objects.filter(state=State.OPEN)
        .select_related("item", "suppression")
        .order_by("created_at", "pk")
    )


@transaction.atomic
def words(*, review: Review, at: datetime, staff: Actor) -> str:
    """Open what a person wrote, for a member of staff; the opening stands in the trail.

    Empty when the words are past their time: what was held back stays held back.
    """
    body = review.item.body_sealed
    audit.record(
        action="accounts.plaintext.revealed",
        at=at,
        actor=staff,
        subject_id=next((person.id for person in _people(review)), None),
        object_type="consent.review",
        object_id=str(review.pk),
        details={"place": "integrations_inboxitem.body", "reason": "review"},
    )
    if not isinstance(body, dict):
        return ""
    parts = [str(body.get(name) or "") for name in ("subject", "text")]
    return "\n".join(part for part in parts if part)


@transaction.atomic
def decide(*, review: Review, is_stop: bool, at: datetime, staff: User) -> Review:
    """Settle a review: a stop counts as received when the answer came; else what it held is let go.

    Let go is only what was held provisionally, and only if no other answer of theirs is unread.
    Law: 47 CFR 64.1200(a)(10).
    :raises NotPermitted: only an officer may.
    :raises Decided: it was decided before.
    """
    roles.require(user=staff, act=MAY_DECIDE)
    held = (
        Review.objects.select_for_update(of=("self",))
        .select_related("item", "suppression")
        .get(pk=review.pk)
    )
    if held.state != State.OPEN:
        raise Decided
    people = [contacts.lock(contact_id=person.id) for person in _people(held)]
    held.state = State.STOP if is_stop else State.NO_STOP
    held.decided_at, held.decided_by = at, staff
    held.save(update_fields=["state", "decided_at", "decided_by"])
    if is_stop:
        _withdraw(held, people, at, audit.staff(staff))
    else:
        _let_go(held, people, at)
    _note("decided", held, people, at, audit.staff(staff))
    return held


def _withdraw(review: Review, people: list[Contact], at: datetime, actor: Actor) -> None:
    if review.suppression is not None:
        # It must hold even where nobody is known behind the address.
        suppression.stand(row=review.suppression, reason="inbound_reviewed", at=at)
    body = review.item.body_sealed if isinstance(review.item.body_sealed, dict) else {}
    by_call = body.get("kind") == CALL_NOTE
    for person in people:
        ledger.withdraw(
            contact=person,
            act=ConsentEvent.Act.CALL if by_call else ConsentEvent.Act.REPLY,
            means=Revocation.Means.CALL_NOTE if by_call else Revocation.Means.FREE_TEXT,
            source="review",
            via=review.channel,
            received_at=review.item.received_at,
            at=at,
            actor=actor,
            evidence={"inbox_item": review.item_id, "text": str(body.get("text") or "")[:500]},
        )


def _let_go(review: Review, people: list[Contact], at: datetime) -> None:
    places = {
        (channel, index)
        for person in people
        for channel in Channel.values
        if (index := contacts.stop_index(person, channel))
    }
    if review.suppression is not None:
        places.add((review.suppression.channel, review.suppression.address_index))
    unread = Review.objects.filter(
        state=State.OPEN, suppression__address_index__in=[index for _, index in places]
    )
    if unread.exists():
        return
    for channel, index in sorted(places):
        suppression.release(channel=channel, address_index=index, at=at)


def _people(review: Review) -> list[Contact]:
    body = review.item.body_sealed
    if isinstance(body, dict) and body.get("kind") == CALL_NOTE:
        found = Contact.objects.filter(pk=ids.parse("con", str(body["contact"])))
    elif isinstance(body, dict):
        try:
            return _sorted(
                contacts.everyone_at(channel=review.channel, value=str(body.get("from") or ""))
            )
        except addresses.NotAContact:
            return []
    elif review.suppression is not None:
        # The words are past their time; the keyed hash of the address still names the person.
        index = review.suppression.address_index
        found = Contact.objects.filter(**{f"{review.channel}_stop_index": index})
    else:
        return []
    return _sorted(found)


def _sorted(people: Iterable[Contact]) -> list[Contact]:
    # Rows are locked in one order everywhere, so that nobody waits in a ring.
    return sorted(people, key=lambda person: person.pk)


def _note(word: str, review: Review, people: list[Contact], at: datetime, actor: Actor) -> None:
    subjects: list[uuid.UUID | None] = [person.id for person in people]
    audit.record_many(
        audit.leaf(
            action=f"consent.review.{word}",
            at=at,
            actor=actor,
            subject_id=subject,
            object_type="consent.review",
            object_id=str(review.pk),
            details={"channel": review.channel, "state": review.state},
        )
        for subject in subjects or [None]
    )
