"""The API of campaigns: what a partner may send, what it speaks of, and who speaks in it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import StrictSerializer, partner_of
from accounts.audit import Actor
from accounts.problems import Conflict
from config.lib import clock, ids
from consent.models import Channel
from videos import (
    audiences,
    campaigns,
    content_rules,
    contents,
    declarations,
    delivery,
    devices,
    presenters,
)
from videos.models import Campaign

PAGE_MAX = 100


class CampaignOut(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="`cmp_...`")
    name = serializers.CharField()
    channel = serializers.ChoiceField(choices=Channel.values)
    purpose = serializers.CharField()
    languages = serializers.ListField(child=serializers.CharField())
    state = serializers.ChoiceField(choices=Campaign.State.values)
    content = serializers.ListField(
        child=serializers.ChoiceField(choices=list(contents.LABELS)),
        help_text="What its words speak of: some of it asks for more than plain consent.",
    )
    presenter = serializers.CharField(help_text="Who is seen and heard; `drawn` is nobody.")
    devices_allowed = serializers.IntegerField(
        help_text="So many browsers open a link by the link alone."
    )
    step_up = serializers.ChoiceField(
        choices=Campaign.StepUp.choices,
        help_text="What the next browser meets. Where the words are about special data it is "
        "`always`, whatever was chosen.",
    )
    can_send = serializers.BooleanField(help_text="A message can be asked for now.")


class CampaignPage(serializers.Serializer[Any]):
    items = CampaignOut(many=True)
    next = serializers.CharField(allow_null=True, help_text="Give it as `after` for more.")


class WordOut(serializers.Serializer[Any]):
    language = serializers.CharField()
    word = serializers.CharField()
    line = serializers.IntegerField()
    column = serializers.IntegerField()


class RuleOut(serializers.Serializer[Any]):
    rule = serializers.CharField()
    # Django REST framework has a type for an attribute of that name.
    source = serializers.CharField(help_text="Where it stands written.")  # type: ignore[assignment]
    text = serializers.CharField()


class SpokenOut(serializers.Serializer[Any]):
    content = serializers.ChoiceField(choices=list(contents.LABELS))
    counts = serializers.BooleanField(help_text="Each person is judged by it.")
    declared = serializers.BooleanField(help_text="It was added by hand.")
    dismissed = serializers.CharField(help_text="Why its words are none; empty if they count.")
    words = WordOut(many=True, help_text="What was found in the scripts, and where.")
    rules = RuleOut(many=True, help_text="Who asks for more, where the audience is.")


class RefusalOut(serializers.Serializer[Any]):
    language = serializers.CharField()
    code = serializers.CharField()
    text = serializers.CharField()


class CampaignDetailOut(CampaignOut):
    spoken = SpokenOut(many=True)
    reachable = serializers.IntegerField(help_text="People who may get it, now or at their hour.")
    reachable_plain = serializers.IntegerField(
        help_text="How many that would be if it spoke of nothing that asks for more."
    )
    presenter_refusals = RefusalOut(
        many=True, help_text="Why the presenter may not be shown; empty if they may."
    )


class DevicesIn(StrictSerializer):
    """What is left out stays as it is."""

    devices_allowed = serializers.IntegerField(
        required=False, help_text="{} to {}.".format(*campaigns.DEVICES)
    )
    step_up = serializers.ChoiceField(required=False, choices=Campaign.StepUp.choices)


class DismissIn(StrictSerializer):
    content = serializers.CharField()
    reason = serializers.CharField(help_text=", ".join(f"`{one}`" for one in contents.REASONS))


class ContentIn(StrictSerializer):
    declare = serializers.ListField(
        child=serializers.CharField(), default=list, max_length=20, help_text="Classes to add."
    )
    take_back = serializers.ListField(
        child=serializers.CharField(),
        default=list,
        max_length=20,
        help_text="Classes that were added and are to go; not once sending has begun.",
    )
    dismiss = serializers.ListField(
        child=DismissIn(),
        default=list,
        max_length=20,
        help_text="Words that were found and are none, with the reason; it stands in the trail.",
    )


class CampaignsView(APIView):
    required_scopes: Mapping[str, Sequence[str]] = {"GET": ["messages.read"]}

    @extend_schema(
        operation_id="campaigns_list",
        summary="List the campaigns of this partner",
        tags=["messages"],
        parameters=[
            OpenApiParameter("after", str, description="The `next` of the page before."),
            OpenApiParameter("limit", int, description=f"1 to {PAGE_MAX}, 50 by default."),
        ],
        responses=CampaignPage,
    )
    def get(self, request: Request) -> Response:
        limit = _limit(request)
        rows = Campaign.objects.filter(partner=partner_of(request)).order_by("pk")
        if after := request.query_params.get("after"):
            rows = rows.filter(pk__gt=ids.parse("cmp", after))
        found = list(rows[: limit + 1])
        more = found[limit - 1].public_id if len(found) > limit else None
        return Response({"items": [_listed(row) for row in found[:limit]], "next": more})


class CampaignView(APIView):
    required_scopes: Mapping[str, Sequence[str]] = {
        "GET": ["messages.read"],
        "PATCH": ["messages.write"],
    }

    @extend_schema(
        operation_id="campaigns_read",
        summary="What a campaign speaks of, whom that leaves, and who speaks",
        tags=["messages"],
        responses=CampaignDetailOut,
    )
    def get(self, request: Request, campaign_name: str) -> Response:
        return Response(_detail(_found(request, campaign_name)))

    @extend_schema(
        operation_id="campaigns_devices",
        summary="Say on how many browsers a link opens, and what the next one meets",
        description="Over once sending has begun. What is left out stays.",
        tags=["messages"],
        request=DevicesIn,
        responses=CampaignDetailOut,
    )
    def patch(self, request: Request, campaign_name: str) -> Response:
        row = _found(request, campaign_name)
        form = DevicesIn(data=request.data)
        form.is_valid(raise_exception=True)
        actor = Actor("partner", str(partner_of(request).pk))
        with _told():
            campaigns.set_devices(campaign=row, at=clock.now(), actor=actor, **form.validated_data)
        return Response(_detail(_found(request, campaign_name)))


class ContentView(APIView):
    required_scopes: Mapping[str, Sequence[str]] = {"POST": ["messages.write"]}

    @extend_schema(
        operation_id="campaigns_content",
        summary="Say what a campaign speaks of",
        description="Adding only makes the gate stricter. Taking out needs a reason, and is over "
        "once sending has begun. All of a request is done, or nothing.",
        tags=["messages"],
        request=ContentIn,
        responses=CampaignDetailOut,
    )
    def post(self, request: Request, campaign_name: str) -> Response:
        row = _found(request, campaign_name)
        form = ContentIn(data=request.data)
        form.is_valid(raise_exception=True)
        said = form.validated_data
        with _told():
            declarations.change(
                campaign=row,
                declared=said["declare"],
                taken_back=said["take_back"],
                dismissed={one["content"]: one["reason"] for one in said["dismiss"]},
                at=clock.now(),
                actor=Actor("partner", str(partner_of(request).pk)),
            )
        return Response(_detail(_found(request, campaign_name)))


@contextmanager
def _told() -> Iterator[None]:
    """Say a refusal of the storey below in the words of the API."""
    try:
        yield
    except campaigns.NotACampaign as refused:
        raise serializers.ValidationError(
            {refused.field: refused.problem}, code="unusable"
        ) from None
    except campaigns.NotNow as refused:
        raise Conflict(str(refused), code="campaign_not_editable") from None


def _found(request: Request, name: str) -> Campaign:
    rows = Campaign.objects.filter(partner=partner_of(request), pk=ids.parse("cmp", name))
    row = rows.first()
    if row is None:
        raise Http404
    return row


def _detail(row: Campaign) -> dict[str, object]:
    now = clock.now()
    refusals = presenters.refusals(campaign=row, at=now)
    return {
        **_listed(row),
        "spoken": [_spoken(one) for one in content_rules.look(campaign=row, at=now)],
        "reachable": audiences.outlook(campaign=row, at=now).reachable,
        "reachable_plain": audiences.outlook(campaign=row, at=now, content=()).reachable,
        "presenter_refusals": [
            {"language": language, "code": refused.code, "text": refused.words}
            for language, refused in refusals.items()
        ],
    }


def _spoken(one: content_rules.Spoken) -> dict[str, object]:
    names = ("language", "word", "line", "column")
    return {
        "content": one.content,
        "counts": one.counts,
        "declared": one.is_declared,
        "dismissed": one.dismissed,
        "words": [{name: getattr(seen, name) for name in names} for seen in one.sightings],
        "rules": [
            {"rule": rule.id, "source": rule.source, "text": rule.text} for rule in one.rules
        ],
    }


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", "50")
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:4]) <= PAGE_MAX:
        raise serializers.ValidationError({"limit": f"A whole number from 1 to {PAGE_MAX}."})
    return int(text)


def _listed(row: Campaign) -> dict[str, object]:
    return {
        "id": row.public_id,
        "name": row.name,
        "channel": row.channel,
        "purpose": row.purpose_code,
        "languages": list(campaigns.scripts(row)),
        "state": row.state,
        "content": list(contents.of(row)),
        "presenter": row.presenter_code,
        "devices_allowed": row.devices_allowed,
        "step_up": devices.step_up(campaign=row),
        "can_send": row.state in delivery.SENDS_ONE,
    }
