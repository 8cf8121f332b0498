"""What did somebody say on a call? What staff wrote down is read like any answer."""

import uuid
from datetime import datetime

from django.db import transaction

from accounts import audit, roles
from accounts.models import User
from consent import contacts, keywords, ledger, reviews
from consent.keywords import Meaning
from consent.models import Channel, ConsentEvent, Contact, Revocation, Taken
from integrations import inbox
from integrations.models import Connection, InboxItem

WITHDRAWN, REVIEW, KEPT = "withdrawn", "review", "kept"


@transaction.atomic
def note(*, contact: Contact, text: str, said_at: datetime, at: datetime, staff: User) -> str:
    """Read what staff wrote down of a call; return `withdrawn`, `review` or `kept`.

    What is unsure is held back until an officer has read it; where nothing could hold it back (no
    account to write from, no address that opens), it counts as the stop it may be.
    Law: 47 CFR 64.1200(a)(10), any reasonable means: what is said on a call is one.
    :raises NotPermitted: the role may not take consent back.
    """
    roles.require(user=staff, act=reviews.MAY_DECIDE)
    meaning = keywords.read(text)
    if meaning not in {Meaning.STOP, Meaning.UNSURE}:
        return KEPT
    held = contacts.lock(contact_id=contact.id)
    if meaning == Meaning.UNSURE and _hold(held, text, min(said_at, at), at):
        return REVIEW
    ledger.withdraw(
        contact=held,
        act=ConsentEvent.Act.CALL,
        means=Revocation.Means.CALL_NOTE,
        source=reviews.CALL_NOTE,
        received_at=said_at,
        at=at,
        actor=audit.staff(staff),
        evidence={"text": text[:500]},
    )
    return WITHDRAWN


def _hold(contact: Contact, text: str, said_at: datetime, at: datetime) -> bool:
    # A note is kept where all answers are, so that whoever reads the queue finds it there.
    connection = Connection.objects.filter(kind=Connection.Kind.MESSAGING).first()
    place = _place(contact, at)
    if connection is None or place is None:
        return False
    channel, address = place
    item = inbox.store(
        connection=connection,
        kind=InboxItem.Kind.OTHER,
        dedupe_key=f"{reviews.CALL_NOTE}:{uuid.uuid4().hex}",
        body={
            "kind": reviews.CALL_NOTE,
            "contact": contact.public_id,
            "channel": channel,
            "from": address,
            "text": text,
        },
        at=said_at,
    )
    if item is None:
        return False
    reviews.open_for(item=item, channel=channel, sender=address, people=[contact], at=at)
    Taken.objects.create(item=item, effect=REVIEW, at=at)
    return inbox.finish(item=item, outcome=REVIEW, at=at)


def _place(contact: Contact, at: datetime) -> tuple[str, str] | None:
    # A call came by phone, if we know one.
    for channel in (Channel.SMS, Channel.EMAIL):
        try:
            return channel.value, contacts.address(contact=contact, channel=channel, at=at)
        except contacts.NoAddress:
            continue
    return None
