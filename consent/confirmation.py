"""Has the person answered our question? A pending opt-in is confirmed once, in time, or never."""

import uuid
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from accounts.audit import Actor
from consent import contacts, ledger, purposes
from consent.models import ConsentEvent, Contact, OptIn


class NotPending(Exception):
    """The question was answered already, is too old, or was withdrawn."""


@transaction.atomic
def confirm(
    *,
    opt_in_id: uuid.UUID,
    act: str,
    at: datetime,
    evidence: Mapping[str, object] | None = None,
) -> ConsentEvent:
    """Record a person's yes to a pending question, with the notice they were shown.

    Law: double opt-in, GDPR Art. 7(1).
    :raises NotPending: it was answered, has expired, or the person said stop since; or the
        purpose has another lawful basis since.
    """
    asked = OptIn.objects.filter(pk=opt_in_id).first()
    if asked is None:
        raise NotPending
    # Contact first, then the question: one order everywhere, so that nobody waits in a ring.
    contact = contacts.lock(contact_id=asked.contact_id)
    opt_in = (
        OptIn.objects.select_for_update(of=("self",))
        .select_related("notice", "purpose")
        .get(pk=asked.pk)
    )
    if opt_in.answered_at is not None or opt_in.expires_at <= at or contact.erased_at is not None:
        raise NotPending
    if opt_in.purpose.basis != purposes.current(opt_in.purpose.code, at).basis:
        # The question was put on a lawful basis that holds no more.
        raise NotPending
    opt_in.answered_at = at
    opt_in.save(update_fields=["answered_at"])
    return ledger.record(
        contact=contact,
        purpose_code=opt_in.purpose.code,
        channel=opt_in.channel,
        kind=ConsentEvent.Kind.CONFIRMED,
        act=act,
        source="double_opt_in",
        at=at,
        actor=Actor("recipient", contact.public_id),
        notice=opt_in.notice,
        evidence={**(evidence or {}), "opt_in": str(opt_in.id)},
    )


def pending(*, contact: Contact, channel: str, at: datetime) -> OptIn | None:
    """Return the newest question to a person on a channel that can still be answered."""
    return (
        OptIn.objects.filter(contact=contact, channel=channel, answered_at=None, expires_at__gt=at)
        .order_by("-asked_at")
        .first()
    )
