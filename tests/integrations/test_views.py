"""Do the pages of connections and phones show the truth, to those who may see it?"""

import uuid

import pytest
from django.test import Client

from accounts.models import TrailLeaf
from integrations import connections, inbox, messaging
from integrations.messaging.base import OutgoingMessage
from integrations.models import Connection
from tests.accounts.staff import NOON, browser

pytestmark = pytest.mark.django_db


@pytest.fixture
def local() -> tuple[Connection, Connection]:
    return connections.ensure_local(at=NOON)


def send(local: tuple[Connection, Connection], text: str = "Hello") -> None:
    message = OutgoingMessage(uuid.uuid4(), "sms", "+14155550100", "", text, {})
    messaging.provider_for(local[0]).send(message)


def phone(client: Client) -> str:
    found: str = client.get("/phones/").context["threads"][0].phone
    return found


@pytest.mark.parametrize("role", ["marketer", "officer", "auditor", "administrator"])
def test_connections_are_shown_with_what_may_be_connected(
    local: tuple[Connection, Connection], role: str
) -> None:
    page = browser(role).get("/connections/").content.decode()
    assert "Sandbox phones" in page
    assert "it stays on this machine" in page
    for name in ("HubSpot", "Salesforce", "Zoho CRM", "HeyGen"):
        assert name in page


def test_only_administrators_are_offered_buttons(local: tuple[Connection, Connection]) -> None:
    address = f"/connections/{local[0].pk}/test/"
    assert address in browser("administrator").get("/connections/").content.decode()
    assert address not in browser("marketer").get("/connections/").content.decode()


def test_a_test_says_what_it_found(local: tuple[Connection, Connection]) -> None:
    client = browser("administrator")
    page = client.post(f"/connections/{local[0].pk}/test/", follow=True).content.decode()
    assert "Sandbox phones answers." in page
    leaf = TrailLeaf.objects.get(action="integrations.connection.tested")
    assert leaf.actor_kind == "staff"


def test_a_problem_is_shown_with_what_mends_it() -> None:
    row = Connection.objects.create(
        kind="crm", provider="gone", label="Old CRM", auth_kind="key", created_at=NOON
    )
    client = browser("administrator")
    page = client.post(f"/connections/{row.pk}/test/", follow=True).content.decode()
    assert "Old CRM does not answer as it should" in page
    assert "Switch the connection off." in page
    assert "Needs attention" in page


def test_a_connection_is_switched_off_and_on(local: tuple[Connection, Connection]) -> None:
    client, address = browser("administrator"), f"/connections/{local[0].pk}/switch/"
    client.post(address, {"on": "0"})
    assert Connection.objects.get(pk=local[0].pk).state == "disabled"
    client.post(address, {"on": "1"})
    assert Connection.objects.get(pk=local[0].pk).state == "active"


@pytest.mark.parametrize("leaf", ["test", "switch"])
@pytest.mark.parametrize("role", ["marketer", "officer", "auditor"])
def test_others_do_not_touch_connections(
    local: tuple[Connection, Connection], role: str, leaf: str
) -> None:
    answer = browser(role).post(f"/connections/{local[0].pk}/{leaf}/", {"on": "0"})
    assert answer.status_code == 403
    row = Connection.objects.get(pk=local[0].pk)
    assert (row.state, row.tested_at) == ("active", None)


def test_phones_show_what_came_and_its_link(local: tuple[Connection, Connection]) -> None:
    send(local, "Your video: http://127.0.0.1:8000/v/abc. Reply STOP to end")
    page = browser("marketer").get("/phones/").content.decode()
    assert 'href="http://127.0.0.1:8000/v/abc"' in page
    assert "+14155550100" in page


def test_what_came_is_shown_as_text(local: tuple[Connection, Connection]) -> None:
    send(local, "<script>alert(1)</script>")
    page = browser("marketer").get("/phones/news/").content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;" in page


def test_an_answer_typed_on_a_phone_reaches_the_inbox(
    local: tuple[Connection, Connection],
) -> None:
    send(local)
    client = browser("marketer")
    form = {"phone": phone(client), "channel": "sms", "text": "STOP"}
    answer = client.post("/phones/reply/", form)
    assert answer["Location"] == f"/phones/#phone-{form['phone'][:16]}-sms"
    item = inbox.waiting(limit=9)[0]
    assert isinstance(item.body_sealed, dict)
    assert item.body_sealed["text"] == "STOP"


def test_an_empty_answer_is_explained(local: tuple[Connection, Connection]) -> None:
    send(local)
    client = browser("marketer")
    form = {"phone": phone(client), "channel": "sms", "text": " "}
    assert b"Nothing was sent" in client.post("/phones/reply/", form, follow=True).content


def test_a_phone_that_is_none_is_not_found(local: tuple[Connection, Connection]) -> None:
    form = {"phone": "x", "channel": "sms", "text": "STOP"}
    assert browser("marketer").post("/phones/reply/", form).status_code == 404


@pytest.mark.parametrize("page", ["0", "-1", "x", "999999999999", "\u0663", ""])
def test_a_page_that_is_none_is_the_first_or_empty(
    local: tuple[Connection, Connection], page: str
) -> None:
    send(local)
    assert browser("marketer").get("/phones/", {"page": page}).status_code == 200


def test_outside_of_the_demo_no_page_shows_phones(
    local: tuple[Connection, Connection], settings: object
) -> None:
    send(local)
    client = browser("administrator")
    settings.DEMO = False  # type: ignore[attr-defined]
    for path in ("/phones/", "/phones/news/"):
        assert client.get(path).status_code == 404
    assert client.post("/phones/reply/", {}).status_code == 404


def test_no_message_yet_says_what_will_come() -> None:
    page = browser("marketer").get("/phones/").content.decode()
    assert "Phones appear here as soon as a message goes out" in page
