"""What follows from what a person answers? Stop, unsure, yes, help, start: one parser reads all."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from accounts import keys
from accounts.audit import Actor
from consent import (
    confirmation,
    contacts,
    ledger,
    purposes,
    replies,
    reviews,
    stop_texts,
    suppression,
    windows,
)
from consent.models import Channel, ConsentEvent, Contact, Message, Revocation
from consent.standing import AGREED, NO, OWN_ACTS
from integrations.models import InboxItem

# "Opt out" is two words; what is longer was said in words of one's own.
KEYWORD_WORDS = 2
LOWERS_PROTECTION = frozenset({"yes", "start"})
Means, Act = Revocation.Means, ConsentEvent.Act


@dataclass(frozen=True)
class Heard:
    """One thing somebody said to us: on which channel, from where, and who that may be."""

    item: InboxItem
    channel: str
    sender: str = field(repr=False)
    text: str = field(repr=False)
    people: list[Contact] = field(repr=False)
    at: datetime

    @property
    def alive(self) -> list[Contact]:
        """Return the people whose key still opens: only they can agree to anything more."""
        return [person for person in self.people if keys.opens(key=person.key, at=self.at)]

    def evidence(self) -> dict[str, object]:
        """Return what an act rests on: the item, and the words by their hash and as they stand."""
        body = self.item.body_sealed or {}
        return {
            "inbox_item": self.item.pk,
            "provider_message": text_of(body, "provider_message_id"),
            "text_sha256": hashlib.sha256(self.text.encode()).hexdigest(),
            "text": self.text[:500],
        }


def take(*, item: InboxItem, body: Mapping[str, object], at: datetime) -> str:
    """Do what a person's message to us asks for; return what it came to, as a code.

    Law: 47 CFR 64.1200(a)(10): any reasonable means, on any channel.
    """
    channel, sender = text_of(body, "channel"), text_of(body, "from")
    if channel not in Channel.values or not sender:
        return "unreadable"
    subject, text = text_of(body, "subject"), text_of(body, "text")
    meaning = replies.meaning(channel=channel, subject=subject, text=text)
    words = "\n".join(part for part in (subject, text) if part)
    people = contacts.everyone_locked(places=[(channel, sender)])
    if body.get("unsigned") and str(meaning) in LOWERS_PROTECTION:
        # Whoever learned the address of a webhook could have said it: it may stop, never allow.
        return "unsigned"
    if channel == Channel.WHATSAPP and not body.get("unsigned"):
        # Unsigned it could be anybody's word, and would let more be written.
        windows.heard(people=people, connection=item.connection, at=min(item.received_at, at))
    answer = ANSWERS.get(str(meaning))
    return answer(Heard(item, channel, sender, words, people, at)) if answer else "kept"


def text_of(body: Mapping[str, object], name: str) -> str:
    """Return a member of an item's body as text; empty if it is not there."""
    return str(body.get(name) or "")


def _stop(heard: Heard) -> str:
    said_briefly = len(heard.text.split()) <= KEYWORD_WORDS
    for person in heard.people:
        ledger.withdraw(
            contact=person,
            act=Act.KEYWORD if said_briefly else Act.REPLY,
            means=Means.KEYWORD if said_briefly else Means.FREE_TEXT,
            source="inbound_stop",
            via=heard.channel,
            received_at=heard.item.received_at,
            at=heard.at,
            actor=Actor("recipient", person.public_id),
            evidence=heard.evidence(),
        )
    # The address itself, too: it must hold even for somebody we do not know.
    suppression.suppress(
        channel=heard.channel, reason="inbound_stop", at=heard.at, address=heard.sender
    )
    stop_texts.confirm(
        revocations=_made(heard),
        connection=heard.item.connection,
        channel=heard.channel,
        said_in=heard.item.pk,
        at=heard.at,
    )
    return "withdrawn" if heard.people else "suppressed"


def _made(heard: Heard) -> list[Revocation]:
    return list(
        Revocation.objects.filter(
            contact__in=[person.pk for person in heard.people],
            effective_at=heard.at,
            received_at=min(heard.item.received_at, heard.at),
        ).select_related("contact__partner", "contact__key")
    )


def _unsure(heard: Heard) -> str:
    reviews.open_for(
        item=heard.item,
        channel=heard.channel,
        sender=heard.sender,
        people=heard.people,
        at=heard.at,
    )
    return "review"


def _confirm(heard: Heard) -> str:
    for person in heard.alive:
        asked = confirmation.pending(contact=person, channel=heard.channel, at=heard.at)
        if asked is not None:
            confirmation.confirm(
                opt_in_id=asked.pk, act=Act.KEYWORD, at=heard.at, evidence=heard.evidence()
            )
            return "confirmed"
    return "nothing_asked"


def _help(heard: Heard) -> str:
    person = _written_last(heard)
    if person is None:
        return "kept"
    answered = stop_texts.answer_help(
        contact=person,
        connection=heard.item.connection,
        channel=heard.channel,
        said_in=heard.item.pk,
        at=heard.at,
    )
    return "helped" if answered else "kept"


def _start(heard: Heard) -> str:
    """Take a START from somebody who had stopped: strictly, and for one sender and channel only.

    It is a yes to the question that is open. With none open, it confirms again what the person had
    agreed to there by their own act, with a notice they were shown, and only by text: a number
    sends for itself, the sender of an e-mail can be forged. That confirmation lifts the
    suppression of this one address; whether it suffices is the gate's to say (in the US it is no
    written consent). In any other case START is a wish: noted as given, a ground to be asked, and
    the address stays suppressed until the person confirms.
    Law: GDPR Art. 4(11), 7(1); 47 CFR 64.1200(f)(9).
    """
    if (answered := _confirm(heard)) != "nothing_asked":
        return answered
    person = _written_last(heard)
    if person is None or not _is_stopped(person, heard):
        return "kept"
    agreed = _agreed_before(person, heard.channel)
    resumes = agreed is not None and heard.channel != Channel.EMAIL
    ledger.record(
        contact=person,
        purpose_code=purposes.MARKETING,
        channel=heard.channel,
        kind=ConsentEvent.Kind.CONFIRMED if resumes else ConsentEvent.Kind.GIVEN,
        act=Act.KEYWORD,
        source="inbound_start",
        at=heard.at,
        actor=Actor("recipient", person.public_id),
        notice=agreed.notice if agreed else None,
        evidence=heard.evidence(),
    )
    return "resumed" if resumes else "wished"


def _is_stopped(person: Contact, heard: Heard) -> bool:
    state = ledger.state_of(
        contact=person, purpose_code=purposes.MARKETING, channel=heard.channel, at=heard.at
    )
    index = contacts.stop_index(person, heard.channel)
    return state in NO or suppression.is_suppressed(channel=heard.channel, address_index=index)


def _agreed_before(person: Contact, channel: str) -> ConsentEvent | None:
    own = ConsentEvent.objects.filter(
        contact=person,
        purpose_code=purposes.MARKETING,
        channel=channel,
        kind__in=AGREED,
        act__in=OWN_ACTS,
        actor_kind="recipient",
        notice__isnull=False,
    )
    # Consent for the number of before says nothing of the one that answers now.
    since = person.phone_set_at
    return (own.filter(at__gte=since) if since else own).order_by("-number").first()


def _written_last(heard: Heard) -> Contact | None:
    """Return to whose message somebody answers: of several senders, the last who wrote there."""
    alive = heard.alive
    written = Message.objects.filter(
        contact__in=[person.pk for person in alive],
        channel=heard.channel,
        claimed_at__isnull=False,
    )
    newest = written.order_by("-claimed_at").values_list("contact_id", flat=True).first()
    if newest is None:
        return alive[0] if len(alive) == 1 else None
    return next(person for person in alive if person.pk == newest)


ANSWERS: dict[str, Callable[[Heard], str]] = {
    "stop": _stop,
    "unsure": _unsure,
    "yes": _confirm,
    "help": _help,
    "start": _start,
}
