"""How is a person asked, and how do they answer? Double opt-in: one question, one link, one yes."""

import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django_q.tasks import async_task

from accounts import keys
from accounts.audit import Actor
from accounts.models import Partner
from config.lib import ids
from consent import confirmation, contacts, ledger, outbox, purposes, wording
from consent.confirmation import NotPending
from consent.models import Channel, ConsentEvent, Contact, Notice, OptIn
from integrations import connections
from integrations.models import Connection

OPT_IN_HOURS = 48
TOKEN_KIND = "optin"  # noqa: S105 a label, not a token
CONTEXT = "consent.optin"
HOUSE_NAME = "Sealcast"
# What a stranger's form may follow; a no, or a confirmed yes, is not touched by it.
OPEN_STATES = {None, "claimed", "given", "expired"}


@dataclass(frozen=True)
class SignUp:
    """What a person wrote into the public form; never kept as it stands."""

    name: str = field(repr=False)
    email: str = field(repr=False)
    phone: str = field(repr=False)
    language: str
    ip: str = field(default="", repr=False)
    user_agent: str = field(default="", repr=False)


@transaction.atomic
def ask(
    *, contact: Contact, purpose_code: str, channel: str, at: datetime, actor: Actor
) -> OptIn | None:
    """Ask a person to confirm; None if they may not be asked now (the decision says why).

    Allowed once in 30 days, after a sign-up or a claim only, within hours, never when stopped.
    Law: Directive 2002/58/EC Art. 13; GDPR Art. 7(1).
    """
    connection = connections.usable(kind=Connection.Kind.MESSAGING).first()
    if connection is None:
        return None
    purpose = purposes.current(purpose_code, at)
    token, opt_in_id = secrets.token_urlsafe(32), uuid.uuid4()
    subject, text = wording.question(
        language=contact.language,
        channel=channel,
        sender=_sender(contact.partner),
        url=f"{settings.PUBLIC_URL}/join/confirm/{token}",
    )
    _, message = outbox.queue(
        contact=contact,
        connection=connection,
        purpose_code=purposes.PERMISSION_REQUEST,
        channel=channel,
        context_type=CONTEXT,
        context_id=opt_in_id,
        idempotency_key=f"{TOKEN_KIND}:{opt_in_id.hex}",
        subject=subject,
        text=text,
        at=at,
        actor=actor,
    )
    if message is None:
        return None
    async_task("consent.jobs.send_due")
    return OptIn.objects.create(
        id=opt_in_id,
        contact=contact,
        purpose=purpose,
        channel=channel,
        notice=purposes.default_notice(purpose=purpose, language=contact.language, at=at),
        token_index=keys.token_index(kind=TOKEN_KIND, token=token),
        asked_at=at,
        # The time to answer runs from when the message may arrive, not from the night before.
        expires_at=message.not_before + timedelta(hours=OPT_IN_HOURS),
    )


def look_up(*, token: str, at: datetime) -> OptIn:
    """Return the pending question behind a token, changing nothing.

    :raises NotPending: unknown, answered or expired; which, is not said.
    """
    row = (
        OptIn.objects.filter(token_index=keys.token_index(kind=TOKEN_KIND, token=token))
        .select_related("notice", "contact")
        .first()
    )
    if row is None or row.answered_at is not None or row.expires_at <= at:
        raise NotPending
    return row


def answer(*, token: str, at: datetime, ip: str, user_agent: str) -> ConsentEvent:
    """Take the yes of whoever holds the link, once.

    :raises NotPending: unknown, answered or expired; which, is not said.
    """
    row = look_up(token=token, at=at)
    return confirmation.confirm(
        opt_in_id=row.pk, act=ConsentEvent.Act.BUTTON, at=at, evidence=_evidence(ip, user_agent)
    )


@transaction.atomic
def sign_up(*, form: SignUp, notice: Notice, at: datetime) -> list[OptIn]:
    """Take a sign-up from the public form: a given consent and a question for each address.

    Anybody can type anybody's address, so nothing known is changed and nothing is disclosed: the
    consent counts where it must be confirmed only when the person does.
    Law: GDPR Art. 4(11), 7; BGH I ZR 164/09.
    :raises NotAContact: a field is unusable, or there is no address.
    """
    asked = []
    for contact, channel in _people(form, at):
        actor = Actor("recipient", contact.public_id)
        if not _open(contact, channel, at):
            continue
        ledger.record(
            contact=contact,
            purpose_code=purposes.MARKETING,
            channel=channel,
            kind=ConsentEvent.Kind.GIVEN,
            act=ConsentEvent.Act.CHECKBOX,
            source="web_form",
            at=at,
            actor=actor,
            notice=notice,
            evidence=_evidence(form.ip, form.user_agent),
        )
        asked.append(
            ask(
                contact=contact,
                purpose_code=purposes.MARKETING,
                channel=channel,
                at=at,
                actor=actor,
            )
        )
    return [row for row in asked if row is not None]


def _people(form: SignUp, at: datetime) -> list[tuple[Contact, str]]:
    wanted = [
        (channel, value)
        for channel, value in ((Channel.EMAIL, form.email), (Channel.SMS, form.phone))
        if value.strip()
    ]
    known = {channel: _alive(channel, value, at) for channel, value in wanted}
    if not any(known.values()):
        both = _register(form, email=form.email, phone=form.phone, at=at)
        return [(both, channel) for channel in known]
    people = []
    for channel, value in wanted:
        name = contacts.field_of(channel)
        contact = known[channel] or _register(
            form, **{"email": "", "phone": "", name: value}, at=at
        )
        people.append((contact, str(channel)))
    return people


def _alive(channel: str, value: str, at: datetime) -> Contact | None:
    contact = contacts.find(partner=None, **{contacts.field_of(channel): value})
    return contact if contact and keys.opens(key=contact.key, at=at) else None


def _register(form: SignUp, *, email: str, phone: str, at: datetime) -> Contact:
    return contacts.register(
        partner=None,
        name=form.name,
        email=email,
        phone=phone,
        language=form.language,
        time_zone="",
        country="",
        attributes={},
        source="web_form",
        at=at,
        actor=Actor("recipient", ids.public("new", uuid.uuid4())),
    )


def _open(contact: Contact, channel: str, at: datetime) -> bool:
    state = ledger.state_of(
        contact=contact, purpose_code=purposes.MARKETING, channel=channel, at=at
    )
    return state in OPEN_STATES


def _evidence(ip: str, user_agent: str) -> Mapping[str, object]:
    # Enough to show an act, not enough to follow a person: the end of the address is left out.
    separator = ":" if ":" in ip else "."
    network = separator.join(ip.split(separator)[:3])
    return {"network": network, "user_agent": user_agent[:200]}


def _sender(partner: Partner | None) -> str:
    return partner.name if partner else HOUSE_NAME
