"""What does retention do by itself? Run the policies, carry out requests, check the promises."""

from datetime import timedelta

from config.lib import clock, logs
from consent import contacts
from retention import (
    certificates,
    holds,
    law_replays,
    policies,
    runs,
    subject_requests,
    tombstones,
    verification,
)
from retention.models import LawReplay, Run, SubjectRequest, VerificationReport

log = logs.get(__name__)
OPEN = [SubjectRequest.State.OPEN]
REPORTS_KEPT = timedelta(days=90)


def run_policies() -> None:
    at = clock.now()
    policies.ensure_defaults(at=at)
    # A new person's key ends after the first period; a changed policy holds for them as well.
    policies.follow(
        days_before=contacts.CONTACT_KEPT_DAYS, days_after=policies.days()[holds.CONTACT]
    )
    holds.keep_new_keys(at=at)
    runs.retry_unfinished(at=at)
    certificates.follow_up(at=at)
    bury_returned()
    subject_requests.open_asked_in_crms(at=at)
    for request in SubjectRequest.objects.filter(kind="erasure", state__in=OPEN):
        carry_out(str(request.pk))
    if not Run.objects.filter(state=Run.State.PLANNED, needs_confirmation=True, confirmed_at=None):
        _run_once()


def carry_out(request_id: str) -> None:
    request = SubjectRequest.objects.get(pk=request_id)
    try:
        subject_requests.carry_out(request=request, at=clock.now())
    except subject_requests.NotErased:
        log.warning("retention.request.unfinished", request_id=request_id)
    except subject_requests.RequestRefused:
        # Two jobs of one request: the first has carried it out.
        log.info("retention.request.closed_before", request_id=request_id)


def execute(run_id: str) -> None:
    run = Run.objects.get(pk=run_id)
    try:
        runs.execute(run=run, at=clock.now())
    except runs.RunRefused as refused:
        log.warning("retention.run.refused", run_id=run_id, reason=type(refused).__name__)


def bury_returned() -> None:
    for contact in list(tombstones.returned()):
        at = clock.now()
        runs.execute(run=runs.plan(at=at, trigger="restore", contact=contact), at=at)


def verify(report_id: str = "") -> None:
    at = clock.now()
    VerificationReport.objects.filter(started_at__lt=at - REPORTS_KEPT).delete()
    waiting = VerificationReport.objects.filter(finished_at=None)
    found = waiting.filter(pk=report_id).first() if report_id else None
    verification.carry_out(report=found or verification.ask(at=at, staff=None), at=at)


def replay(report_id: str) -> None:
    at = clock.now()
    LawReplay.objects.filter(started_at__lt=at - law_replays.KEPT).delete()
    report = LawReplay.objects.filter(pk=report_id, finished_at=None).first()
    if report is not None:
        law_replays.carry_out(report=report, at=at)


def _run_once() -> None:
    at = clock.now()
    # A plan of nothing but what is on hold would be made anew every hour.
    if not any(count.erase for count in policies.counts_if_run_now(at=at).values()):
        return
    run = runs.plan(at=at, trigger="schedule")
    if run.needs_confirmation:
        log.warning("retention.run.waits_for_officer", run_id=str(run.pk), items=run.item_count)
    else:
        execute(str(run.pk))
