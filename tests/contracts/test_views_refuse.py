"""Does every address refuse whom it must, and does a look change nothing?"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.core.cache import cache
from django.db import models
from django.test import Client

from accounts.models import PartnerClient
from consent.models import Contact, Message
from integrations import connections
from integrations.models import Connection
from retention.models import Policy
from tests.accounts.staff import browser, caller, partner
from tests.contracts import routes
from tests.contracts.routes import ALLAUTH, API, PUBLIC, ROLES
from tests.retention import story
from tests.videos import stage
from videos.models import Asset, Campaign, Link

pytestmark = pytest.mark.django_db
UNSTEADY = {"sessions.Session", "accounts.TrailLeaf", "mfa.Authenticator", "videos.MissCount"}
# Not to be walked: Django's last resort for unknown addresses, and the index of one app.
UNNAMED = re.compile(r"^admin/(\(\?P|\^)")


@pytest.fixture(autouse=True)
def _no_limits_from_before() -> None:
    cache.clear()


def walked() -> Iterator[tuple[str, str]]:
    for route in routes.routes():
        allowed = routes.who(route)
        if allowed is not None:
            yield route, allowed


def leads_to_sign_in(answer: Any) -> bool:
    return bool(answer.status_code == 302 and "/login/" in answer["Location"])


def is_refused(answer: Any) -> bool:
    return answer.status_code in (401, 403) or leads_to_sign_in(answer)


def refuses(client: Client, route: str) -> bool:
    path = routes.address(route)
    asked = [client.get(path), client.post(path, {})]
    # What an address does not take at all (405), it need not refuse; one of the two it takes.
    taken = [answer for answer in asked if answer.status_code != 405]
    # Django tells whoever is in the console that a row it never had is not there.
    absent = route.endswith(("/history/", "<path:object_id>/"))
    gone = [answer.status_code in (301, 302, 404) and absent for answer in taken]
    refused = [is_refused(answer) or gone[place] for place, answer in enumerate(taken)]
    return bool(taken) and all(refused)


def test_every_route_was_reviewed_and_every_review_has_its_route() -> None:
    found = {route for route in routes.routes() if not UNNAMED.match(route)}
    assert [route for route in found if routes.who(route) is None] == []
    assert set(routes.TABLE) - found == set()


@pytest.mark.one_engine
@pytest.mark.parametrize("letter", ROLES)
def test_a_role_is_refused_where_it_has_no_business(letter: str) -> None:
    client = browser(ROLES[letter])
    open_to_it = [
        route
        for route, allowed in walked()
        if allowed not in (PUBLIC, API, ALLAUTH)
        and letter not in allowed
        and not refuses(client, route)
    ]
    assert open_to_it == []


@pytest.mark.parametrize("letter", ROLES)
def test_a_role_is_let_in_where_it_has(letter: str) -> None:
    client = browser(ROLES[letter])
    shut = [
        (route, answer.status_code)
        for route, allowed in walked()
        if letter in allowed and allowed not in (PUBLIC, API, ALLAUTH)
        for answer in [client.get(routes.address(route))]
        if is_refused(answer) or answer.status_code >= 500
    ]
    assert shut == []


@pytest.mark.one_engine
def test_a_stranger_is_led_to_the_sign_in_from_every_page_of_staff() -> None:
    client = browser()
    open_to_all = [
        route
        for route, allowed in walked()
        if allowed not in (PUBLIC, API, ALLAUTH) and not refuses(client, route)
        # The console's sign-in leads on to the house's own.
        if route != "admin/login/"
    ]
    assert open_to_all == []


def test_public_pages_answer_a_stranger_without_a_fault() -> None:
    client = browser()
    for route, allowed in walked():
        if allowed == PUBLIC:
            answer = client.get(routes.address(route))
            assert answer.status_code in (200, 302, 404, 405, 410), route
            assert not leads_to_sign_in(answer), route


@pytest.mark.one_engine
@pytest.mark.parametrize("role", ["", "marketer", "administrator"])
def test_the_api_takes_tokens_and_no_sessions(role: str) -> None:
    client = browser(role)
    for route, allowed in walked():
        if allowed == API:
            path = routes.address(route)
            assert {client.get(path).status_code, client.post(path).status_code} == {401}, route


@pytest.mark.one_engine
def test_a_token_opens_no_page_of_staff() -> None:
    client = caller()
    open_to_it = [
        route
        for route, allowed in walked()
        if allowed not in (PUBLIC, API, ALLAUTH) and route != "admin/login/"
        if not refuses(client, route)
    ]
    assert open_to_it == []


def test_a_token_without_the_scope_is_refused_and_told_which() -> None:
    # A scope that no address asks for by itself.
    client = caller("consents.read")
    for route, allowed in walked():
        if allowed != API or route == "api/v1/me":
            continue
        path = routes.address(route)
        asked = [client.get(path), client.post(path, {}, content_type="application/json")]
        taken = [answer for answer in asked if answer.status_code != 405]
        assert taken, route
        for answer in taken:
            assert answer.status_code == 403, route
            assert answer.json()["required_scopes"], route


def test_a_partner_does_not_find_the_rows_of_another() -> None:
    dora = partner("Dora")
    contact = stage.person(partner=dora)
    made = stage.campaign(partner=dora)
    link, _ = stage.link(contact=contact)
    charlie = caller(of=partner("Charlie"))
    for path in (
        f"/api/v1/contacts/{contact.public_id}",
        f"/api/v1/messages/msg_{contact.pk.hex}",
    ):
        assert charlie.get(path).status_code == 404, path
    assert charlie.post(f"/api/v1/links/{link.public_id}/revoke").status_code == 404
    link.refresh_from_db()
    assert link.revoked_at is None
    for path in ("/api/v1/contacts", "/api/v1/campaigns"):
        shown = charlie.get(path).content.decode()
        assert contact.public_id not in shown
        assert made.pk.hex not in shown


def snapshot() -> dict[str, list[object]]:
    rows: dict[str, list[object]] = {}
    for model in apps.get_models():
        # Sessions note when they were last used; that somebody looked is evidence of its own; and
        # tries of links that lead nowhere are counted, of no link and no person in particular.
        if model._meta.label not in UNSTEADY:
            manager: models.Manager[models.Model] = model._base_manager
            rows[model._meta.label] = list(manager.order_by("pk").values_list())
    return rows


def populated() -> dict[str, object]:
    """Make one of each thing that an address can name, and return their names."""
    person, link = story.whole()
    connections.ensure_local(at=stage.AT)
    caller()
    return {
        "campaign_id": Campaign.objects.values_list("pk", flat=True)[0],
        "asset_id": Asset.objects.values_list("pk", flat=True)[0],
        "contact_id": person.pk,
        "public_id": person.public_id,
        "contact_name": person.public_id,
        "link_name": link.public_id,
        "message_name": Message.objects.get().public_id,
        "connection_id": Connection.objects.values_list("pk", flat=True)[0],
        "partner_id": PartnerClient.objects.get().partner_id,
        "client_id": PartnerClient.objects.get().pk,
        "record_class": Policy.objects.values_list("pk", flat=True)[0],
        "code": "marketing",
    }


@pytest.mark.parametrize("role", ["", "marketer", "officer", "administrator"])
def test_a_look_changes_nothing(role: str) -> None:
    names = populated()
    client = browser(role)
    before = snapshot()
    for route, _ in walked():
        for ask in (client.get, client.head):
            answer: Any = ask(routes.address(route, **names))
            assert answer.status_code < 500, route
            list(answer.streaming_content) if answer.streaming else answer.content
    after = snapshot()
    assert [label for label in before if before[label] != after[label]] == []


def test_the_rows_that_a_look_may_meet_are_there() -> None:
    populated()
    assert all(model.objects.exists() for model in (Contact, Link, Asset, Campaign, Message))
