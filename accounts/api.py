"""Who calls the API, and may they? What every view of it stands on."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from allauth.account.adapter import get_adapter
from allauth.idp.oidc.models import Token
from django.contrib.auth.models import AnonymousUser
from rest_framework import exceptions, serializers
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from accounts import partners, problems
from accounts.models import Partner
from config.lib import clock

# Its views read this module at import, by the settings: it cannot read them.
if TYPE_CHECKING:
    from rest_framework.views import APIView

TOKEN_URL = "/identity/o/api/token"  # noqa: S105 an address, not a token


@dataclass(frozen=True)
class Grant:
    """What stands behind a call (`request.auth`): the partner, its client, and its scopes."""

    partner: Partner
    client_id: str
    scopes: frozenset[str]


class PartnerAuthentication(BaseAuthentication):
    """A bearer token, in the header only, issued to a live client of a live partner."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Grant] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        grant = self._grant(words[1:])
        if grant is None:
            raise exceptions.AuthenticationFailed
        partners.note_use(client_id=grant.client_id, at=clock.now())
        return AnonymousUser(), grant

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="sealcast"'

    def _grant(self, words: Sequence[bytes]) -> Grant | None:
        if len(words) != 1 or not words[0].isascii():
            return None
        token = Token.objects.lookup(Token.Type.ACCESS_TOKEN, words[0].decode())
        partner = partners.by_client(client_id=token.client_id) if token else None
        if token is None or partner is None:
            return None
        return Grant(partner, token.client_id, frozenset(token.get_scopes()))


class HasScope(BasePermission):
    """The scopes a view names for the method: `required_scopes = {"GET": ["contacts.read"]}`."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not isinstance(request.auth, Grant):
            return False
        method = str(request.method)
        if method not in view.allowed_methods:
            raise exceptions.MethodNotAllowed(method)
        needed = _needed(view, method)
        if needed is None:
            # A view that forgot to say what it needs is shut, not open.
            return False
        if not request.auth.scopes.issuperset(needed):
            raise problems.ScopeMissing(needed)
        return True


class PartnerThrottle(SimpleRateThrottle):
    """So many calls for each client, wherever they come from."""

    scope = "partner"

    def get_cache_key(self, request: Request, view: "APIView") -> str | None:
        if not isinstance(request.auth, Grant):
            return None
        return f"throttle_partner_{request.auth.client_id}"


class TokenThrottle(SimpleRateThrottle):
    """So many tries for one address and one client: each costs us a password hash."""

    rate = "20/min"

    def get_cache_key(self, request: Request, view: "APIView") -> str:
        ip = get_adapter().get_client_ip(request._request)
        return f"throttle_token_{ip}_{_client_id(request)}"


class TokenAddressThrottle(SimpleRateThrottle):
    """So many tries for one address, whichever clients it names."""

    rate = "120/min"

    def get_cache_key(self, request: Request, view: "APIView") -> str:
        return f"throttle_token_{get_adapter().get_client_ip(request._request)}"


class StrictSerializer(serializers.Serializer[Any]):
    """A body whose every field is known: what we would ignore, the caller believes was done."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            known = {name for name, field in self.fields.items() if not field.read_only}
            unknown = sorted(str(name) for name in data if name not in known)
            if unknown:
                raise serializers.ValidationError(
                    {name: ["There is no such field."] for name in unknown}, code="unknown_field"
                )
        return super().to_internal_value(data)


def grant_of(request: Request) -> Grant:
    if not isinstance(request.auth, Grant):
        raise exceptions.NotAuthenticated
    return request.auth


def partner_of(request: Request) -> Partner:
    return grant_of(request).partner


def _needed(view: "APIView", method: str) -> Sequence[str] | None:
    declared: Mapping[str, Sequence[str]] = getattr(view, "required_scopes", {})
    if method == "OPTIONS":
        return ()
    return declared.get("GET" if method == "HEAD" else method)


def _client_id(request: Request) -> str:
    """Return a hash of the client id as the form or the header names it."""
    scheme, _, encoded = request._request.headers.get("Authorization", "").partition(" ")
    named = str(request._request.POST.get("client_id", ""))
    if scheme.lower() == "basic":
        with suppress(ValueError):
            named = base64.b64decode(encoded).decode().partition(":")[0]
    return hashlib.sha256(named.encode()).hexdigest()[:32]
