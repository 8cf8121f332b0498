"""Does the dance succeed with each vendor, and end as it must?"""

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.db import connection
from django.test import override_settings

from accounts.models import TrailLeaf
from integrations import connections
from integrations.models import Connection
from tests.accounts.staff import browser
from tests.integrations import dance as dances
from tests.integrations.dance import SECRET, VENDORS, Dance
from tests.simulators.base import Answer, json_answer

pytestmark = pytest.mark.django_db
HOSTS = {
    "heygen": ["api.heygen.com", "api2.heygen.com"],
    "hubspot": ["api.hubapi.com"],
    "salesforce": ["acme.my.salesforce.com", "login.salesforce.com"],
    "zoho": ["accounts.zoho.in", "www.zohoapis.in"],
}
ACCOUNTS = {
    "heygen": "",
    "hubspot": "4242424",
    "salesforce": "00D5g000004cAbC",
    "zoho": "60012345678",
}


@pytest.fixture(params=sorted(VENDORS))
def dance(request: pytest.FixtureRequest) -> Iterator[Dance]:
    with dances.dancing(request.param) as found:
        yield found


@pytest.fixture
def salesforce() -> Iterator[Dance]:
    with dances.dancing("salesforce") as found:
        yield found


def test_a_dance_connects_and_pins(dance: Dance) -> None:
    row, grant = dance.connect(), dance.grant()
    assert (row.state, row.problem, row.hosts) == ("active", "", HOSTS[dance.slug])
    assert grant.account_id == ACCOUNTS[dance.slug]
    assert dance.held()["refresh"] == dance.vendor.families[0].refresh
    assert (grant.state_index, grant.flow_sealed) == (None, None)
    leaf = TrailLeaf.objects.get(action="integrations.connection.connected")
    assert leaf.actor_kind == "staff"


def test_the_request_asks_for_the_least_with_pkce(dance: Dance) -> None:
    asked = dict(parse_qsl(urlsplit(dance.begin()).query))
    scopes = set(re.split("[ ,]", asked["scope"]))
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["code_challenge"]) == len(asked["state"]) == 43
    # What is written: stops, erasures, and notes of what was sent.
    assert scopes <= {
        *("openid", "oauth", "crm.objects.contacts.read", "communication_preferences.read"),
        *("crm.objects.contacts.write", "communication_preferences.statuses.batch.write"),
        *("api", "refresh_token", "ZohoCRM.modules.contacts.READ", "ZohoCRM.settings.fields.READ"),
        *("ZohoCRM.modules.contacts.UPDATE", "ZohoCRM.modules.contacts.DELETE"),
        *("ZohoCRM.coql.READ", "ZohoCRM.modules.notes.CREATE", "ZohoCRM.org.READ"),
        *("ZohoCRM.notifications.CREATE", "ZohoCRM.notifications.DELETE"),
        "communication_preferences.statuses.batch.read",
    }


def test_a_test_calls_the_api_with_the_vendors_header(dance: Dance) -> None:
    row = dance.connect()
    page = dance.client.post(f"/connections/{row.pk}/test/", follow=True).content.decode()
    assert "answers. Nothing was sent" in page
    called = dance.vendor.calls[-1]
    kind = "Zoho-oauthtoken" if dance.slug == "zoho" else "Bearer"
    assert called.headers["Authorization"] == f"{kind} {dance.held()['access']}"
    assert TrailLeaf.objects.filter(action="integrations.token.used").count() == 1


def test_no_secret_stands_in_the_table_or_the_trail(dance: Dance) -> None:
    dance.connect()
    secrets = [SECRET, dance.held()["access"], dance.held()["refresh"]]
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM integrations_oauthgrant")
        stored = b"|".join(
            bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
            for row in cursor.fetchall()
            for value in row
        )
    said = str(list(TrailLeaf.objects.values_list("details", flat=True)))
    assert not any(secret.encode() in stored or secret in said for secret in secrets)


def test_a_disconnection_revokes_and_forgets(dance: Dance) -> None:
    dance.connect()
    page = dance.client.post(f"{dance.home}/disconnect/", follow=True).content.decode()
    assert "its tokens are revoked" in page
    assert dance.vendor.families[0].revoked
    grant = dance.grant()
    assert (grant.tokens_sealed, grant.client_sealed, grant.account_id) == (None, None, "")
    assert (dance.row().state, dance.row().hosts) == ("not_connected", [])


def test_an_unconfirmed_revocation_is_told_and_can_be_repeated(dance: Dance) -> None:
    dance.connect()
    dance.vendor.plant(dance.vendor.revoke_path, Answer(503))
    page = dance.client.post(f"{dance.home}/disconnect/", follow=True).content.decode()
    assert "has not confirmed that the access ended" in page
    assert dance.row().state == "not_connected"
    dance.client.post(f"{dance.home}/disconnect/")
    assert dance.vendor.families[0].revoked
    assert dance.grant().tokens_sealed is None


def test_a_new_dance_leaves_what_works_until_it_succeeded(salesforce: Dance) -> None:
    salesforce.connect()
    before = salesforce.held()
    salesforce.begin()
    assert (salesforce.row().state, salesforce.held()) == ("active", before)


def test_another_organisation_is_refused_and_its_tokens_revoked(salesforce: Dance) -> None:
    salesforce.connect()
    before = salesforce.held()
    salesforce.vendor.organisation = "00D5g000009zZzZEAU"  # type: ignore[attr-defined]
    page = salesforce.client.get("/connections/").content.decode()
    salesforce.back(salesforce.pressed())
    assert dances.reasons() == ["another_account"]
    assert salesforce.held() == before
    assert salesforce.vendor.families[1].revoked
    assert "00D5g000004cAbC" in page


def test_another_organisation_of_zoho_is_refused_and_its_tokens_revoked() -> None:
    with dances.dancing("zoho") as zoho:
        zoho.connect()
        before = zoho.held()
        zoho.vendor.organisation = "60099999999"  # type: ignore[attr-defined]
        zoho.back(zoho.pressed())
        assert dances.reasons() == ["another_account"]
        assert (zoho.held(), zoho.grant().account_id) == (before, "60012345678")
        assert zoho.vendor.families[1].revoked


@pytest.mark.parametrize(
    "answer",
    [
        Answer(503),
        Answer(200, b"<html>"),
        json_answer(200, {"status": "error", "code": "OAUTH_SCOPE_MISMATCH"}),
        json_answer(200, {"org": []}),
        json_answer(200, {"org": [{"zgid": "1/../2"}]}),
        json_answer(200, {"org": [{"zgid": "1"}, {"zgid": "2"}]}),
    ],
)
def test_zoho_is_not_connected_without_knowing_whose_it_is(answer: Answer) -> None:
    with dances.dancing("zoho") as zoho:
        zoho.vendor.plant("/org", answer)
        zoho.back(zoho.pressed())
        assert dances.reasons() == ["account_unread"]
        assert (zoho.row().state, zoho.grant().tokens_sealed) == ("not_connected", None)
        assert zoho.vendor.families[0].revoked


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"refresh_token": None}, "no_refresh_token"),
        ({"refresh_token": 7}, "no_refresh_token"),
        ({"scopes": ["oauth"]}, "too_little_allowed"),
        ({"scopes": 7}, "too_little_allowed"),
        ({"access_token": ""}, "exchange_unreadable"),
        ({"expires_in": "soon"}, "exchange_unreadable"),
        ({"error": "invalid_client"}, "exchange_client"),
    ],
)
def test_an_answer_that_will_not_do_connects_nothing(
    change: dict[str, object], reason: str
) -> None:
    whole = {"access_token": "a", "refresh_token": "r", "expires_in": 1800, "hub_id": 1}
    with dances.dancing("hubspot") as hubspot:
        hubspot.vendor.plant("/token", json_answer(200, {**whole, **change}))
        hubspot.back(hubspot.pressed())
        assert dances.reasons() == [reason]
        assert (hubspot.row().state, hubspot.grant().tokens_sealed) == ("not_connected", None)


def test_another_account_is_taken_after_a_disconnection(salesforce: Dance) -> None:
    salesforce.connect()
    salesforce.vendor.plant(salesforce.vendor.revoke_path, Answer(404))
    salesforce.client.post(f"{salesforce.home}/disconnect/")
    salesforce.vendor.organisation = "00D5g000009zZzZEAU"  # type: ignore[attr-defined]
    assert salesforce.connect().state == "active"
    assert salesforce.grant().account_id == "00D5g000009zZzZ"


def test_what_was_not_allowed_is_explained(dance: Dance) -> None:
    answer = dance.back(dance.pressed("deny"))
    assert answer["Location"] == "/connections/"
    page = dance.client.get("/connections/").content.decode()
    assert "did not allow it" in page
    assert dance.row().state == "not_connected"


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "acme.lightning.force.com", "acme.lightning.salesforce.com"),
        *("login.salesforce.com.evil.example", "a.b.my.salesforce.com", "127.0.0.1"),
        *("https://login.salesforce.com", "login.salesforce.com/x", "user@login.salesforce.com"),
        *("login.salesforce.com:8443", "169.254.169.254", ".my.salesforce.com", "localhost", ""),
    ],
)
def test_a_login_host_that_is_none_is_refused(salesforce: Dance, host: str) -> None:
    form = {"client_id": "x", "client_secret": "y", "login_host": host}
    page = salesforce.client.post(f"{salesforce.home}/connect/", form).content.decode()
    assert "Go and sign in" not in page
    assert not Connection.objects.exists()


def test_a_my_domain_is_a_login_host(salesforce: Dance) -> None:
    address = salesforce.begin(login_host="acme--dev.sandbox.my.salesforce.com")
    assert "/acme--dev.sandbox.my.salesforce.com/services/oauth2/authorize" in address


def test_a_held_secret_is_not_sent_with_another_id(salesforce: Dance) -> None:
    salesforce.connect()
    form = {"client_id": "app-2", "client_secret": "", "login_host": "login.salesforce.com"}
    with override_settings(SIMULATORS={}):
        page = salesforce.client.post(f"{salesforce.home}/connect/", form).content.decode()
    assert "Enter the secret of this client id." in page


def test_the_way_there_is_the_vendors_own_outside_of_the_demo(salesforce: Dance) -> None:
    form = {"client_id": "x", "client_secret": "y", "login_host": "login.salesforce.com"}
    with override_settings(SIMULATORS={}):
        page = salesforce.client.post(f"{salesforce.home}/connect/", form).content.decode()
    assert 'href="https://login.salesforce.com/services/oauth2/authorize?' in page


def test_the_secret_is_never_shown(dance: Dance) -> None:
    dance.connect()
    shown = dance.client.get(f"{dance.home}/connect/").content.decode()
    shown += dance.client.get("/connections/").content.decode()
    assert SECRET not in shown
    assert not any(token in shown for token in dance.held().values() if token)


def test_a_connection_that_needs_a_sign_in_is_not_switched_on(salesforce: Dance) -> None:
    salesforce.begin()
    row = salesforce.row()
    page = salesforce.client.post(
        f"/connections/{row.pk}/switch/", {"on": "1"}, follow=True
    ).content.decode()
    assert "has to be connected first" in page
    assert list(connections.usable(kind="crm")) == []


@pytest.mark.parametrize("role", ["marketer", "officer", "auditor"])
def test_others_see_the_cards_and_no_button(role: str) -> None:
    page = browser(role).get("/connections/").content.decode()
    assert "Read who opted out of which messages." in page
    assert "/connections/hubspot/connect/" not in page
