"""The page on which a marketer brings a video of their own, in place of one the AI makes."""

import uuid
from typing import Any

from django.contrib import messages
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST

from accounts import keys, roles
from config.lib import clock
from videos import campaigns, languages, rendering, steps, uploads
from videos.forms import UploadForm
from videos.models import Campaign, Render
from videos.uploads import NotAnUpload, Upload
from videos.views import READ, actor

# The form's own fields and borders.
BESIDES_BYTES = 1 << 20


class InMemory(MemoryFileUploadHandler):
    """Holds a whole video in memory: a temporary file would lie plain on the disk."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, str],  # noqa: N803  Django's name
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        self.activated = content_length <= uploads.LARGEST_BYTES + BESIDES_BYTES


def _is_too_large(request: HttpRequest) -> bool:
    return int(request.META.get("CONTENT_LENGTH") or 0) > uploads.LARGEST_BYTES + BESIDES_BYTES


@csrf_exempt
def upload(request: HttpRequest, campaign_id: uuid.UUID) -> HttpResponse:
    # Before anything reads the body, the token in it included, it is said how it is held.
    if request.method == "POST":
        request.upload_handlers = [InMemory(request)]
    answer: HttpResponse = _upload(request, campaign_id)
    return answer


@csrf_protect
@roles.requires("campaign.edit")
@require_http_methods(READ)
def _upload(request: HttpRequest, campaign_id: uuid.UUID) -> HttpResponse:
    row = get_object_or_404(Campaign, pk=campaign_id)
    written = [(one, languages.name(one)) for one in campaigns.scripts(row)]
    form = UploadForm(request.POST or None, request.FILES or None, choices=written)
    if request.method == "POST" and not request.FILES and _is_too_large(request):
        form.add_error("video", f"{uploads.WORDS['too_large']} Nothing was changed.")
    if form.is_valid() and _receive(request, row, form):
        messages.success(request, "The video was taken. It is decoded now; the page tells how.")
        return redirect("videos:upload", campaign_id=row.pk)
    context = {
        "campaign": row,
        "steps": steps.of(row, "script"),
        "form": form,
        "written": bool(written),
        "editable": row.state in campaigns.EDITABLE,
        "uploads": [_shown(one) for one in uploads.latest(campaign=row)],
    }
    return render(request, "videos/upload.html", context, status=400 if form.errors else 200)


@roles.requires("campaign.edit")
@require_POST
def take_back(request: HttpRequest, campaign_id: uuid.UUID) -> HttpResponse:
    row = get_object_or_404(Campaign, pk=campaign_id)
    language = str(request.POST.get("language", ""))
    try:
        uploads.take_back(campaign=row, language=language, at=clock.now(), actor=actor(request))
        messages.success(request, "The video was taken back. The AI makes the base again.")
    except campaigns.NotNow as refused:
        messages.error(request, str(refused))
    return redirect("videos:upload", campaign_id=row.pk)


def _receive(request: HttpRequest, row: Campaign, form: UploadForm) -> bool:
    said, captions = form.cleaned_data, form.cleaned_data["captions"]
    came = Upload(
        video=said["video"].read(),
        captions_vtt=captions.read().decode(errors="replace") if captions else "",
        slot_ms=round(said["slot_seconds"] * 1000),
        made_by=said["made_by"],
    )
    try:
        uploads.receive(
            campaign=row,
            language=said["language"],
            upload=came,
            at=clock.now(),
            actor=actor(request),
        )
    except NotAnUpload as refused:
        form.add_error(_FIELDS.get(refused.code, "video"), f"{refused.words} Nothing was changed.")
    except rendering.NotReleased as refused:
        form.add_error(None, f"{refused.words}. Nothing was changed.")
    except keys.KeyRefused:
        form.add_error(None, "This campaign has been closed. Nothing was changed.")
    except campaigns.NotNow as refused:
        form.add_error(None, str(refused))
    return not form.errors


_FIELDS = {
    "bad_slot": "slot_seconds",
    "bad_kind": "made_by",
    "bad_captions": "captions",
    "personal_captions": "captions",
    "no_script": "language",
    "bad_language": "language",
}


def _shown(one: Render) -> dict[str, object]:
    return {
        "render": one,
        "language": languages.name(one.language),
        "words": uploads.words_of(render=one),
        "used": one.state != Render.State.FAILED,
        "waits": one.state == Render.State.WAITING,
    }
