"""AI vendors: the six facts of each, the contracts, and what an officer saw in the account."""

import uuid

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from accounts import audit, roles
from config.lib import clock
from integrations.models import Connection
from retention.views import frame
from videos import agreements, vendor_facts
from videos.models import ProcessorAgreement, VendorAttestation

LARGEST_BYTES = 10 << 20
DAY = forms.DateInput(attrs={"type": "date"})


class AgreementForm(forms.Form):
    connection = forms.ModelChoiceField(
        label="Account", queryset=Connection.objects.none(), empty_label=None
    )
    reference = forms.CharField(
        label="What the contract is called", max_length=64, help_text="Such as DPA-2026-7."
    )
    document = forms.FileField(
        label="The signed contract",
        help_text="Up to 10 MB. Its hash is kept and the file is not: keep it.",
    )
    clauses = forms.MultipleChoiceField(
        label="It says (Art. 28(3); one missing keeps the vendor off)",
        choices=[(letter, f"({letter}) {words}") for letter, words in agreements.CLAUSES.items()],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Tick what the contract says; it says nothing so far."},
    )
    sub_processors = forms.CharField(
        label="Sub-processors",
        help_text="One a line: name, country, what for. Write “none” if there is none.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    region = forms.CharField(
        label="Region", max_length=24, help_text="Where it works for us, such as eu or us."
    )
    signed_on = forms.DateField(label="Signed on", widget=DAY)
    expires_on = forms.DateField(label="In force until", help_text="The last day.", widget=DAY)
    residual_days = forms.IntegerField(
        label="Days that backups may keep a copy", min_value=0, max_value=3650
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["connection"].queryset = _accounts()  # type: ignore[attr-defined]


@roles.requires("console.view")
@require_safe
def vendor_list(request: HttpRequest) -> HttpResponse:
    return _page(request, AgreementForm())


@roles.requires("policy.change")
@require_POST
def record(request: HttpRequest) -> HttpResponse:
    form = AgreementForm(request.POST, request.FILES)
    if form.is_valid() and _recorded(request, form):
        return redirect("console:vendors")
    return _page(request, form, status=422)


@roles.requires("policy.change")
@require_POST
def end(request: HttpRequest, agreement_id: uuid.UUID) -> HttpResponse:
    row = get_object_or_404(ProcessorAgreement, pk=agreement_id)
    agreements.end(agreement=row, at=clock.now(), actor=audit.staff(frame.staff(request)))
    messages.success(request, "Ended. Nothing more leaves under this contract.")
    return redirect("console:vendors")


@roles.requires("policy.change")
@require_POST
def attest(request: HttpRequest, connection_id: uuid.UUID) -> HttpResponse:
    account = get_object_or_404(_accounts(), pk=connection_id)
    holds = request.POST.get("holds") == "1"
    agreements.attest(
        connection=account,
        holds=holds,
        means=VendorAttestation.Means.LOOKED,
        at=clock.now(),
        actor=audit.staff(frame.staff(request)),
    )
    said = "Kept for 24 hours." if holds else "Kept. Nothing leaves for this vendor now."
    messages.success(request, said)
    return redirect("console:vendors")


def _recorded(request: HttpRequest, form: AgreementForm) -> bool:
    said = dict(form.cleaned_data)
    upload: UploadedFile[bytes] = said.pop("document")
    if (upload.size or 0) > LARGEST_BYTES:
        form.add_error("document", "The document is larger than 10 MB. Scan it smaller.")
        return False
    said["sub_processors"] = said["sub_processors"].splitlines()
    try:
        agreements.record(
            **said, document=upload.read(), at=clock.now(), staff=frame.staff(request)
        )
    except agreements.BadAgreement as refused:
        form.add_error(refused.field, refused.problem)
        return False
    messages.success(request, "The contract is recorded.")
    return True


def _accounts() -> QuerySet[Connection]:
    return Connection.objects.filter(kind=Connection.Kind.VIDEO).order_by("label", "pk")


def _page(request: HttpRequest, form: AgreementForm, *, status: int = 200) -> HttpResponse:
    now = clock.now()
    cards = [
        {
            "row": row,
            "facts": vendor_facts.facts(connection=row, at=now),
            "agreements": list(agreements.of(row)[:10]),
            "is_ours": row.auth_kind == Connection.AuthKind.NONE,
        }
        for row in _accounts()
    ]
    return frame.page(
        request,
        "vendors.html",
        title="AI vendors",
        tab="vendors",
        cards=cards,
        form=form,
        today=now.date(),
        status=status,
    )
