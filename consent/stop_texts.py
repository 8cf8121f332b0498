"""In which words is a stop confirmed, and a call for help answered? Short, and no promotion."""

import tomllib
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from django.conf import settings
from django.db import transaction

from accounts import audit, keys
from consent import purposes, queueing, rulebook
from consent.models import ConsentEvent, Contact, Message, Revocation
from integrations.models import Connection

HELP_CONTEXT = "consent.help"
HELP_EVERY = timedelta(days=1)
HOUSE_NAME = "Sealcast"
# One text message of any alphabet: the name of the sender gives way to the words.
NAME_CHARS = 40


def confirm(
    *,
    revocations: Sequence[Revocation],
    connection: Connection,
    channel: str,
    said_in: int,
    at: datetime,
) -> Message | None:
    """Confirm one stop to the person, in their language, where they said it: once, now or never.

    One text answers one stop, however many of our contacts it ended; `said_in` is the id of the
    inbox item. The stop never fails for the sake of its confirmation.
    Law: 47 CFR 64.1200(a)(12).
    """
    if not revocations:
        return None
    newest = max(revocations, key=lambda row: (_written_at(row.contact, channel), str(row.pk)))
    try:
        with transaction.atomic():
            _ensure_purposes(at)
            return queueing.confirm_stop(
                revocation=newest,
                connection=connection,
                channel=channel,
                idempotency_key=f"stop:{said_in}",
                text=_worded("confirm", newest.contact),
                at=at,
            )
    except (keys.KeyRefused, purposes.UnknownPurpose, rulebook.BadRule):
        return None


def answer_help(
    *, contact: Contact, connection: Connection, channel: str, said_in: int, at: datetime
) -> Message | None:
    """Say who writes and how to stop it, once a day at most; None if it was said, or may not be.

    The gate judges it like any message: who said stop gets no answer.
    Law: CTIA Messaging Principles 5.1.3.
    """
    told = Message.objects.filter(
        contact=contact, purpose_code=purposes.HELP_ANSWER, queued_at__gt=at - HELP_EVERY
    )
    if told.exists():
        return None
    _ensure_purposes(at)
    try:
        with transaction.atomic():
            return queueing.queue(
                contact=contact,
                connection=connection,
                purpose_code=purposes.HELP_ANSWER,
                channel=channel,
                context_type=HELP_CONTEXT,
                context_id=None,
                idempotency_key=f"help:{said_in}",
                subject=sender_of(contact),
                text=_worded("help", contact),
                at=at,
                actor=audit.SYSTEM,
            )[1]
    except (keys.KeyRefused, rulebook.BadRule):
        return None


def words(language: str) -> dict[str, str]:
    """Return the words of a language; one we do not have reads English."""
    return _table()[spoken(language)]


def spoken(language: str) -> str:
    """Return which of our languages serves a tag such as `pt-BR`."""
    code = language.partition("-")[0].lower()
    return code if code in _table() else "en"


def sender_of(contact: Contact) -> str:
    """Return by what name a person knows us: whom they agreed to, else their partner's."""
    named = ConsentEvent.objects.filter(contact=contact).exclude(seller="").order_by("-at").first()
    if named is not None:
        return named.seller
    return contact.partner.name if contact.partner else HOUSE_NAME


def _worded(what: str, contact: Contact) -> str:
    name = sender_of(contact)[:NAME_CHARS].strip()
    return words(contact.language)[what].format(sender=name, site=settings.PUBLIC_URL).strip()


def _written_at(contact: Contact, channel: str) -> float:
    written = Message.objects.filter(contact=contact, channel=channel, claimed_at__isnull=False)
    newest = written.order_by("-claimed_at").values_list("claimed_at", flat=True).first()
    return newest.timestamp() if newest else 0.0


def _ensure_purposes(at: datetime) -> None:
    try:
        purposes.current(purposes.STOP_CONFIRMATION, at)
    except purposes.UnknownPurpose:
        # A house that is older than these purposes.
        purposes.ensure_defaults(at=at)


@lru_cache(maxsize=1)
def _table() -> dict[str, dict[str, str]]:
    return tomllib.loads((purposes.NOTICES / "stop_words.toml").read_text(encoding="utf-8"))
