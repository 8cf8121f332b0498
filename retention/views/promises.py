"""The seven promises: what the last check found, and a check to be made now, with its progress."""

import uuid

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe
from django_q.tasks import async_task

from accounts import audit, roles
from accounts.models import TrailLeaf
from config.lib import clock, pace
from retention import verification
from retention.models import VerificationReport
from retention.views import frame


@roles.requires("console.view")
@require_safe
def promises(request: HttpRequest) -> HttpResponse:
    return _shown(request, verification.latest())


@roles.requires("console.view")
@require_safe
def report(request: HttpRequest, report_id: uuid.UUID) -> HttpResponse:
    return _shown(request, get_object_or_404(VerificationReport, pk=report_id))


@roles.requires("trail.verify")
@require_POST
def verify(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        asked = verification.ask(at=clock.now(), staff=frame.staff(request))
        async_task("retention.jobs.verify", str(asked.pk))
    return redirect("console:report", report_id=asked.pk)


@roles.requires("trail.view")
@require_safe
def trail(_request: HttpRequest) -> HttpResponse:
    return redirect("admin:accounts_trailleaf_changelist")


@roles.requires("trail.verify")
@require_POST
def seal(request: HttpRequest) -> HttpResponse:
    count = audit.seal(at=clock.now())
    messages.success(request, f"{count} acts were put into signed blocks. Nothing else changed.")
    return redirect("admin:accounts_trailleaf_changelist")


def _shown(request: HttpRequest, found: VerificationReport | None) -> HttpResponse:
    head = audit.head()
    return frame.page(
        request,
        "promises.html",
        title="The seven promises",
        tab="promises",
        report=found,
        total=len(verification.TITLES),
        pace=_pace(found),
        head=head,
        public_key=audit.public_key(),
        unsealed=audit.unsealed(),
        entries=TrailLeaf.objects.count(),
    )


def _pace(found: VerificationReport | None) -> pace.Pace:
    if found is None:
        return pace.Pace()
    total = len(verification.TITLES)
    return pace.of(done=found.done, total=total, began_at=found.started_at, at=clock.now())
