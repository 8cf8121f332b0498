"""The API by which a partner brings a base video of its own."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import Http404, HttpRequest
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import StrictSerializer, partner_of
from accounts.audit import Actor
from accounts.problems import Conflict
from config.lib import clock, ids
from videos import campaigns, rendering, uploads
from videos.models import Campaign, Render
from videos.upload_views import InMemory
from videos.uploads import NotAnUpload, Upload


class VideoIn(StrictSerializer):
    language = serializers.CharField(max_length=16)
    video = serializers.FileField(
        help_text="An MP4 with H.264 picture and AAC sound: up to 3 minutes and 100 MiB."
    )
    slot_ms = serializers.IntegerField(
        min_value=uploads.SHORTEST_SLOT_MS,
        max_value=uploads.LONGEST_SLOT_MS,
        help_text="How long, from the start, is each person's.",
    )
    made_by = serializers.ChoiceField(
        choices=[Render.MadeBy.HUMAN.value, Render.MadeBy.AI.value],
        help_text="`human`: people recorded it; `ai`: an AI made it, or part of it.",
    )
    captions = serializers.FileField(required=False, help_text="WebVTT; it must name nobody.")


class VideoOut(serializers.Serializer[Any]):
    language = serializers.CharField()
    made_by = serializers.ChoiceField(choices=[one.value for one in Render.MadeBy])
    state = serializers.ChoiceField(choices=Render.State.values)
    problem = serializers.CharField(help_text="Why it was refused; empty if it was not.")
    duration_ms = serializers.IntegerField(help_text="0 until it has been decoded.")


class VideosOut(serializers.Serializer[Any]):
    items = VideoOut(many=True)


class UploadView(APIView):
    parser_classes = [MultiPartParser]
    required_scopes: Mapping[str, Sequence[str]] = {
        "GET": ["messages.read"],
        "POST": ["messages.write"],
    }

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        request.upload_handlers = [InMemory(request)]
        return super().initialize_request(request, *args, **kwargs)

    @extend_schema(
        operation_id="campaigns_videos",
        summary="How far the uploaded base videos of a campaign are",
        tags=["messages"],
        responses=VideosOut,
    )
    def get(self, request: Request, campaign_name: str) -> Response:
        row = _found(request, campaign_name)
        return Response({"items": [_told(one) for one in uploads.latest(campaign=row)]})

    @extend_schema(
        operation_id="campaigns_video_upload",
        summary="Use a video of your own as the base of a campaign",
        description="It is judged at once and decoded by a job; ask how far it is with GET.",
        tags=["messages"],
        request={"multipart/form-data": VideoIn},
        responses={202: VideoOut},
    )
    def post(self, request: Request, campaign_name: str) -> Response:
        row = _found(request, campaign_name)
        form = VideoIn(data=request.data)
        form.is_valid(raise_exception=True)
        try:
            render = uploads.receive(
                campaign=row,
                language=form.validated_data["language"],
                upload=_upload(form.validated_data),
                at=clock.now(),
                actor=Actor("partner", str(partner_of(request).pk)),
            )
        except NotAnUpload as refused:
            raise serializers.ValidationError({"video": refused.words}, code=refused.code) from None
        except rendering.NotReleased as refused:
            raise Conflict(refused.words, code="presenter_not_released") from None
        except campaigns.NotNow as refused:
            raise Conflict(str(refused), code="campaign_not_editable") from None
        return Response(_told(render), status=202)


def _upload(said: Mapping[str, Any]) -> Upload:
    captions = said.get("captions")
    return Upload(
        video=said["video"].read(),
        captions_vtt=captions.read().decode(errors="replace") if captions else "",
        slot_ms=said["slot_ms"],
        made_by=said["made_by"],
    )


def _found(request: Request, name: str) -> Campaign:
    rows = Campaign.objects.select_related("key__parent")
    row = rows.filter(partner=partner_of(request), pk=ids.parse("cmp", name)).first()
    if row is None:
        raise Http404
    return row


def _told(render: Render) -> dict[str, object]:
    return {
        "language": render.language,
        "made_by": render.made_by,
        "state": render.state,
        "problem": uploads.words_of(render=render),
        "duration_ms": render.duration_ms,
    }
