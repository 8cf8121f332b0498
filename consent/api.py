"""The API of contacts and consent: a partner registers people, and records what they said."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import StrictSerializer, partner_of
from accounts.audit import Actor
from config.lib import canonical, clock, ids
from consent import addresses, contacts, ledger, standing
from consent.models import Channel, ConsentEvent, ConsentState, Contact

PAGE_MAX = 100
ACTS = ("checkbox", "keyword", "button", "voice", "paper")


class ContactIn(StrictSerializer):
    name = serializers.CharField(max_length=480)
    email = serializers.CharField(required=False, default="", allow_blank=True, max_length=254)
    phone = serializers.CharField(required=False, default="", allow_blank=True, max_length=40)
    language = serializers.CharField(required=False, default="", allow_blank=True, max_length=16)
    time_zone = serializers.CharField(required=False, default="", allow_blank=True, max_length=64)
    country = serializers.CharField(required=False, default="", allow_blank=True, max_length=2)
    region = serializers.CharField(required=False, default="", allow_blank=True, max_length=6)
    attributes = serializers.DictField(
        child=serializers.CharField(max_length=480, allow_blank=True),
        required=False,
        default=dict,
        help_text=f"Any of: {', '.join(addresses.ATTRIBUTES)}.",
    )


class StateOut(serializers.Serializer[Any]):
    purpose = serializers.CharField()
    channel = serializers.ChoiceField(choices=Channel.values)
    state = serializers.CharField()
    since = serializers.CharField()


class ContactOut(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="`con_...`; a name or an address is never sent back.")
    language = serializers.CharField()
    country = serializers.CharField()
    time_zone = serializers.CharField()
    channels = serializers.ListField(child=serializers.CharField())
    stopped = serializers.BooleanField(help_text="The person said stop: nothing is sent to them.")
    created_at = serializers.CharField()
    consents = StateOut(many=True)


class ContactPage(serializers.Serializer[Any]):
    items = ContactOut(many=True)
    next = serializers.CharField(allow_null=True, help_text="Give it as `after` for more.")


class EvidenceIn(StrictSerializer):
    text = serializers.CharField(max_length=2000, help_text="What the person did, and where.")
    reference = serializers.CharField(required=False, default="", max_length=120)


class WithdrawalIn(StrictSerializer):
    contact = serializers.CharField()
    channels = serializers.ListField(
        child=serializers.ChoiceField(choices=Channel.values),
        required=False,
        allow_empty=False,
        help_text="Left out: every channel, as the law reads a stop.",
    )
    act = serializers.ChoiceField(choices=ACTS)
    evidence = EvidenceIn(required=False)


class ConsentOut(serializers.Serializer[Any]):
    contact = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    consents = StateOut(many=True)


class ContactsView(APIView):
    required_scopes: Mapping[str, Sequence[str]] = {
        "GET": ["contacts.read"],
        "POST": ["contacts.write"],
    }

    @extend_schema(
        operation_id="contacts_list",
        summary="List the contacts of this partner",
        tags=["contacts"],
        parameters=[
            OpenApiParameter("after", str, description="The `next` of the page before."),
            OpenApiParameter("limit", int, description=f"1 to {PAGE_MAX}, 50 by default."),
        ],
        responses=ContactPage,
    )
    def get(self, request: Request) -> Response:
        limit = _limit(request)
        rows = contacts.for_partner(partner_of(request)).order_by("pk")
        if after := request.query_params.get("after"):
            rows = rows.filter(pk__gt=ids.parse("con", after))
        found = list(rows[: limit + 1])
        more = found[limit - 1].public_id if len(found) > limit else None
        return Response({"items": [_contact(row) for row in found[:limit]], "next": more})

    @extend_schema(
        operation_id="contacts_register",
        summary="Register a person, or bring them up to date",
        description="No consent comes of it. The same address again returns the same contact, so "
        "that a repeated call does nothing twice.",
        tags=["contacts"],
        request=ContactIn,
        responses={201: ContactOut},
    )
    def post(self, request: Request) -> Response:
        partner, body = partner_of(request), body_of(ContactIn, request)
        actor = Actor("partner", str(partner.id))
        try:
            row = contacts.register(
                partner=partner, source="api", at=clock.now(), actor=actor, **body
            )
        except contacts.NotAContact as fault:
            raise serializers.ValidationError({fault.field: fault.problem}) from None
        return Response(_contact(row), status=201)


class ContactView(APIView):
    required_scopes: Mapping[str, Sequence[str]] = {"GET": ["contacts.read"]}

    @extend_schema(
        operation_id="contacts_get",
        summary="Read a contact and where consent stands",
        tags=["contacts"],
        responses=ContactOut,
    )
    def get(self, request: Request, contact_name: str) -> Response:
        return Response(_contact(own_contact(request, contact_name)))


class WithdrawalView(APIView):
    required_scopes: Mapping[str, Sequence[str]] = {"POST": ["consents.write"]}

    @extend_schema(
        operation_id="consents_withdraw",
        summary="Take a person's consent back; links and queued messages end at once",
        description="A second call changes nothing more.",
        tags=["consents"],
        request=WithdrawalIn,
        responses=ConsentOut,
    )
    def post(self, request: Request) -> Response:
        body = body_of(WithdrawalIn, request)
        contact = own_contact(request, body["contact"])
        events = ledger.withdraw(
            contact=contact,
            channels=body.get("channels"),
            act=body["act"],
            means="api",
            source="api",
            at=clock.now(),
            actor=Actor("partner", str(partner_of(request).id)),
            evidence=dict(body.get("evidence") or {}),
        )
        return Response(outcome(contact, events))


def body_of(kind: type[StrictSerializer], request: Request) -> dict[str, Any]:
    form = kind(data=request.data)
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)


def own_contact(request: Request, name: str) -> Contact:
    rows = contacts.for_partner(partner_of(request)).filter(pk=_parsed(name))
    found = rows.first()
    if found is None:
        # Another partner's contact is as absent as one that never was.
        raise Http404
    return found


def _parsed(name: str) -> uuid.UUID:
    return ids.parse("con", name)


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", "50")
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:4]) <= PAGE_MAX:
        raise serializers.ValidationError({"limit": f"A whole number from 1 to {PAGE_MAX}."})
    return int(text)


def _contact(row: Contact) -> dict[str, object]:
    return {
        "id": row.public_id,
        "language": row.language,
        "country": row.country,
        "time_zone": row.time_zone,
        "channels": contacts.channels_of(row),
        "stopped": row.stopped_at is not None,
        "created_at": canonical.instant(row.created_at),
        "consents": _states(row),
    }


def _states(row: Contact) -> list[dict[str, str]]:
    at = clock.now()
    states = ConsentState.objects.filter(contact=row).order_by("purpose_code", "channel")
    return [
        {
            "purpose": state.purpose_code,
            "channel": state.channel,
            "state": standing.standing_of(state).effective(at),
            "since": canonical.instant(state.at),
        }
        for state in states
    ]


def outcome(contact: Contact, events: Sequence[ConsentEvent]) -> dict[str, object]:
    return {
        "contact": contact.public_id,
        "events": [str(event.pk) for event in events],
        "consents": _states(contact),
    }
