"""Has the person answered our question? A pending opt-in is confirmed once, in time, or never."""

import uuid
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from accounts.audit import Actor
from consent import contacts, ledger, purposes
from consent.ledger import Particulars
from consent.models import ConsentEvent, Contact, Notice, OptIn


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
    more = {**(evidence or {}), "opt_in": str(opt_in.id)}
    for other in beside(opt_in=opt_in):
        _record(contact, other.purpose_code, opt_in, act, at, more, other)
    code = opt_in.purpose.code
    before = given(contact=contact, purpose_code=code, channel=opt_in.channel)
    return _record(contact, code, opt_in, act, at, more, before)


def given(*, contact: Contact, purpose_code: str, channel: str) -> ConsentEvent | None:
    """Return the act that a confirmation would confirm; None after a no, or a mere claim."""
    newest = (
        _events(contact, channel)
        .filter(purpose_code=purpose_code)
        .exclude(kind=ConsentEvent.Kind.CLAIMED)
        .order_by("-number")
        .first()
    )
    return newest if newest and newest.kind == ConsentEvent.Kind.GIVEN else None


def beside(*, opt_in: OptIn) -> list[ConsentEvent]:
    """Return what was agreed to in the same act as what is asked about, each in a box of its own.

    The address is one: who confirms it confirms whose boxes these were.
    """
    asked = given(contact=opt_in.contact, purpose_code=opt_in.purpose.code, channel=opt_in.channel)
    if asked is None:
        return []
    same = _events(opt_in.contact, opt_in.channel).filter(at=asked.at, source=asked.source)
    codes = same.filter(kind=ConsentEvent.Kind.GIVEN).values_list("purpose_code", flat=True)
    others = [
        given(contact=opt_in.contact, purpose_code=code, channel=opt_in.channel)
        for code in sorted(set(codes) - {asked.purpose_code})
    ]
    return [event for event in others if event is not None]


def texts_beside(*, opt_in: OptIn) -> list[Notice]:
    """Return the words of what a yes to the question says yes to as well."""
    return [event.notice for event in beside(opt_in=opt_in) if event.notice is not None]


def pending(*, contact: Contact, channel: str, at: datetime) -> OptIn | None:
    """Return the newest question to a person on a channel that can still be answered."""
    return (
        OptIn.objects.filter(contact=contact, channel=channel, answered_at=None, expires_at__gt=at)
        .order_by("-asked_at")
        .first()
    )


def _events(contact: Contact, channel: str) -> QuerySet[ConsentEvent]:
    rows = ConsentEvent.objects.filter(contact=contact, channel=channel)
    return rows.select_related("notice", "form")


def _record(  # noqa: PLR0917  the parts of one act
    contact: Contact,
    purpose_code: str,
    opt_in: OptIn,
    act: str,
    at: datetime,
    evidence: Mapping[str, object],
    before: ConsentEvent | None,
) -> ConsentEvent:
    return ledger.record(
        contact=contact,
        purpose_code=purpose_code,
        channel=opt_in.channel,
        kind=ConsentEvent.Kind.CONFIRMED,
        act=act,
        source="double_opt_in",
        at=at,
        actor=Actor("recipient", contact.public_id),
        notice=(before.notice if before else None) or opt_in.notice,
        evidence=evidence,
        particulars=carried(before),
    )


def carried(given: ConsentEvent | None) -> Particulars:
    """Return what a confirmation carries on of what was given: its kind, form, seller and age."""
    if given is None:
        return ledger.NOTHING_MORE
    return Particulars(
        permission=given.permission,
        form=given.form,
        seller=given.seller,
        locale=given.locale,
        age_years=given.age_years,
    )
