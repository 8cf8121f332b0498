"""The API of evidence: what a person agreed to, with every element that the law asks for."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import StrictSerializer, partner_of
from accounts.audit import Actor
from config.lib import clock
from consent import elements, forms_shown, ledger, permissions, purposes, records
from consent.api import ConsentOut, EvidenceIn, body_of, outcome, own_contact
from consent.elements import MissingElement, NotAnElement
from consent.forms_shown import NotAsShown
from consent.ledger import NotAnAct, Particulars
from consent.models import Channel, ConsentEvent, Contact, Notice, RenderedForm, WrittenConsent
from consent.purposes import OneBoxTwoPurposes, UnknownPurpose

Permission = ConsentEvent.Permission
PURPOSES = [code for code, _, _ in purposes.DEFAULTS if code not in purposes.OURS]
# A partner tells what a person did; it cannot confirm in their place, nor claim an import's act.
KINDS = ("given", "refused")
ACTS = ("checkbox", "keyword", "button", "voice", "paper", "api", "crm")
# What an element of the law is called in a body.
FIELD_OF = {"agreement": "notice", "disclosure": "form_sha256", "form": "form_sha256"}
TOP = {"notice", "form_sha256", "seller", "guardian", "permission"}


class DeclaredField(serializers.BooleanField):
    """A declaration: true or false as JSON has them, never "yes" or 1."""

    def to_internal_value(self, data: Any) -> bool:
        if isinstance(data, bool):
            return data
        return bool(self.fail("invalid", input=data))


class NoticeIn(StrictSerializer):
    language = serializers.CharField(max_length=16)
    text = serializers.CharField(max_length=8000, help_text="The exact words they were shown.")


class ElementsIn(StrictSerializer):
    """What the permission is made of beside its words; which are needed, its kind says."""

    number = serializers.CharField(required=False, max_length=40)
    signature = serializers.CharField(required=False, max_length=2000)
    signature_kind = serializers.ChoiceField(
        required=False, choices=WrittenConsent.Signature.choices
    )
    authorises_advertising = DeclaredField(required=False)
    authorises_automated = DeclaredField(required=False)
    not_a_condition = DeclaredField(required=False)
    order = serializers.CharField(required=False, max_length=120)
    product_class = serializers.CharField(required=False, max_length=80)
    sold_at = serializers.DateTimeField(required=False)
    opt_out_shown = DeclaredField(required=False)
    similar_goods = DeclaredField(required=False)
    reference = serializers.CharField(required=False, max_length=120)
    happened_at = serializers.DateTimeField(required=False)
    made_at = serializers.DateTimeField(required=False)
    statement = serializers.CharField(required=False, max_length=2000)
    information = serializers.CharField(required=False, max_length=2000)
    discloser = serializers.CharField(required=False, max_length=120)
    recipient = serializers.CharField(required=False, max_length=120)
    use = serializers.CharField(required=False, max_length=200)
    expires_at = serializers.DateTimeField(required=False)
    signed_at = serializers.DateTimeField(required=False)
    says_right_to_revoke = DeclaredField(required=False)
    says_not_a_condition = DeclaredField(required=False)
    says_may_be_disclosed_again = DeclaredField(required=False)


class ConsentIn(StrictSerializer):
    contact = serializers.CharField()
    purpose = serializers.ChoiceField(choices=PURPOSES, help_text="One: a call is one box.")
    channel = serializers.ChoiceField(choices=Channel.values)
    kind = serializers.ChoiceField(choices=KINDS)
    act = serializers.ChoiceField(choices=ACTS)
    permission = serializers.ChoiceField(
        choices=Permission.choices, required=False, default=Permission.EXPRESS.value
    )
    notice = NoticeIn(required=False)
    form_sha256 = serializers.RegexField(
        r"^[0-9a-f]{64}$", required=False, help_text="Of a form sent to `/consents/forms` before."
    )
    elements = ElementsIn(required=False)
    seller = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=120,
        help_text="By the name the person was shown.",
    )
    locale = serializers.CharField(required=False, default="", allow_blank=True, max_length=16)
    age_years = serializers.IntegerField(required=False, min_value=0, max_value=130)
    guardian = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=120,
        help_text="Who agreed for a child; sealed.",
    )
    said_at = serializers.DateTimeField(
        required=False, help_text="When it was said, if that was earlier than this call."
    )
    evidence = EvidenceIn()


class FormIn(StrictSerializer):
    purpose = serializers.ChoiceField(choices=PURPOSES)
    notice = NoticeIn()
    html = serializers.CharField(
        max_length=forms_shown.HTML_MAX_CHARS,
        trim_whitespace=False,
        help_text="The form as it was shown, empty: no box ticked, nothing filled in.",
    )


class FormOut(serializers.Serializer[Any]):
    notice_sha256 = serializers.CharField()
    form_sha256 = serializers.CharField()


class ConsentsView(APIView):
    required_scopes: Mapping[str, Sequence[str]] = {"POST": ["consents.write"]}

    @extend_schema(
        operation_id="consents_record",
        summary="Record what a person agreed to or refused, with its evidence",
        description="Each kind of permission needs its own elements: one that is missing or false "
        "is named by the pointer of the refusal, with the code `missing_element`, and nothing is "
        "recorded. A person's stop is not undone by this: only their own confirmation does.",
        tags=["consents"],
        request=ConsentIn,
        responses={201: ConsentOut},
    )
    def post(self, request: Request) -> Response:
        body, at = body_of(ConsentIn, request), clock.now()
        contact = own_contact(request, body["contact"])
        actor = Actor("partner", str(partner_of(request).id))
        try:
            with transaction.atomic():
                event = _recorded(contact, body, at, actor)
        except UnknownPurpose:
            words = "There was no such purpose at that time."
            raise _invalid("said_at", words, "unknown_purpose") from None
        return Response(outcome(contact, [event]), status=201)


class FormsView(APIView):
    required_scopes: Mapping[str, Sequence[str]] = {"POST": ["consents.write"]}

    @extend_schema(
        operation_id="consents_keep_form",
        summary="Keep a form as it was shown, once, by its hash",
        description="A box that is ticked beforehand, an answer that stands in a field, or a form "
        "that does not show its words is refused. The same form again has the same hash.",
        tags=["consents"],
        request=FormIn,
        responses={201: FormOut},
    )
    def post(self, request: Request) -> Response:
        body, at = body_of(FormIn, request), clock.now()
        with transaction.atomic():
            notice = _notice(body, at)
            try:
                form = forms_shown.keep(notice=notice, html=body["html"], at=at)
            except NotAsShown as fault:
                raise _invalid("html", str(fault), "not_as_shown") from None
        shown = {"notice_sha256": notice.sha256, "form_sha256": form.sha256}
        return Response(shown, status=201)


class RecordView(APIView):
    required_scopes: Mapping[str, Sequence[str]] = {"GET": ["contacts.read", "consents.read"]}

    @extend_schema(
        operation_id="contacts_consent_record",
        summary="Read a contact's consent record (ISO/IEC TS 27560, in W3C DPV terms)",
        description="JSON-LD with its context inside. It names nobody.",
        tags=["consents"],
        responses={200: {"type": "object"}},
    )
    def get(self, request: Request, contact_name: str) -> Response:
        contact = own_contact(request, contact_name)
        return Response(records.export(contact=contact, at=clock.now()))


def _recorded(
    contact: Contact, body: Mapping[str, Any], at: datetime, actor: Actor
) -> ConsentEvent:
    notice, form = _notice(body, at) if "notice" in body else None, _form(body)
    if body["kind"] == ConsentEvent.Kind.REFUSED:
        return ledger.record(
            contact=contact,
            purpose_code=body["purpose"],
            channel=body["channel"],
            kind=body["kind"],
            act=body["act"],
            source="api",
            at=at,
            actor=actor,
            notice=notice,
            evidence=dict(body["evidence"]),
            particulars=_particulars(body, form, at),
        )
    try:
        return permissions.give(
            contact=contact,
            purpose_code=body["purpose"],
            channel=body["channel"],
            permission=elements.made(
                permission=body["permission"],
                told=body.get("elements", {}),
                notice=notice,
                form=form,
                seller=body["seller"],
            ),
            source="api",
            act=body["act"],
            at=at,
            actor=actor,
            evidence=dict(body["evidence"]),
            particulars=_particulars(body, form, at),
        )
    except MissingElement as fault:
        raise _missing(fault.name) from None
    except NotAnElement as fault:
        raise serializers.ValidationError(
            {"elements": {fault.name: [f"{fault}."]}}, code="unknown_field"
        ) from None
    except NotAnAct as fault:
        raise _invalid("act", f"{fault}.", "invalid_choice") from None
    except OneBoxTwoPurposes as fault:
        raise _invalid("notice", f"{fault}.", "one_box_two_purposes") from None


def _notice(body: Mapping[str, Any], at: datetime) -> Notice:
    try:
        purpose = purposes.current(body["purpose"], at)
        notice = purposes.notice(
            purpose=purpose,
            language=body["notice"]["language"],
            text=body["notice"]["text"],
            at=at,
        )
        purposes.require_own_text(notice=notice, purpose_code=purpose.code)
    except OneBoxTwoPurposes as fault:
        raise _invalid("notice", f"{fault}.", "one_box_two_purposes") from None
    return notice


def _form(body: Mapping[str, Any]) -> RenderedForm | None:
    if "form_sha256" not in body:
        return None
    form = RenderedForm.objects.filter(pk=body["form_sha256"]).first()
    if form is None:
        raise _invalid("form_sha256", "Send the form to /consents/forms first.", "unknown_form")
    return form


def _particulars(body: Mapping[str, Any], form: RenderedForm | None, at: datetime) -> Particulars:
    said_at = body.get("said_at")
    if said_at is not None and said_at > at:
        raise _invalid("said_at", "This is in the future.", "invalid")
    return Particulars(
        form=form,
        seller=body["seller"],
        locale=body["locale"],
        age_years=body.get("age_years"),
        guardian=body["guardian"],
        said_at=said_at,
    )


def _missing(name: str) -> serializers.ValidationError:
    field = FIELD_OF.get(name, name)
    told = [f"The element {name} is missing, false or not what it must be."]
    detail: dict[str, Any] = {field: told} if field in TOP else {"elements": {field: told}}
    return serializers.ValidationError(detail, code="missing_element")


def _invalid(field: str, words: str, code: str) -> serializers.ValidationError:
    return serializers.ValidationError({field: [words]}, code=code)
