"""What goes and what stays, before anything goes; and a copy of all that is held of a person."""

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods
from django_q.tasks import async_task

from accounts import keys, roles
from config.lib import clock
from consent.models import Contact
from retention import footprint, holds, subject_requests
from retention.models import SubjectRequest
from retention.views import frame

READ = ["GET", "HEAD", "POST"]
CHANNELS = (("email", "E-mail"), ("letter", "Letter"), ("phone", "Phone"), ("page", "Link page"))


class RequestForm(forms.Form):
    channel = forms.ChoiceField(label="How did the person ask?", choices=CHANNELS)


class EraseForm(RequestForm):
    number = forms.IntegerField(label="Type the number of records that go")

    def __init__(self, data: object = None, *, expected: int) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        self.expected = expected

    def clean_number(self) -> int:
        number: int = self.cleaned_data["number"]
        if number != self.expected:
            raise forms.ValidationError(f"{self.expected} records go. Nothing was erased.")
        return number


@roles.requires("erasure.start")
@frame.asked_again
@require_http_methods(READ)
def erase(request: HttpRequest, public_id: str) -> HttpResponse:
    contact = frame.contact_or_404(public_id)
    stores = footprint.of(contact=contact, at=clock.now())
    form = EraseForm(request.POST or None, expected=footprint.records(stores))
    if form.is_valid() and _opened(request, contact, form):
        return redirect("console:requests")
    return frame.page(
        request,
        "erase.html",
        title=f"Erase {contact.public_id}",
        tab="people",
        contact=contact,
        stores=stores,
        form=form,
        is_held=holds.is_held(contact_id=contact.pk),
        status=422 if form.errors else 200,
    )


@roles.requires("request.close")
@frame.asked_again
@require_http_methods(READ)
def export(request: HttpRequest, public_id: str) -> HttpResponse:
    contact = frame.contact_or_404(public_id)
    if request.method == "POST":
        try:
            copy = subject_requests.export(
                contact=contact, at=clock.now(), staff=frame.staff(request)
            )
            return frame.download(copy, f"access-{public_id}.json")
        except keys.KeyRefused:
            messages.error(
                request, "The key of this person no longer opens. Nothing was given out."
            )
    stores = footprint.of(contact=contact, at=clock.now())
    title = f"Copy of all data of {contact.public_id}"
    return frame.page(
        request, "export.html", title=title, tab="people", contact=contact, stores=stores
    )


@roles.requires("request.open")
@require_http_methods(["POST"])
def ask(request: HttpRequest, public_id: str) -> HttpResponse:
    try:
        row = subject_requests.open_request(
            contact=frame.contact_or_404(public_id),
            kind=request.POST.get("kind", ""),
            channel="console",
            at=clock.now(),
            staff=frame.staff(request),
        )
        messages.success(request, f"{row.public_id} is open; it is due by {row.due_at:%-d %B %Y}.")
    except subject_requests.RequestRefused as refused:
        messages.error(request, f"{refused} Nothing was changed.")
    return redirect("console:person", public_id=public_id)


def _opened(request: HttpRequest, contact: Contact, form: EraseForm) -> bool:
    try:
        with transaction.atomic():
            row = subject_requests.open_request(
                contact=contact,
                kind=SubjectRequest.Kind.ERASURE,
                channel=form.cleaned_data["channel"],
                at=clock.now(),
                staff=frame.staff(request),
            )
            async_task("retention.jobs.carry_out", str(row.pk))
    except subject_requests.RequestRefused as refused:
        form.add_error(None, f"{refused} Nothing was erased.")
        return False
    messages.info(request, f"{row.public_id} is being carried out. Its certificate appears below.")
    return True
