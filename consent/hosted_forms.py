"""What does a sign-up form ask, and what comes of an answer? For people without an account."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts import keys
from accounts.audit import Actor
from accounts.models import Partner
from config.lib import ids
from consent import addresses, areas, boxes, contacts, ledger, needs, optin, places, purposes
from consent.boxes import Answer, Box
from consent.elements import MissingElement
from consent.models import Channel, ConsentEvent, Contact, HostedForm, OptIn

Permission = ConsentEvent.Permission
# The form that is there before anybody made one; a marketer's of the same name takes its place.
DEFAULT_SLUG = "marketing"
DEFAULT_SOURCE = "web_form"
DEFAULT_BOX = {
    "purpose": purposes.MARKETING,
    "channels": [Channel.EMAIL.value, Channel.SMS.value],
    "permission": Permission.EXPRESS.value,
    "texts": {},
}
PHONE = {Channel.SMS.value, Channel.WHATSAPP.value}
# Whoever agrees to these says how old they are: under 16 nobody does alone in California (Cal.
# Civ. Code 1798.120(c)), and children's special categories need a parent almost everywhere.
AGE_PURPOSES = {purposes.SHARING, purposes.SPECIAL_DATA}
# What a stranger's form may follow; a no, or a confirmed yes, is not touched by it.
OPEN_STATES = {None, "claimed", "given", "expired"}
SIGNED_MARK = "s"


class NoSuchForm(LookupError):
    """There is no form of this name that is open."""


@dataclass(frozen=True)
class Person:
    """What a person wrote into the form beside the boxes; never kept as it stands."""

    name: str = field(repr=False)
    email: str = field(repr=False)
    phone: str = field(repr=False)
    language: str


@dataclass(frozen=True)
class Look:
    """Which look of a form a person saw: its version, and what was added for their sake."""

    version: int
    written: bool = False
    guardian: bool = False
    # With a phone number only, so that no box speaks of mail.
    phone_only: bool = False

    def code(self) -> str:
        """Return the look as the form carries it."""
        marks = {"w": self.written, "g": self.guardian, "p": self.phone_only}
        return f"{self.version}{''.join(mark for mark, is_on in marks.items() if is_on)}"

    @classmethod
    def read(cls, code: str) -> "Look":
        """Read a look; one that cannot be read is of no version."""
        digits = code.rstrip("wgp")
        version = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 9 else 0
        marks = code[len(digits) :]
        return cls(version, "w" in marks, "g" in marks, "p" in marks)


def open_form(*, slug: str) -> HostedForm:
    """Return the form of a name.

    :raises NoSuchForm: there is none, or it is not open.
    """
    row = HostedForm.objects.select_related("partner").filter(slug=slug).first()
    if row is None and slug == DEFAULT_SLUG:
        return default()
    if row is None or row.state != HostedForm.State.OPEN:
        raise NoSuchForm(slug)
    return row


def default() -> HostedForm:
    """Return the form that ships: marketing, by the addresses that a person gives."""
    return HostedForm(
        slug=DEFAULT_SLUG,
        title="Built-in sign-up",
        seller=str(settings.CONTROLLER["name"]),
        state=HostedForm.State.OPEN,
        boxes=[DEFAULT_BOX],
    )


def source(form: HostedForm) -> str:
    """Return what contacts and acts of a form say they come from."""
    return DEFAULT_SOURCE if form.created_at is None else f"form-{form.slug}"


def languages(form: HostedForm) -> list[str]:
    """Return in which languages all boxes of a form can be read."""
    own = [set(box["texts"]) for box in form.boxes if box.get("texts")]
    return [code for code in purposes.LANGUAGES if all(code in texts for texts in own)]


def spoken(form: HostedForm, language: str) -> str:
    """Return in which language a form is shown to a person of another: theirs, English, or any."""
    known = languages(form) or ["en"]
    wanted = purposes.spoken(language)
    return wanted if wanted in known else known[0]


def asks_age(form: HostedForm) -> bool:
    """Say whether the form asks how old somebody is: its maker wants it, or a purpose needs it."""
    return form.asks_age or any(box["purpose"] in AGE_PURPOSES for box in form.boxes)


def shown(*, form: HostedForm, language: str, look: Look) -> list[Box]:
    """Return the boxes of a form as a person sees them.

    Where the law of their number wants a signature, advertising by phone gets a box of its own.
    """
    found = []
    for number, box in enumerate(form.boxes):
        channels = [code for code in box["channels"] if not look.phone_only or code in PHONE]
        by_phone = [code for code in channels if code in PHONE]
        signs = look.written and _may_be_signed(box)
        rest = [code for code in channels if not signs or code not in by_phone]
        if rest:
            found.append(_box(form, box, str(number), rest, box["permission"], language))
        if signs and by_phone:
            key = f"{number}{SIGNED_MARK}"
            found.append(_box(form, box, key, by_phone, Permission.WRITTEN.value, language))
    return found


def needed(
    *, form: HostedForm, person: Person, age_years: int | None, look: Look, at: datetime
) -> Look:
    """Return the look that a person has to see before their answer counts.

    Read from what they typed alone, never from what we know: everybody is answered alike.
    Law: 47 CFR 64.1200(f)(9); GDPR Art. 8(1).
    """
    lands = countries(person.phone)
    signed = bool(person.phone) and any(
        _may_be_signed(box) and _must_be_signed(box, lands, at) for box in form.boxes
    )
    written = look.written or signed
    young = age_years is not None and age_years < _age(form, lands, at)
    return Look(
        version=form.version,
        written=written,
        guardian=look.guardian or young,
        phone_only=look.phone_only or (written and not person.email),
    )


def countries(phone: str) -> tuple[str, ...]:
    """Return in which countries somebody may be who gave this number, or none; by it alone."""
    country, zones = addresses.phone_places(phone)
    stranger = Contact(
        phone_country=country,
        phone_zones=list(zones),
        phone_regions=list(areas.regions_of(phone)) if phone else [],
    )
    return places.countries(places.known_of(stranger))


@transaction.atomic
def sign_up(
    *, form: HostedForm, asked: Sequence[Box], person: Person, answer: Answer, at: datetime
) -> list[OptIn]:
    """Take an answer to a form: what each ticked box gives, and a question to each address.

    Anybody can type anybody's address, so nothing known is changed and nothing is disclosed: the
    consent counts where it must be confirmed only when the person does.
    Law: GDPR Art. 4(11), 7; BGH I ZR 164/09; 47 CFR 64.1200(f)(9).
    :raises NotAContact: a field is unusable, or there is no address.
    """
    ticked = [box for box in asked if box.key in answer.ticked]
    questions = [
        _take(form, contact, channels, ticked, answer, at)
        for contact, channels in _people(form, person, at)
    ]
    return [row for rows in questions for row in rows]


def _take(  # noqa: PLR0917  the parts of one answer
    form: HostedForm,
    contact: Contact,
    channels: Iterable[str],
    ticked: Sequence[Box],
    answer: Answer,
    at: datetime,
) -> list[OptIn]:
    actor = Actor("recipient", contact.public_id)
    asked = []
    for channel in channels:
        codes = [
            box.purpose_code
            for box in ticked
            if channel in box.channels and _give(form, box, channel, contact, answer, at)
        ]
        if purposes.MARKETING in codes:
            asked.append(
                optin.ask(
                    contact=contact,
                    purpose_code=purposes.MARKETING,
                    channel=channel,
                    sender=form.seller,
                    at=at,
                    actor=actor,
                )
            )
    return [row for row in asked if row is not None]


def _give(  # noqa: PLR0917  the parts of one answer
    form: HostedForm, box: Box, channel: str, contact: Contact, answer: Answer, at: datetime
) -> bool:
    state = ledger.state_of(contact=contact, purpose_code=box.purpose_code, channel=channel, at=at)
    if state not in OPEN_STATES:
        return False
    try:
        boxes.give(
            box=box,
            channel=channel,
            contact=contact,
            answer=answer,
            source=source(form),
            at=at,
            actor=Actor("recipient", contact.public_id),
        )
    except MissingElement:
        # What we know of somebody (another country, another number) may ask for more than what
        # was typed; to say so would tell a stranger that we know them.
        return False
    return True


def _people(form: HostedForm, person: Person, at: datetime) -> list[tuple[Contact, list[str]]]:
    typed = {"email": person.email.strip(), "phone": person.phone.strip()}
    wanted = {name: value for name, value in typed.items() if value}
    known = {name: _alive(form.partner, name, value, at) for name, value in wanted.items()}
    if not any(known.values()):
        both = _register(form, person, wanted, at)
        return [(both, [code for name in wanted for code in contacts.CHANNELS_OF[name]])]
    return [
        (
            known[name] or _register(form, person, {name: value}, at),
            [code.value for code in contacts.CHANNELS_OF[name]],
        )
        for name, value in wanted.items()
    ]


def _alive(partner: Partner | None, name: str, value: str, at: datetime) -> Contact | None:
    contact = contacts.find(partner=partner, **{name: value})
    return contact if contact and keys.opens(key=contact.key, at=at) else None


def _register(form: HostedForm, person: Person, typed: Mapping[str, str], at: datetime) -> Contact:
    return contacts.register(
        partner=form.partner,
        name=person.name,
        email=typed.get("email", ""),
        phone=typed.get("phone", ""),
        language=person.language,
        time_zone="",
        country="",
        attributes={},
        source=source(form),
        at=at,
        actor=Actor("recipient", ids.public("new", uuid.uuid4())),
    )


def _box(  # noqa: PLR0917  the parts of one row
    form: HostedForm,
    box: Mapping[str, Any],
    key: str,
    channels: Sequence[str],
    permission: str,
    language: str,
) -> Box:
    # Own words were written for the box as it was made; the signed one that stands in has its own.
    own = box["texts"].get(language, "") if permission == box["permission"] else ""
    return Box(
        key=key,
        purpose_code=box["purpose"],
        channels=tuple(channels),
        permission=permission,
        language=language,
        text=boxes.text(
            purpose_code=box["purpose"],
            permission=permission,
            language=language,
            seller=form.seller,
            own=own,
        ),
        seller=form.seller,
        mark=mark(form),
    )


def mark(form: HostedForm) -> str:
    """Return what the kept forms of a version are found by."""
    return f"{form.slug} {form.version}"


def _may_be_signed(box: Mapping[str, Any]) -> bool:
    plain = box["permission"] == Permission.EXPRESS and box["purpose"] == purposes.MARKETING
    return plain and bool(PHONE & set(box["channels"]))


def _must_be_signed(box: Mapping[str, Any], lands: tuple[str, ...], at: datetime) -> bool:
    by_phone = PHONE & set(box["channels"])
    kinds = {
        needs.permission(countries=lands, purpose_code=box["purpose"], channel=channel, at=at)
        for channel in by_phone
    }
    return Permission.WRITTEN in kinds


def _age(form: HostedForm, lands: tuple[str, ...], at: datetime) -> int:
    return max(
        (
            needs.age(
                countries=lands,
                purpose_code=box["purpose"],
                channels=box["channels"],
                at=at,
            )
            for box in form.boxes
        ),
        default=0,
    )
