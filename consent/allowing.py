"""How does a person allow something again, or for the first time, on the page of their choices?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts import keys
from accounts.audit import Actor
from consent import (
    boxes,
    choices,
    confirmation,
    contacts,
    ledger,
    needs,
    optin,
    places,
    preferences,
    purposes,
    wording,
)
from consent.boxes import Answer, Box
from consent.choices import SOURCE, Pair
from consent.models import ConsentEvent, ConsentState, Contact, PreferenceLink


@dataclass(frozen=True)
class Allowed:
    """What came of it: how many agreements, and whether one still waits to be confirmed."""

    given: int
    is_half: bool


def asked(*, link: PreferenceLink, pairs: Sequence[Pair], language: str, at: datetime) -> list[Box]:
    """Return the box of each purpose and channel, in the words and of the kind that it needs.

    None for what a box cannot give: an authorisation that is signed elsewhere, a channel without
    an address, a person past their time.
    """
    contact = link.contact
    if not keys.opens(key=contact.key, at=at):
        return []
    reached = contacts.channels_of(contact)
    return [
        _box(contact, pair, language, at)
        for pair in pairs
        if pair[1] in reached and may_give(pair[0])
    ]


def may_give(purpose_code: str) -> bool:
    """Say whether a box on a page can give a purpose at all."""
    return purpose_code in choices.ORDER and purpose_code != purposes.PHI_CONTENT


def needs_guardian(*, link: PreferenceLink, asked: Sequence[Box], at: datetime) -> bool:
    """Say whether the person told an age before at which they do not agree alone.

    Law: GDPR Art. 8(1).
    """
    rows = ConsentState.objects.filter(contact=link.contact).exclude(age_years=None)
    told = [row.age_years for row in rows if row.age_years is not None]
    limits = [_age(link.contact, box, at) for box in asked]
    return bool(told) and max(told) < max(limits, default=0)


@transaction.atomic
def allow(*, link: PreferenceLink, asked: Sequence[Box], answer: Answer, at: datetime) -> Allowed:
    """Record each ticked box as the person's own act, with the words they were shown.

    A link that was sent to the address confirms it; another address is asked to confirm.
    Law: GDPR Art. 4(11), 7(1); BGH I ZR 164/09.
    :raises MissingElement: something is missing that a kind of permission needs.
    """
    ticked = [box for box in asked if box.key in answer.ticked]
    halves = [_allow(link, box, answer, at) for box in ticked]
    return Allowed(len(ticked), any(halves))


def _allow(link: PreferenceLink, box: Box, answer: Answer, at: datetime) -> bool:
    contact, channel = link.contact, box.channels[0]
    actor = Actor("recipient", contact.public_id)
    given = boxes.give(
        box=box,
        channel=channel,
        contact=contact,
        answer=answer,
        source=SOURCE,
        at=at,
        actor=actor,
    )
    if preferences.proves(link=link, channel=channel):
        _confirm(link, box, answer, given, at)
        return False
    # A link sent by e-mail proves nothing of a phone: a stop of it stays until a START, or a yes,
    # comes from there.
    if box.purpose_code == purposes.MARKETING:
        optin.ask(
            contact=contact,
            purpose_code=box.purpose_code,
            channel=channel,
            sender=box.seller,
            at=at,
            actor=actor,
        )
    return True


def _confirm(
    link: PreferenceLink, box: Box, answer: Answer, given: ConsentEvent, at: datetime
) -> None:
    ledger.record(
        contact=link.contact,
        purpose_code=box.purpose_code,
        channel=given.channel,
        kind=ConsentEvent.Kind.CONFIRMED,
        act=ConsentEvent.Act.BUTTON,
        source=SOURCE,
        at=at,
        actor=Actor("recipient", link.contact.public_id),
        notice=given.notice,
        evidence={**answer.evidence, **choices.evidence(link)},
        particulars=confirmation.carried(given),
    )


def _box(contact: Contact, pair: Pair, language: str, at: datetime) -> Box:
    code, channel = pair
    spoken, seller = purposes.spoken(language), wording.holder(contact)
    permission = needs.permission(
        countries=places.countries(places.known_of(contact)),
        purpose_code=code,
        channel=channel,
        at=at,
    )
    words = boxes.text(purpose_code=code, permission=permission, language=spoken, seller=seller)
    key = f"{code}.{channel}"
    return Box(key, code, (channel,), permission, spoken, words, seller, mark="choices")


def _age(contact: Contact, box: Box, at: datetime) -> int:
    return needs.age(
        countries=places.countries(places.known_of(contact)),
        purpose_code=box.purpose_code,
        channels=box.channels,
        at=at,
    )
