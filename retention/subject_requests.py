"""What did a person ask of us, and by when must it be answered?"""

import calendar
from datetime import datetime

from django.db import transaction

from accounts import audit
from accounts.models import User
from config.lib import canonical
from consent import crm_writing, suppression
from consent.models import Channel, Contact
from retention import inventory, runs
from retention.models import Run, RunItem, SubjectRequest

Kind = SubjectRequest.Kind
State = SubjectRequest.State
EXPORT_FORMAT = "sealcast-access/1"


class RequestRefused(Exception):
    """The request cannot be taken; the text says why, in words fit for a page."""


class NotErased(Exception):
    """The erasure is not finished: a part failed and will be tried again."""


@transaction.atomic
def open_request(
    *, contact: Contact, kind: str, channel: str, at: datetime, staff: User | None = None
) -> SubjectRequest:
    """Take a person's request; its month begins now. An erasure stops all messages at once.

    Law: GDPR Art. 12(3), one month from receipt; Art. 15, 16, 17, 21.
    :raises RequestRefused: an unknown kind, an erased person, or the same request is open.
    """
    if kind not in Kind.values:
        raise RequestRefused("There is no such kind of request.")
    if contact.erased_at:
        raise RequestRefused("This person was erased already; the certificate says when.")
    waiting = [State.OPEN, State.DEFERRED]
    if SubjectRequest.objects.filter(contact=contact, kind=kind, state__in=waiting).exists():
        raise RequestRefused("The same request is open already.")
    if kind == Kind.ERASURE:
        # While the addresses can still be read: a later import must not write to this person.
        for known in Channel.values:
            suppression.suppress(contact=contact, channel=known, reason="erasure", at=at)
    request = SubjectRequest.objects.create(
        contact=contact,
        kind=kind,
        channel=channel,
        received_at=at,
        due_at=month_after(at),
        handled_by=staff,
    )
    _record("retention.request.opened", request, at=at, staff=staff)
    return request


def open_asked_in_crms(*, at: datetime) -> int:
    """Open an erasure for each person who asked in a CRM to be forgotten; return how many.

    Law: GDPR Art. 17(1): whoever asks the CRM's owner has asked us.
    """
    known = SubjectRequest.objects.filter(kind=Kind.ERASURE)
    asked = crm_writing.asked_to_be_forgotten()
    opened = set(known.filter(contact__in=asked).values_list("contact_id", flat=True))
    fresh = {contact.pk: contact for contact in asked if contact.pk not in opened}
    for contact in fresh.values():
        open_request(contact=contact, kind=Kind.ERASURE, channel="crm", at=at)
    return len(fresh)


def carry_out(*, request: SubjectRequest, at: datetime) -> SubjectRequest:
    """Erase the person of an erasure request; a hold defers it, a failure leaves it open.

    Law: GDPR Art. 17(1), 17(3)(e).
    :raises RequestRefused: it is no open erasure.
    :raises NotErased: a part failed; carrying it out again goes on from there.
    """
    if request.kind != Kind.ERASURE or request.state not in {State.OPEN, State.DEFERRED}:
        raise RequestRefused("This is no open request for erasure.")
    run = _run_of(request, at)
    try:
        run = runs.execute(run=run, at=at) if run.state != Run.State.DONE else run
    except runs.HoldInForce:
        return _move(request, State.DEFERRED, at=at, staff=request.handled_by)
    if run.items.filter(state=RunItem.State.HELD).exists():
        return _move(request, State.DEFERRED, at=at, staff=request.handled_by)
    if run.state != Run.State.DONE:
        raise NotErased
    return _move(request, State.DONE, at=at, staff=request.handled_by)


def close(
    *, request: SubjectRequest, outcome: str, at: datetime, staff: User | None
) -> SubjectRequest:
    """Close a request that was answered or refused.

    :raises RequestRefused: it is closed, the outcome is none, or an erasure was not carried out.
    """
    if request.closed_at is not None or outcome not in {State.DONE, State.REFUSED}:
        raise RequestRefused("This request is closed already, or this is no way to close it.")
    if request.kind == Kind.ERASURE and outcome == State.DONE:
        raise RequestRefused("An erasure is done when its certificate is issued, not before.")
    return _move(request, outcome, at=at, staff=staff)


def export(*, contact: Contact, at: datetime, staff: User) -> dict[str, object]:
    """Return all that is held of a person, signed, and note who took it.

    Law: GDPR Art. 15(3) and 20(1), a copy in a machine-readable form.
    """
    body: dict[str, object] = {
        "format": EXPORT_FORMAT,
        "person": contact.public_id,
        "made_at": canonical.instant(at),
        "data": inventory.export(contact_id=contact.pk, at=at),
    }
    audit.record(
        action="retention.access.exported",
        at=at,
        actor=audit.staff(staff),
        subject_id=contact.pk,
        details={"sha256": canonical.digest(body)},
    )
    return {**body, "signed": audit.sign(body)}


def month_after(at: datetime) -> datetime:
    """Return the same day of the next month, or that month's last."""
    year, month = (at.year + 1, 1) if at.month == 12 else (at.year, at.month + 1)
    last = calendar.monthrange(year, month)[1]
    return at.replace(year=year, month=month, day=min(at.day, last))


def _run_of(request: SubjectRequest, at: datetime) -> Run:
    run = request.run
    begun = run is not None and run.state in {Run.State.RUNNING, Run.State.UNFINISHED}
    if run is not None and (begun or run.items.filter(state=RunItem.State.ERASED).exists()):
        return run
    # A plan made before a hold came or went is not the plan of today.
    with transaction.atomic():
        request.run = runs.plan(
            at=at, trigger="erasure_request", contact=request.contact, staff=request.handled_by
        )
        request.save(update_fields=["run"])
    return request.run


@transaction.atomic
def _move(
    request: SubjectRequest, state: str, *, at: datetime, staff: User | None
) -> SubjectRequest:
    if request.state == state:
        return request
    request.state = state
    request.closed_at = at if state in {State.DONE, State.REFUSED} else None
    request.save(update_fields=["state", "closed_at"])
    _record(f"retention.request.{state}", request, at=at, staff=staff)
    return request


def _record(action: str, request: SubjectRequest, *, at: datetime, staff: User | None) -> None:
    audit.record(
        action=action,
        at=at,
        actor=audit.staff(staff),
        subject_id=request.contact_id,
        object_type="retention.request",
        object_id=str(request.pk),
        details={"kind": request.kind, "channel": request.channel},
    )
