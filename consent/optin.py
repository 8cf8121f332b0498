"""How is a person asked, and how do they answer? Double opt-in: one question, one link, one yes."""

import secrets
import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django_q.tasks import async_task

from accounts import keys
from accounts.audit import Actor
from consent import confirmation, outbox, preferences, purposes, windows, wording
from consent.confirmation import NotPending
from consent.models import Channel, ConsentEvent, Contact, OptIn
from integrations import connections, templates

OPT_IN_HOURS = 48
TOKEN_KIND = "optin"  # noqa: S105 a label, not a token
CONTEXT = "consent.optin"


@transaction.atomic
def ask(
    *,
    contact: Contact,
    purpose_code: str,
    channel: str,
    at: datetime,
    actor: Actor,
    sender: str = "",
) -> OptIn | None:
    """Ask a person to confirm; None if they may not be asked now (the decision says why).

    `sender` is the name under which they signed up, where it is not the one of whose contact they
    are. The question shows the words they agreed to. Allowed once in 30 days, after a sign-up or
    a claim only, within hours, never when stopped; on WhatsApp under a template that asks.
    Law: Directive 2002/58/EC Art. 13; GDPR Art. 7(1).
    """
    connection = connections.carrier(channel=channel)
    if connection is None:
        return None
    purpose = purposes.current(purpose_code, at)
    token, opt_in_id = secrets.token_urlsafe(32), uuid.uuid4()
    subject, text = wording.question(
        language=contact.language,
        channel=channel,
        sender=sender or wording.holder(contact),
        url=f"{settings.PUBLIC_URL}/join/confirm/{token}",
        choices=preferences.address(preferences.token_behind(token)),
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
        behind=token,
    )
    if message is None:
        return None
    async_task("consent.jobs.send_due")
    given = confirmation.given(contact=contact, purpose_code=purpose_code, channel=channel)
    shown = given.notice if given else None
    return OptIn.objects.create(
        id=opt_in_id,
        contact=contact,
        purpose=purpose,
        channel=channel,
        notice=shown or purposes.default_notice(purpose=purpose, language=contact.language, at=at),
        token_index=keys.token_index(kind=TOKEN_KIND, token=token),
        asked_at=at,
        # The time to answer runs from when the message may arrive, not from the night before.
        expires_at=message.not_before + timedelta(hours=OPT_IN_HOURS),
    )


def obstacle(*, channel: str, at: datetime, contact: Contact | None = None) -> str:
    """Say why a question could not leave by a channel, and what to do; empty if it could.

    Without a contact, to somebody who has not written to us.
    """
    account = connections.carrier(channel=channel)
    if account is None:
        return f"No connection in use carries {Channel(channel).label}: connect one."
    code = windows.unaskable(connection=account, channel=channel, at=at, contact=contact)
    return templates.WORDS[code] if code else ""


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
        opt_in_id=row.pk, act=ConsentEvent.Act.BUTTON, at=at, evidence=evidence(ip, user_agent)
    )


def evidence(ip: str, user_agent: str) -> dict[str, object]:
    """Return what is kept of where an act came from: enough to show it, not to follow anybody.

    The end of the network address is left out.
    """
    separator = ":" if ":" in ip else "."
    network = separator.join(ip.split(separator)[:3])
    return {"network": network, "user_agent": user_agent[:200]}
