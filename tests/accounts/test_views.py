"""Do the home page, the health, and the pages of the API show what they should, to whom?"""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from accounts import partners, pulse, ring
from accounts.models import Partner, PartnerClient
from config.lib import clock
from tests.accounts.staff import basic, browser, caller, partner

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_limits_from_before() -> None:
    cache.clear()


def description() -> dict[str, Any]:
    answer = Client().get("/api/v1/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = json.loads(answer.content)
    return found


def test_a_stranger_is_told_what_this_is_and_where_to_sign_in() -> None:
    page = Client().get("/").content.decode()
    assert "prove they were allowed, private, and gone" in page
    assert "/accounts/login/" in page


@pytest.mark.parametrize("role", ["officer", "auditor", "administrator"])
def test_the_console_is_home_for_those_who_may_see_it(role: str) -> None:
    assert browser(role).get("/")["Location"] == "/admin/"


def test_campaigns_are_home_for_a_marketer() -> None:
    assert browser("marketer").get("/")["Location"] == "/campaigns/"


def test_a_live_node_says_so_without_database_or_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "KEYRING_FILE", Path("/nowhere/keyring.json"))
    assert Client().get("/livez").json() == {"status": "ok"}


def test_a_ready_node_says_so_for_each_part() -> None:
    pulse.answer(pulse_id=pulse.ask(at=clock.now()).pk, at=clock.now())
    settings.MEDIA_ROOT.mkdir(parents=True, exist_ok=True)
    answer = Client().get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "database": "ok",
        "keyring": "ok",
        "storage": "ok",
        "jobs": "ok",
    }


def test_late_jobs_are_told_and_take_no_page_away() -> None:
    long_ago = clock.now() - timedelta(hours=1)
    pulse.answer(pulse_id=pulse.ask(at=long_ago).pk, at=long_ago)
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["jobs"]) == (200, "late")


def test_a_node_without_its_keys_is_not_ready(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(settings, "KEYRING_FILE", tmp_path / "keyring.json")
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["keyring"]) == (503, "missing")
    assert str(tmp_path) not in answer.content.decode()


def test_without_keys_pages_and_api_say_so_and_show_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    client, partner_machine = browser("administrator"), caller()
    monkeypatch.setattr(settings, "KEYRING_FILE", tmp_path / "keyring.json")
    page = client.get("/partners/")
    assert page.status_code == 503
    assert b"missing" in page.content
    answer = partner_machine.get("/api/v1/me")
    assert (answer.status_code, answer.json()["type"]) == (503, "/api/v1/problems/#unavailable")
    ring._load.cache_clear()


def test_the_description_is_openapi_3_1_with_the_scopes() -> None:
    found = description()
    assert found["openapi"].startswith("3.1")
    flow = found["components"]["securitySchemes"]["clientCredentials"]["flows"]
    assert flow["clientCredentials"]["scopes"] == partners.SCOPES
    assert flow["clientCredentials"]["tokenUrl"] == "/identity/o/api/token"


def test_every_operation_describes_its_refusals() -> None:
    for path, item in description()["paths"].items():
        for verb, operation in item.items():
            told = operation["responses"]
            assert {"400", "401", "403", "404", "429"} <= set(told), (path, verb)
            for status in ("401", "403"):
                assert "application/problem+json" in told[status]["content"]


def test_the_viewer_is_served_whole_from_here() -> None:
    page = Client().get("/api/v1/docs/").content.decode()
    assert "swagger-ui-bundle.js" in page
    assert 'data-openapi="/api/v1/openapi.json"' in page
    assert "https://" not in page.replace("https://127.0.0.1", "")


def test_a_partner_is_added_and_leads_to_its_page() -> None:
    client = browser("administrator")
    answer = client.post("/partners/", {"name": "Charlie"})
    made = Partner.objects.get()
    assert answer["Location"] == f"/partners/{made.pk}/"
    assert "Charlie" in client.get("/partners/").content.decode()


def test_a_name_that_is_none_is_explained_and_nothing_is_made() -> None:
    page = browser("administrator").post("/partners/", {"name": "a\u202eb"})
    assert "visible characters" in page.content.decode()
    assert not Partner.objects.exists()


def test_a_secret_is_shown_once_and_works() -> None:
    client, made = browser("administrator"), partner()
    address = f"/partners/{made.pk}/"
    page = client.post(address, {"scopes": ["contacts.read", "links.write"]})
    issued = page.context["issued"]
    assert issued["secret"] in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert issued["secret"] not in client.get(address).content.decode()
    answer = Client().post(
        "/identity/o/api/token",
        {"grant_type": "client_credentials"},
        headers=basic(issued["client_id"], issued["secret"]),
    )
    assert answer.json()["scope"] == "contacts.read links.write"


def test_scopes_are_tick_boxes_in_plain_words() -> None:
    made = partner()
    page = browser("administrator").get(f"/partners/{made.pk}/").content.decode()
    assert page.count('type="checkbox"') == len(partners.SCOPES)
    assert "Send a personalised video to a contact" in page


def test_a_client_for_nothing_is_not_issued() -> None:
    made = partner()
    page = browser("administrator").post(f"/partners/{made.pk}/", {})
    assert "Tick at least one" in page.content.decode()
    assert not PartnerClient.objects.exists()


def test_a_client_is_revoked_on_its_page() -> None:
    machine = caller()
    row = PartnerClient.objects.get()
    answer = browser("administrator").post(f"/partners/clients/{row.pk}/revoke/")
    assert answer.status_code == 302
    assert machine.get("/api/v1/me").status_code == 401


def test_a_partner_is_shut_out_and_let_in_on_its_page() -> None:
    made = partner()
    machine, client = caller(of=made), browser("administrator")
    client.post(f"/partners/{made.pk}/switch/", {"on": "0"})
    assert machine.get("/api/v1/me").status_code == 401
    client.post(f"/partners/{made.pk}/switch/", {"on": "1"})
    assert machine.get("/api/v1/me").status_code == 200


@pytest.mark.parametrize("role", ["marketer", "officer", "auditor"])
def test_partners_are_for_administrators_only(role: str) -> None:
    made, client = partner(), browser(role)
    for address in ("/partners/", f"/partners/{made.pk}/"):
        assert client.get(address).status_code == 403
        assert client.post(address, {"name": "x", "scopes": "contacts.read"}).status_code == 403
    assert Partner.objects.count() == 1
    assert not PartnerClient.objects.exists()
