"""Runs, holds, requests and certificates: lists, and the acts that an officer may do with each."""

import uuid
from collections.abc import Mapping

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe
from django_q.tasks import async_task

from accounts import audit, roles
from config.lib import clock, pace
from consent import crm_writing
from consent.models import Writeback
from retention import holds, runs, subject_requests
from retention.models import Certificate, Hold, Run, RunItem, SubjectRequest
from retention.views import crms, frame
from videos import incidents
from videos.models import Incident

PAGE_ROWS = 50
Told = Mapping[uuid.UUID, list[Writeback]]


@roles.requires("console.view")
@require_safe
def run_list(request: HttpRequest) -> HttpResponse:
    rows = Run.objects.select_related("actor").order_by("-planned_at")
    found = Paginator(rows, PAGE_ROWS).get_page(request.GET.get("page"))
    return frame.page(request, "runs.html", title="Runs", tab="runs", found=found)


@roles.requires("run.start")
@require_POST
def run_plan(request: HttpRequest) -> HttpResponse:
    run = runs.plan(at=clock.now(), trigger="officer", staff=frame.staff(request))
    return redirect("console:run", run_id=run.pk)


@roles.requires("console.view")
@require_safe
def run(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    found = get_object_or_404(Run, pk=run_id)
    counts = found.items.values("record_class", "state").annotate(count=Count("pk"))
    ended = found.items.exclude(state=RunItem.State.PENDING).count()
    return frame.page(
        request,
        "run.html",
        title="Run",
        tab="runs",
        run=found,
        counts=counts.order_by("record_class", "state"),
        items=found.items.order_by("pk")[:PAGE_ROWS],
        ended=ended,
        skipped=found.items.filter(state=RunItem.State.HELD).count(),
        pace=pace.of(
            done=ended,
            total=found.item_count,
            began_at=found.started_at,
            at=found.finished_at or clock.now(),
        ),
        failed=found.items.filter(state=RunItem.State.FAILED).count(),
        certificates=Certificate.objects.filter(run=found).order_by("number")[:PAGE_ROWS],
    )


@roles.requires("run.start")
@require_POST
def run_execute(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    found, now = get_object_or_404(Run, pk=run_id), clock.now()
    try:
        if found.needs_confirmation and found.confirmed_at is None:
            runs.confirm(run=found, at=now, staff=frame.staff(request))
        runs.require_plan(run=found)
    except runs.RunRefused as refused:
        messages.error(request, str(refused))
        return redirect("console:run", run_id=found.pk)
    with transaction.atomic():
        async_task("retention.jobs.execute", str(found.pk))
    messages.info(request, "The run was handed to the jobs. This page shows how far it is.")
    return redirect("console:run", run_id=found.pk)


@roles.requires("console.view")
@require_safe
def hold_list(request: HttpRequest) -> HttpResponse:
    rows = Hold.objects.select_related("placed_by", "released_by")
    return frame.page(
        request,
        "holds.html",
        title="Holds",
        tab="holds",
        in_force=rows.filter(released_at=None).order_by("-placed_at"),
        released=rows.exclude(released_at=None).order_by("-released_at")[:PAGE_ROWS],
    )


@roles.requires("hold.release")
@require_POST
def hold_release(request: HttpRequest, hold_id: uuid.UUID) -> HttpResponse:
    hold = get_object_or_404(Hold, pk=hold_id)
    try:
        with transaction.atomic():
            holds.release(hold=hold, at=clock.now(), staff=frame.staff(request))
            async_task("retention.jobs.run_policies")
        messages.success(request, "The hold was released. What it deferred is judged again now.")
    except holds.NotHeld:
        messages.warning(request, "This hold was released before. Nothing was changed.")
    return redirect("console:holds")


@roles.requires("console.view")
@require_safe
def request_list(request: HttpRequest) -> HttpResponse:
    rows = SubjectRequest.objects.select_related("contact", "handled_by")
    return frame.page(
        request,
        "requests.html",
        title="Requests of people",
        tab="requests",
        now=clock.now(),
        waiting=rows.filter(closed_at=None).order_by("due_at"),
        closed=rows.exclude(closed_at=None).order_by("-closed_at")[:PAGE_ROWS],
    )


@roles.requires("request.close")
@require_POST
def request_close(request: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    found = get_object_or_404(SubjectRequest, pk=request_id)
    outcome = "refused" if "refuse" in request.POST else "done"
    try:
        subject_requests.close(
            request=found, outcome=outcome, at=clock.now(), staff=frame.staff(request)
        )
        messages.success(request, f"{found.public_id} was closed as {outcome}.")
    except subject_requests.RequestRefused as refused:
        messages.error(request, f"{refused} Nothing was changed.")
    return redirect("console:requests")


@roles.requires("console.view")
@require_safe
def incident_list(request: HttpRequest) -> HttpResponse:
    rows = Incident.objects.all()
    return frame.page(
        request,
        "incidents.html",
        title="Incidents",
        tab="dashboard",
        open_now=rows.filter(closed_at=None).order_by("opened_at"),
        closed=rows.exclude(closed_at=None).order_by("-closed_at")[:PAGE_ROWS],
    )


@roles.requires("request.close")
@require_POST
def incident_close(request: HttpRequest, incident_id: uuid.UUID) -> HttpResponse:
    row = get_object_or_404(Incident, pk=incident_id)
    closed = incidents.close(
        kinds=[row.kind],
        object_id=row.object_id,
        at=clock.now(),
        actor=audit.staff(frame.staff(request)),
    )
    if closed:
        messages.success(request, "Closed. That you looked into it stands in the trail.")
    else:
        messages.warning(request, "This incident was closed before. Nothing was changed.")
    return redirect("console:incidents")


@roles.requires("console.view")
@require_safe
def certificate_list(request: HttpRequest) -> HttpResponse:
    rows = Certificate.objects.select_related("run").order_by("-number")
    found = Paginator(rows, PAGE_ROWS).get_page(request.GET.get("page"))
    told = crm_writing.erasures_of(
        contact_ids=[row.contact_id for row in found if row.contact_id is not None]
    )
    return frame.page(
        request,
        "certificates.html",
        title="Certificates",
        tab="certificates",
        found=found,
        rows=[(row, _answers(told, row)) for row in found],
    )


def _answers(told: Told, row: Certificate) -> list[tuple[Writeback, str]]:
    rows = told.get(row.contact_id, []) if row.contact_id else []
    return [(one, crms.answered(one)) for one in rows]


@roles.requires("console.view")
@require_safe
def certificate(request: HttpRequest, number: int) -> HttpResponse:
    row = get_object_or_404(Certificate, number=number)
    document = {
        "document": row.document,
        "sha256": row.document_hash,
        "signing_id": row.signing_id,
        "signature": row.signature,
    }
    return frame.download(document, f"certificate-{row.number}.json")
