"""The API of messages and links: a partner sends a campaign's video to one of its people."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Q
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import StrictSerializer, partner_of
from accounts.audit import Actor
from accounts.problems import Conflict
from config.lib import canonical, clock, ids
from consent import contacts, gate, likeness
from consent.models import Channel, Contact, Decision
from videos import delivery, links, progress
from videos.models import Campaign, Link, Recipient

KEY_LENGTH = 64
KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Up to 64 letters of your own. A retry with the same key returns the same "
    "message, with `Idempotent-Replayed: true`; the same key with another body is refused (409).",
)


class MessageIn(StrictSerializer):
    campaign = serializers.CharField(help_text="`cmp_...`, a campaign whose video is made.")
    contact = serializers.CharField(help_text="`con_...`, one of your own contacts.")


class ReasonOut(serializers.Serializer[Any]):
    code = serializers.CharField()
    rule = serializers.CharField()
    # The word of the decisions; Django REST framework has a type for an attribute of that name.
    source = serializers.CharField(  # type: ignore[assignment]
        help_text="Where the rule stands written."
    )
    text = serializers.CharField()


class MessageOut(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="`msg_...`")
    campaign = serializers.CharField()
    contact = serializers.CharField()
    channel = serializers.ChoiceField(choices=Channel.values)
    state = serializers.CharField(
        help_text="waiting, making, queued, deferred, sent, delivered; or refused, skipped, "
        "failed, cancelled, unknown (it left and no answer came: it is not sent again)."
    )
    reasons = ReasonOut(many=True)
    link = serializers.CharField(allow_null=True, help_text="`lnk_...`, to revoke it.")
    link_expires_at = serializers.CharField(allow_null=True)
    created_at = serializers.CharField()
    sent_at = serializers.CharField(allow_null=True)
    delivered_at = serializers.CharField(allow_null=True)


class LinkOut(serializers.Serializer[Any]):
    id = serializers.CharField()
    contact = serializers.CharField()
    revoked_at = serializers.CharField()


class MessagesView(APIView):
    required_scopes: Mapping[str, Sequence[str]] = {"POST": ["messages.write"]}

    @extend_schema(
        operation_id="messages_send",
        summary="Send a campaign's personalised video to one person",
        description="The gate judges first: for a person who may not be written to, no video is "
        "made, and the message says why. One message for each campaign and person, however often "
        "it is asked for.",
        tags=["messages"],
        parameters=[KEY],
        request=MessageIn,
        responses={202: MessageOut},
    )
    def post(self, request: Request) -> Response:
        form = MessageIn(data=request.data)
        form.is_valid(raise_exception=True)
        partner, now = partner_of(request), clock.now()
        campaign = _campaign(request, form.validated_data["campaign"])
        contact = _contact(request, form.validated_data["contact"])
        try:
            row = delivery.send_one(
                campaign=campaign,
                contact=contact,
                at=now,
                actor=Actor("partner", str(partner.pk)),
                request_key=_key(request),
            )
        except likeness.NotReleased as refused:
            detail = f"{refused.words}. Nothing was sent."
            raise Conflict(detail, code=refused.code) from None
        except delivery.NotSendable:
            detail = "This campaign's video is not made yet, or the campaign is paused or over."
            raise Conflict(detail, code="campaign_not_ready") from None
        except delivery.RequestKeyReused:
            detail = "This Idempotency-Key belongs to another request. Nothing was sent."
            raise Conflict(detail, code="idempotency_key_reused") from None
        headers = {"Location": f"/api/v1/messages/{row.public_id}"}
        if row.created_at != now:
            headers["Idempotent-Replayed"] = "true"
        return Response(_message(row), status=202, headers=headers)


class MessageView(APIView):
    required_scopes: Mapping[str, Sequence[str]] = {"GET": ["messages.read"]}

    @extend_schema(
        operation_id="messages_read",
        summary="What became of a message",
        tags=["messages"],
        responses=MessageOut,
    )
    def get(self, request: Request, message_name: str) -> Response:
        wanted = ids.parse("msg", message_name)
        rows = Recipient.objects.select_related("campaign", "contact", "message")
        # The id of the outbox's own row is taken too: officers see that one.
        row = rows.filter(
            Q(pk=wanted) | Q(message_id=wanted), campaign__partner=partner_of(request)
        ).first()
        if row is None:
            raise Http404
        return Response(_message(row))


class RevocationView(APIView):
    required_scopes: Mapping[str, Sequence[str]] = {"POST": ["links.write"]}

    @extend_schema(
        operation_id="links_revoke",
        summary="End a link at once",
        description="The next byte that is asked for is refused. A second call changes nothing.",
        tags=["links"],
        request=None,
        responses=LinkOut,
    )
    def post(self, request: Request, link_name: str) -> Response:
        partner = partner_of(request)
        rows = Link.objects.select_related("contact").filter(contact__partner=partner)
        link = rows.filter(pk=ids.parse("lnk", link_name)).first()
        if link is None:
            raise Http404
        links.revoke(link=link, at=clock.now(), actor=Actor("partner", str(partner.pk)))
        revoked = link.revoked_at
        return Response(
            {
                "id": link.public_id,
                "contact": link.contact.public_id,
                "revoked_at": canonical.instant(revoked) if revoked else None,
            }
        )


def _campaign(request: Request, name: str) -> Campaign:
    rows = Campaign.objects.filter(partner=partner_of(request), pk=_id("cmp", "campaign", name))
    found = rows.first()
    if found is None:
        raise _unknown("campaign")
    return found


def _contact(request: Request, name: str) -> Contact:
    rows = contacts.for_partner(partner_of(request)).filter(pk=_id("con", "contact", name))
    found = rows.first()
    if found is None:
        # Another partner's person is as absent as one that never was.
        raise _unknown("contact")
    return found


def _id(prefix: str, field: str, name: str) -> uuid.UUID:
    try:
        return ids.parse(prefix, name)
    except ids.NotAnId:
        raise _unknown(field) from None


def _unknown(field: str) -> serializers.ValidationError:
    return serializers.ValidationError({field: f"You have no such {field}."}, code="unknown_id")


def _key(request: Request) -> str:
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > KEY_LENGTH or not key.isascii() or not key.isprintable():
        raise serializers.ValidationError(
            {"Idempotency-Key": f"At most {KEY_LENGTH} printable letters of ASCII."}
        )
    return key


def _message(row: Recipient) -> dict[str, object]:
    message = row.message
    link = Link.objects.filter(message=message).first() if message else None
    return {
        "id": row.public_id,
        "campaign": row.campaign.public_id,
        "contact": row.contact.public_id,
        "channel": row.campaign.channel,
        "state": progress.state_of(recipient=row),
        "reasons": _reasons(row),
        "link": link.public_id if link else None,
        "link_expires_at": _instant(link.expires_at if link else None),
        "created_at": _instant(row.created_at),
        "sent_at": _instant(message.sent_at if message else None),
        "delivered_at": _instant(message.delivered_at if message else None),
    }


def _reasons(row: Recipient) -> list[dict[str, str]]:
    # The newest decision on this person in this campaign; an allowance needs no reason here.
    decision = (
        Decision.objects.filter(contact=row.contact_id, context_id=row.campaign_id)
        .order_by("-at")
        .first()
    )
    if decision is None or decision.verdict == Decision.Verdict.ALLOW:
        return []
    names = ("code", "rule", "source", "text")
    return [{name: one[name] for name in names} for one in gate.worded(decision.reasons)]


def _instant(at: Any) -> str | None:
    return canonical.instant(at) if at else None
