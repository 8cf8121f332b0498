"""A consent that was given on paper, on a recording or in a call: entered by staff, with proof."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts import keys, roles
from config.lib import clock
from consent import contacts, elements, permissions, proofs, purposes
from consent.elements import Elements, MissingElement
from consent.ledger import NotAnAct, Particulars
from consent.models import (
    Channel,
    ConsentEvent,
    Contact,
    Proof,
    Purpose,
    RenderedForm,
    WrittenConsent,
)
from consent.purposes import OneBoxTwoPurposes
from retention.views import frame
from retention.views.questions import CLOCK, marketing_first

Permission = ConsentEvent.Permission
Make = Callable[[], forms.Field]
SIGNED = (WrittenConsent.Signature.INK, WrittenConsent.Signature.VOICE)
# What nobody agrees to in words of their own.
NOT_ENTERED = (purposes.PERMISSION_REQUEST, purposes.STOP_CONFIRMATION)


def _when(label: str, *, required: bool = True) -> Make:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=CLOCK)
    return lambda: forms.DateTimeField(
        label=label, input_formats=[CLOCK], widget=widget, required=required
    )


def _words(label: str, most: int = 120) -> Make:
    return lambda: forms.CharField(label=label, max_length=most)


def _declared(label: str) -> Make:
    return lambda: forms.BooleanField(label=label)


class _FormShown(forms.ModelChoiceField):  # type: ignore[type-arg]  # not generic when it runs
    def label_from_instance(self, obj: RenderedForm) -> str:
        notice = obj.notice
        return f"{notice.purpose.title}, {notice.language}, kept {obj.created_at:%Y-%m-%d} ({obj})"


def _disclosure() -> forms.Field:
    return _FormShown(
        label="The disclosure that they saw",
        queryset=RenderedForm.objects.select_related("notice__purpose").order_by("-created_at"),
    )


def _signature_kind() -> forms.Field:
    return forms.ChoiceField(
        label="How they signed", choices=[(kind.value, kind.label) for kind in SIGNED]
    )


# The elements of each kind of permission, by the names they have in `consent.elements`.
FIELDS: dict[str, dict[str, Make]] = {
    Permission.EXPRESS: {},
    Permission.WRITTEN: {
        "seller": _words("The seller that is named"),
        "number": _words("The number that is named", 32),
        "disclosure": _disclosure,
        "signature_kind": _signature_kind,
        "signature": _words("The signature, as it reads or was spoken"),
        "authorises_advertising": _declared("It authorises advertising"),
        "authorises_automated": _declared("It authorises an autodialer or an artificial voice"),
        "not_a_condition": _declared("It says that it is no condition of a purchase"),
    },
    Permission.EXPLICIT: {"statement": _words("The statement that they made", 2000)},
    Permission.SOFT_OPT_IN: {
        "order": _words("The order"),
        "product_class": _words("What was sold", 80),
        "sold_at": _when("When it was sold (UTC)"),
        "opt_out_shown": _declared("A way out was shown at the sale"),
        "similar_goods": _declared("Only similar goods are written about"),
    },
    Permission.IMPLIED_PURCHASE: {
        "reference": _words("The purchase"),
        "happened_at": _when("When it was (UTC)"),
    },
    Permission.IMPLIED_INQUIRY: {
        "reference": _words("The inquiry"),
        "happened_at": _when("When it was (UTC)"),
    },
    Permission.CONTRACT: {
        "reference": _words("The contract"),
        "made_at": _when("When it was made (UTC)"),
    },
    Permission.HIPAA: {
        "information": _words("The information that may be used", 2000),
        "discloser": _words("Who may disclose it"),
        "recipient": _words("Who may receive it"),
        "use": _words("What for", 200),
        "expires_at": _when("When it ends (UTC)"),
        "signature": _words("The signature, as it reads"),
        "signed_at": _when("When it was signed (UTC)"),
        "says_right_to_revoke": _declared("It says that it can be revoked, and how"),
        "says_not_a_condition": _declared("It says that treatment does not depend on it"),
        "says_may_be_disclosed_again": _declared("It says that it may be disclosed again"),
    },
}


class EntryForm(forms.Form):
    purpose = forms.ChoiceField(label="What they agreed to")
    channel = forms.ChoiceField(label="On which channel", choices=Channel.choices)
    act = forms.ChoiceField(
        label="How they agreed",
        choices=[
            ("paper", "On paper"),
            ("voice", "On a recording"),
            ("call", "In a call"),
            ("staff", "To a colleague, face to face"),
        ],
    )
    said_at = forms.DateTimeField(
        label="When they agreed (UTC)",
        input_formats=[CLOCK],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=CLOCK),
        help_text="It counts from today on; what was sent before does not become lawful by it.",
    )
    proof = forms.FileField(
        label="Proof",
        help_text="A PDF, picture, recording, letter or text that shows the act, up to 5 MB. It is "
        "sealed under the person's key.",
    )
    note = forms.CharField(
        label="Where it comes from",
        max_length=500,
        help_text="In your words: which file, which drawer. It is sealed too.",
    )
    age_years = forms.IntegerField(
        label="Their age then, if it was told", required=False, min_value=0, max_value=120
    )
    guardian = forms.CharField(
        label="Who agreed for them, if they were a child", required=False, max_length=120
    )

    def __init__(self, permission: str, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.permission = permission
        only = elements.KINDS[permission].purpose_code
        rows = Purpose.objects.exclude(code__in=NOT_ENTERED).order_by("title")
        rows = rows.filter(code=only) if only else rows
        found = sorted(set(rows.values_list("code", "title")), key=marketing_first)
        self.fields["purpose"].choices = found  # type: ignore[attr-defined]
        for name, make in FIELDS[permission].items():
            self.fields[name] = make()

    def made_of(self) -> Elements:
        """Return the elements as they were filled in."""
        chosen = {name: self.cleaned_data[name] for name in FIELDS[self.permission]}
        chosen = {name: _aware(value) for name, value in chosen.items()}
        if "disclosure" in chosen:
            chosen["agreement"] = chosen["disclosure"].notice
        return replace(permissions.empty(self.permission), **chosen)


@roles.requires("consent.record")
@require_http_methods(["GET", "HEAD", "POST"])
def enter(request: HttpRequest, public_id: str) -> HttpResponse:
    contact = frame.contact_or_404(public_id)
    permission = request.GET.get("permission", Permission.EXPRESS.value)
    if permission not in FIELDS:
        raise Http404
    form = EntryForm(permission, request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid() and _entered(request, contact, form):
        messages.success(
            request,
            "Entered. It counts as given, and as weaker evidence than the person's own act: where "
            "a confirmation is asked for, it does not suffice.",
        )
        return redirect("console:person", public_id=public_id)
    return frame.page(
        request,
        "entry.html",
        title="Enter a consent",
        tab="people",
        contact=contact,
        masked=contacts.masked(contact=contact, at=clock.now()),
        form=form,
        kinds=_kinds(contact, permission),
        status=422 if form.errors else 200,
    )


@roles.requires("contact.reveal")
@require_POST
def proof(request: HttpRequest, public_id: str, proof_id: uuid.UUID) -> HttpResponse:
    contact = frame.contact_or_404(public_id)
    row = get_object_or_404(Proof.objects.select_related("contact__key"), pk=proof_id)
    if row.contact_id != contact.pk:
        raise Http404
    try:
        plain = proofs.opened(
            proof=row,
            at=clock.now(),
            staff=frame.staff(request),
            reason=request.POST.get("reason", ""),
        )
    except (proofs.NoReason, keys.KeyRefused) as refused:
        told = "Choose a reason" if isinstance(refused, proofs.NoReason) else "It does not open"
        messages.error(request, f"{told}. Nothing was shown.")
        return redirect("console:person", public_id=public_id)
    answer = HttpResponse(plain, content_type=row.media_type)
    # Never shown in our own origin: whatever somebody sent is a file.
    answer.headers["Content-Disposition"] = f'attachment; filename="proof-{row.file_sha256[:12]}"'
    return answer


def _entered(request: HttpRequest, contact: Contact, form: EntryForm) -> bool:
    chosen, now = form.cleaned_data, clock.now()
    upload: UploadedFile[bytes] = chosen["proof"]
    file = upload.read()
    try:
        # The proof is kept with the act that it shows, or neither.
        with transaction.atomic():
            kept = proofs.keep(
                contact=contact,
                file=file,
                media_type=proofs.kind_of(file),
                at=now,
                staff=frame.staff(request),
            )
            permissions.enter_by_staff(
                contact=contact,
                purpose_code=chosen["purpose"],
                channel=chosen["channel"],
                permission=form.permission,
                act=chosen["act"],
                said_at=chosen["said_at"].astimezone(UTC),
                proof=kept,
                note=chosen["note"],
                at=now,
                staff=frame.staff(request),
                made_of=form.made_of(),
                particulars=Particulars(age_years=chosen["age_years"], guardian=chosen["guardian"]),
            )
    except MissingElement as missing:
        place = missing.name if missing.name in form.fields else None
        form.add_error(place, f"{missing.name}: missing, or not what it must be. Nothing entered.")
    except proofs.NotAProof as refused:
        form.add_error("proof", f"{refused} Nothing was entered.")
    except (NotAnAct, OneBoxTwoPurposes, keys.KeyRefused) as refused:
        form.add_error(None, f"{refused} Nothing was entered.")
    return not form.errors


def _aware(value: object) -> object:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _kinds(contact: Contact, permission: str) -> list[dict[str, object]]:
    page = reverse("console:enter", args=[contact.public_id])
    return [
        {
            "label": kind.label,
            "href": f"{page}?permission={kind.value}",
            "current": kind == permission,
        }
        for kind in Permission
    ]
