"""The pages of imports, of people and of evidence: upload, check, import, or put away."""

import csv
import uuid
from typing import Any, cast

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_q.tasks import async_task

from accounts import people, roles
from accounts.models import User
from config.lib import clock, pace
from consent import evidence_imports, import_words, imports, lists
from consent.forms import EvidenceForm, ImportForm
from consent.models import ImportBatch

# Up to this size a check takes about a second: the answer waits for it.
CHECKED_AT_ONCE_BYTES = 200_000
IMPORTS_SHOWN = 50
PROBLEMS_SHOWN = 100
MOVING = {ImportBatch.State.CHECKING, ImportBatch.State.COMMITTING}
Kind = ImportBatch.Kind
JOB = "consent.jobs.work_on_import"


@roles.requires("contact.import")
@require_http_methods(["GET", "HEAD", "POST"])
def import_list(request: HttpRequest) -> HttpResponse:
    return _list(request, Kind.PEOPLE, ImportForm)


@roles.requires("contact.import")
@require_http_methods(["GET", "HEAD", "POST"])
def evidence_list(request: HttpRequest) -> HttpResponse:
    return _list(request, Kind.EVIDENCE, EvidenceForm)


@roles.requires("contact.import")
@require_safe
def import_page(request: HttpRequest, batch_id: uuid.UUID) -> HttpResponse:
    return render(request, "consent/import.html", _context(batch_id))


@roles.requires("contact.import")
@require_safe
def import_progress(request: HttpRequest, batch_id: uuid.UUID) -> HttpResponse:
    context = _context(batch_id)
    answer = render(request, "consent/_import_progress.html", context)
    if not context["moving"]:
        # The work is done: the whole page has more to say than this part of it.
        answer.headers["HX-Refresh"] = "true"
    return answer


@roles.requires("contact.import")
@require_POST
def import_commit(request: HttpRequest, batch_id: uuid.UUID) -> HttpResponse:
    batch = get_object_or_404(ImportBatch, pk=batch_id)
    try:
        with transaction.atomic():
            imports.start(batch=batch, at=clock.now(), actor=people.actor(cast(User, request.user)))
            async_task(JOB, str(batch.pk))
    except imports.NotInThisState:
        messages.error(request, "This list is being imported, or was put away, already.")
    return redirect("consent:import", batch_id=batch_id)


@roles.requires("contact.import")
@require_POST
def import_discard(request: HttpRequest, batch_id: uuid.UUID) -> HttpResponse:
    batch = get_object_or_404(ImportBatch.objects.select_related("key"), pk=batch_id)
    try:
        imports.discard(batch=batch, at=clock.now(), actor=people.actor(cast(User, request.user)))
        messages.success(request, "The list was put away and its rows destroyed. Nothing changed.")
    except imports.NotInThisState:
        messages.error(request, "This list was imported or put away already. Nothing was changed.")
    return redirect(import_words.WORDS[batch.kind].page)


@roles.requires("contact.import")
@require_safe
def import_problems(request: HttpRequest, batch_id: uuid.UUID) -> HttpResponse:
    batch = get_object_or_404(ImportBatch.objects.select_related("key"), pk=batch_id)
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="problems.csv"'
    writer = csv.writer(answer)
    writer.writerow(["row", "column", "value", "problem"])
    for fault in imports.report(batch=batch, at=clock.now()):
        writer.writerow([fault.row, fault.column, lists.harmless(fault.value), fault.problem])
    return answer


def _list(request: HttpRequest, kind: str, shown: type[ImportForm]) -> HttpResponse:
    form = shown(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            batch = _received(request, form, kind)
            return redirect("consent:import", batch_id=batch.pk)
        except imports.BadFile as fault:
            form.add_error("file", str(fault))
    rows = ImportBatch.objects.filter(kind=kind).defer("rows_sealed", "report_sealed")
    context = {
        "form": form,
        "words": import_words.WORDS[kind],
        "needs": import_words.needs() if kind == Kind.EVIDENCE else [],
        "rows": [_row(row) for row in rows.order_by("-created_at")[:IMPORTS_SHOWN]],
    }
    return render(request, "consent/imports.html", context, status=422 if form.errors else 200)


def _received(request: HttpRequest, form: ImportForm, kind: str) -> ImportBatch:
    upload: UploadedFile[bytes] = form.cleaned_data["file"]
    of_evidence = kind == Kind.EVIDENCE
    user = request.user if isinstance(request.user, User) else None
    asked: dict[str, Any] = {
        "file": upload.read(),
        "source": form.cleaned_data["source"],
        "created_by": user,
        "at": clock.now(),
    }
    if upload.size is not None and upload.size <= CHECKED_AT_ONCE_BYTES:
        return evidence_imports.check(**asked) if of_evidence else imports.check(**asked)
    with transaction.atomic():
        receive = evidence_imports.receive if of_evidence else imports.receive
        batch = receive(**asked)
        async_task(JOB, str(batch.pk))
    return batch


def _context(batch_id: uuid.UUID) -> dict[str, Any]:
    rows = ImportBatch.objects.select_related("key", "created_by").defer("rows_sealed")
    batch = get_object_or_404(rows, pk=batch_id)
    moving = batch.state in MOVING
    found = imports.Findings() if moving else imports.findings(batch=batch, at=clock.now())
    return {
        "batch": batch,
        "moving": moving,
        "words": import_words.WORDS[batch.kind],
        "good_rows": _good(batch),
        "progress_total": _total(batch),
        "pace": pace.of(
            done=batch.done_rows,
            total=_total(batch),
            began_at=batch.started_at or batch.created_at,
            at=clock.now(),
        ),
        "stopped_rows": found.stopped_rows,
        "ignored": ", ".join(found.ignored[:20]),
        "problem_headers": ["Row", "Column", "Value, masked", "What is wrong"],
        "problem_count": len(found.problems),
        "problems": [
            [str(fault.row), fault.column, {"text": fault.value, "mono": True}, fault.problem]
            for fault in found.problems[:PROBLEMS_SHOWN]
        ],
    }


def _total(batch: ImportBatch) -> int:
    if batch.state == ImportBatch.State.COMMITTING:
        return _good(batch)
    return batch.total_rows


def _good(batch: ImportBatch) -> int:
    # Of a list of evidence what is known already stays as it is.
    known = 0 if batch.kind == Kind.EVIDENCE else batch.updated_rows
    return batch.new_rows + known


def _row(batch: ImportBatch) -> dict[str, Any]:
    return {"batch": batch, "good": _good(batch)}
