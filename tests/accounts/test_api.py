"""Does the API know who calls, hold each call to its scopes, and slow whoever guesses?"""

from datetime import timedelta

import pytest
from allauth.idp.oidc.models import Token
from django.core.cache import cache
from django.test import Client
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from accounts import api, partners, problems
from accounts.audit import SYSTEM
from accounts.models import PartnerClient
from config.lib import clock
from tests.accounts.staff import basic, bearer, browser, caller, partner, token_of

pytestmark = pytest.mark.django_db
TOKEN = "/identity/o/api/token"
ME = "/api/v1/me"


@pytest.fixture(autouse=True)
def _no_limits_from_before() -> None:
    cache.clear()


def issue(*scopes: str) -> tuple[str, str]:
    return partners.issue_client(
        partner=partner(), scopes=scopes or ("contacts.read",), at=clock.now(), actor=SYSTEM
    )


def test_a_token_lasts_half_an_hour_and_is_not_kept_by_caches() -> None:
    answer = Client().post(
        TOKEN, {"grant_type": "client_credentials"}, headers=basic(*issue("contacts.read"))
    )
    body = answer.json()
    assert (body["expires_in"], body["token_type"], body["scope"]) == (
        1800,
        "Bearer",
        "contacts.read",
    )
    assert "no-store" in answer["Cache-Control"]
    assert "refresh_token" not in body
    left = Token.objects.get().expires_at - clock.now()
    assert timedelta(minutes=29) < left <= timedelta(minutes=30)


def test_fewer_scopes_can_be_asked_for_and_no_others() -> None:
    pair = issue("contacts.read", "links.write")
    form = {"grant_type": "client_credentials", "scope": "links.write"}
    assert Client().post(TOKEN, form, headers=basic(*pair)).json()["scope"] == "links.write"
    form["scope"] = "contacts.read messages.write"
    answer = Client().post(TOKEN, form, headers=basic(*pair))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


@pytest.mark.parametrize("grant", ["authorization_code", "password", "refresh_token", "implicit"])
def test_no_other_grant_is_taken(grant: str) -> None:
    form = {"grant_type": grant, "code": "x", "username": "x", "password": "x"}
    answer = Client().post(TOKEN, form, headers=basic(*issue()))
    assert answer.status_code in (400, 401)
    assert not Token.objects.exists()


@pytest.mark.parametrize(
    "path",
    [
        "/identity/o/authorize",
        "/identity/o/device",
        "/identity/o/logout",
        "/identity/o/api/device/code",
        "/identity/o/api/userinfo",
        "/identity/o/api/introspect",
        "/identity/o/api/clients",
        "/.well-known/openid-configuration",
    ],
)
def test_the_rest_of_the_openid_provider_is_not_served(path: str) -> None:
    assert browser("administrator").get(path).status_code == 404


def test_a_wrong_secret_is_refused() -> None:
    client_id, _ = issue()
    answer = Client().post(
        TOKEN, {"grant_type": "client_credentials"}, headers=basic(client_id, "wrong")
    )
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})
    assert answer["WWW-Authenticate"]


def test_guessing_a_secret_is_slowed_for_that_client_only() -> None:
    (client_id, _), pair = issue(), issue()
    form = {"grant_type": "client_credentials"}
    seen = [
        Client().post(TOKEN, form, headers=basic(client_id, f"guess{number}")).status_code
        for number in range(22)
    ]
    assert seen[:20] == [401] * 20
    assert seen[20:] == [429] * 2
    assert Client().post(TOKEN, form, headers=basic(*pair)).status_code == 200


def test_guessing_in_the_form_is_slowed_like_guessing_in_the_header() -> None:
    client_id, _ = issue()
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": "x"}
    seen = [Client().post(TOKEN, form).status_code for _ in range(21)]
    assert seen[-1] == 429


def test_guessing_many_clients_from_one_address_is_slowed() -> None:
    form = {"grant_type": "client_credentials"}
    seen = [
        Client().post(TOKEN, form, headers=basic(f"client{number}", "x")).status_code
        for number in range(122)
    ]
    assert set(seen[:120]) == {401}
    assert seen[-1] == 429


def test_a_slowed_caller_is_told_when_to_come_back() -> None:
    form, headers = {"grant_type": "client_credentials"}, basic("x", "y")
    answer = [Client().post(TOKEN, form, headers=headers) for _ in range(21)][-1]
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 61
    assert answer.json()["type"].endswith("#too-many-requests")


def test_a_partner_is_told_who_it_is() -> None:
    charlie = partner()
    answer = caller("contacts.read", of=charlie).get(ME)
    assert answer.status_code == 200
    assert answer.json()["partner"] == charlie.public_id
    assert answer.json()["scopes"] == ["contacts.read"]


def test_a_use_is_noted() -> None:
    client = caller()
    assert PartnerClient.objects.get().last_used_at is None
    client.get(ME)
    assert PartnerClient.objects.get().last_used_at is not None


@pytest.mark.parametrize(
    "value",
    ["Bearer", "Bearer x", "Bearer x y", "Bearer \u00e9", "Basic eDp5", "Token x", "bearer "],
)
def test_what_is_no_token_is_refused_with_401(value: str) -> None:
    answer = Client().get(ME, headers={"Authorization": value})
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith('Bearer realm="sealcast"')


def test_no_token_is_refused_with_401() -> None:
    answer = Client().get(ME)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="sealcast"')


def test_a_token_in_the_address_or_the_body_is_not_looked_at() -> None:
    token = token_of(*issue())
    assert Client().get(ME, {"access_token": token}).status_code == 401


def test_an_expired_token_is_refused() -> None:
    client = caller()
    Token.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    assert client.get(ME).status_code == 401


def test_a_revoked_token_is_refused() -> None:
    pair = issue()
    token = token_of(*pair)
    answer = Client().post("/identity/o/api/revoke", {"token": token}, headers=basic(*pair))
    assert answer.status_code == 200
    assert Client().get(ME, headers=bearer(token)).status_code == 401


def test_a_token_ends_with_its_client_and_with_its_partner() -> None:
    charlie = partner()
    client = caller("contacts.read", of=charlie)
    partners.switch(partner=charlie, on=False, at=clock.now(), actor=SYSTEM)
    assert client.get(ME).status_code == 401
    partners.switch(partner=charlie, on=True, at=clock.now(), actor=SYSTEM)
    assert client.get(ME).status_code == 200
    row = PartnerClient.objects.get()
    partners.revoke_client(client_id=row.pk, at=clock.now(), actor=SYSTEM)
    assert client.get(ME).status_code == 401


def test_a_session_of_staff_does_not_open_the_api() -> None:
    assert browser("administrator").get(ME).status_code == 401


def request_with(*scopes: str, method: str = "GET") -> Request:
    request = Request(APIRequestFactory().generic(method, "/x"))
    grant = api.Grant(partner(), "client", frozenset(scopes))
    request._auth = grant  # type: ignore[attr-defined]
    request._user = None  # type: ignore[attr-defined]
    return request


class Reads(APIView):
    required_scopes = {"GET": ["contacts.read", "messages.read"]}

    def get(self, request: Request) -> None:
        return None

    def post(self, request: Request) -> None:
        return None


def judge(request: Request) -> bool:
    return api.HasScope().has_permission(request, Reads())


def test_all_scopes_of_the_method_are_needed() -> None:
    assert judge(request_with("contacts.read", "messages.read", "links.write"))
    with pytest.raises(problems.ScopeMissing) as refused:
        judge(request_with("contacts.read"))
    assert refused.value.scopes == ["contacts.read", "messages.read"]


def test_a_method_whose_scopes_were_forgotten_is_shut() -> None:
    assert not judge(request_with(*partners.SCOPES, method="POST"))


def test_each_client_has_its_own_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.PartnerThrottle, "rate", "3/min", raising=False)
    first, second = caller(), caller()
    assert [first.get(ME).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert second.get(ME).status_code == 200


class Body(api.StrictSerializer):
    name = serializers.CharField()
    made_at = serializers.DateTimeField(read_only=True)


@pytest.mark.parametrize("extra", ["nmae", "made_at", "__class__"])
def test_an_unknown_field_is_refused_by_name(extra: str) -> None:
    body = Body(data={"name": "x", extra: "y"})
    assert not body.is_valid()
    assert body.errors[extra][0].code == "unknown_field"


def test_known_fields_are_taken_and_a_list_is_not_a_body() -> None:
    assert Body(data={"name": "x"}).is_valid()
    assert not Body(data=["name"]).is_valid()
