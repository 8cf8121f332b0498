"""What does the house itself answer on the API? Tokens, and who the caller is."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from allauth.idp.oidc import views as oidc
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import TokenAddressThrottle, TokenThrottle, grant_of


class PublicView(APIView):
    """A view that anybody may read: the description of the API itself."""

    authentication_classes: Sequence[Any] = ()
    permission_classes: Sequence[Any] = ()
    throttle_classes: Sequence[Any] = ()


@extend_schema(exclude=True)
class TokenView(PublicView):
    """OAuth 2.0 client credentials (RFC 6749, 4.4), limited by address and client."""

    throttle_classes = (TokenAddressThrottle, TokenThrottle)

    def post(self, request: Request) -> HttpResponse:
        # The original request: allauth reads the form itself, and answers as OAuth says.
        return cast(HttpResponse, oidc.token(request._request))


@extend_schema(exclude=True)
class RevokeView(PublicView):
    """OAuth 2.0 token revocation (RFC 7009), limited like the issuing."""

    throttle_classes = (TokenAddressThrottle, TokenThrottle)

    def post(self, request: Request) -> HttpResponse:
        return cast(HttpResponse, oidc.revoke(request._request))


class MeView(APIView):
    required_scopes: Mapping[str, Sequence[str]] = {"GET": ()}

    @extend_schema(
        operation_id="me",
        summary="Who am I?",
        tags=["me"],
        responses=inline_serializer(
            "Me",
            {
                "partner": serializers.CharField(help_text="The partner's id, `prt_...`."),
                "name": serializers.CharField(),
                "client_id": serializers.CharField(),
                "scopes": serializers.ListField(child=serializers.CharField()),
            },
        ),
    )
    def get(self, request: Request) -> Response:
        grant = grant_of(request)
        return Response(
            {
                "partner": grant.partner.public_id,
                "name": grant.partner.name,
                "client_id": grant.client_id,
                "scopes": sorted(grant.scopes),
            }
        )
