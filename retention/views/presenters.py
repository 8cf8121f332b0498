"""Presenters' releases of face and voice: what is in force, a new one, and how one ends."""

import uuid
from datetime import UTC, date, datetime, time, timedelta

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from accounts import audit, roles
from config.lib import clock
from consent import likeness, purposes
from consent.models import LikenessRelease
from retention import inventory, runs
from retention.views import frame
from videos import languages

SHOWN = 200
USES = [(code, title) for code, title, _ in purposes.DEFAULTS if code in {"marketing", "service"}]
DAY = forms.DateInput(attrs={"type": "date"})


class ReleaseForm(forms.Form):
    presenter_code = forms.CharField(
        label="Code of the presenter",
        max_length=80,
        help_text="What campaigns call them, such as the vendor's avatar id. Not their name.",
    )
    name = forms.CharField(
        label="Who signed",
        max_length=likeness.NAME_LETTERS,
        help_text="Sealed under a key of this release, and shown in a copy only.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"}),
    )
    signature = forms.CharField(
        label="Signature",
        max_length=likeness.SIGNATURE_LETTERS,
        help_text="As typed, or how the document is signed. Sealed like the name.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"}),
    )
    document = forms.FileField(
        label="The signed document",
        help_text="PDF, PNG or JPEG, up to 5 MB. Its hash is kept and the file is not: keep it.",
        widget=forms.FileInput(attrs={"accept": ".pdf,.png,.jpg,.jpeg"}),
    )
    covers_face = forms.BooleanField(label="It covers the face", required=False)
    covers_voice = forms.BooleanField(label="It covers the voice", required=False)
    languages = forms.MultipleChoiceField(
        label="Languages", choices=languages.CHOICES, widget=forms.CheckboxSelectMultiple
    )
    purposes = forms.MultipleChoiceField(
        label="Used for", choices=USES, widget=forms.CheckboxSelectMultiple
    )
    signed_at = forms.DateField(label="Signed on", widget=DAY)
    valid_until = forms.DateField(
        label="In force until", help_text="The last day, in UTC.", widget=DAY
    )


@roles.requires("console.view")
@require_safe
def release_list(request: HttpRequest) -> HttpResponse:
    return _page(request, ReleaseForm())


@roles.requires("consent.record")
@require_POST
def record(request: HttpRequest) -> HttpResponse:
    form = ReleaseForm(request.POST, request.FILES)
    if form.is_valid() and _recorded(request, form):
        return redirect("console:presenters")
    return _page(request, form, status=422)


@roles.requires("consent.withdraw")
@require_POST
def revoke(request: HttpRequest, release_id: uuid.UUID) -> HttpResponse:
    release = get_object_or_404(LikenessRelease, pk=release_id)
    likeness.revoke(release=release, at=clock.now(), actor=audit.staff(frame.staff(request)))
    messages.success(request, "Revoked. No video of this release is made or sent any more.")
    return redirect("console:presenters")


@roles.requires("erasure.start")
@frame.asked_again
@require_POST
def erase(request: HttpRequest, release_id: uuid.UUID) -> HttpResponse:
    release = get_object_or_404(LikenessRelease, pk=release_id)
    try:
        runs.erase_presenter(release=release, at=clock.now(), staff=frame.staff(request))
        messages.success(request, "Who signed it is erased; the hash and the dates stay.")
    except runs.RunRefused as refused:
        messages.error(request, str(refused))
    return redirect("console:presenters")


@roles.requires("request.close")
@frame.asked_again
@require_POST
def export(request: HttpRequest, release_id: uuid.UUID) -> HttpResponse:
    release = get_object_or_404(LikenessRelease, pk=release_id)
    who = audit.staff(frame.staff(request))
    copy = inventory.export_presenter(
        presenter_code=release.presenter_code, at=clock.now(), staff=who
    )
    return frame.download(copy, f"presenter-{release.pk}.json")


def _recorded(request: HttpRequest, form: ReleaseForm) -> bool:
    said = dict(form.cleaned_data)
    upload: UploadedFile[bytes] = said.pop("document")
    if (upload.size or 0) > likeness.LARGEST_BYTES:
        form.add_error("document", "The document is larger than 5 MB. Scan it smaller.")
        return False
    said["signed_at"] = _midnight(said["signed_at"])
    said["valid_until"] = _midnight(said["valid_until"]) + timedelta(days=1)
    try:
        likeness.record(**said, document=upload.read(), at=clock.now(), staff=frame.staff(request))
    except likeness.BadRelease as refused:
        form.add_error(refused.field, refused.problem)
        return False
    messages.success(request, "The release is recorded. Campaigns can choose the presenter now.")
    return True


def _page(request: HttpRequest, form: ReleaseForm, *, status: int = 200) -> HttpResponse:
    rows = [_row(row) for row in likeness.releases()[:SHOWN]]
    return frame.page(
        request,
        "presenters.html",
        title="Presenters",
        tab="presenters",
        rows=rows,
        form=form,
        status=status,
    )


def _row(release: LikenessRelease) -> dict[str, object]:
    state = likeness.state_of(release=release, at=clock.now())
    covers = [word for word in ("face", "voice") if getattr(release, f"covers_{word}")]
    return {
        "release": release,
        "state": state,
        "covers": " and ".join(covers),
        "languages": ", ".join(languages.name(tag) for tag in release.languages),
        "purposes": ", ".join(code.replace("_", " ") for code in release.purposes),
        "last_day": release.valid_until - timedelta(microseconds=1),
        "is_erased": release.name_sealed is None,
    }


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)
