"""What do Twilio, WATI and Gupshup tell us, and how much of it is believed?"""

from typing import Any

import pytest
from django.test import Client

from accounts import keys
from consent import intake, suppression
from integrations import connections, inbox
from integrations.models import Connection, InboxItem
from tests.accounts.staff import NOON
from tests.integrations.messaging.test_providers import ACCOUNTS
from tests.simulators.gupshup import GupshupSimulator
from tests.simulators.server import Hook, Simulator
from tests.simulators.twilio import TwilioSimulator
from tests.simulators.wati import WatiSimulator

pytestmark = pytest.mark.django_db
BASE, SECRET = "https://sealcast.example.org", "s" * 43
URL = f"{BASE}/hooks/{SECRET}/"
NUMBER = "+14155550100"


@pytest.fixture(autouse=True)
def public(settings: Any) -> None:
    settings.PUBLIC_URL = BASE


def connect(name: str) -> Any:
    Connection.objects.create(
        kind="messaging",
        provider=name,
        label=name,
        auth_kind="key",
        credentials_sealed=ACCOUNTS[name][1],
        webhook_index=keys.token_index(kind=connections.WEBHOOK, token=SECRET),
        created_at=NOON,
    )
    # Not entered: nothing listens, it only makes and signs what the vendor posts.
    simulator = ACCOUNTS[name][0]()
    simulator._server.server_close()
    return simulator


def post(hook: Hook, **changes: Any) -> int:
    headers = {**hook.headers, **changes.pop("headers", {})}
    answer = Client().generic(
        "POST",
        hook.url.removeprefix(BASE),
        changes.get("body", hook.body),
        content_type=hook.content_type,
        headers=headers,
    )
    return answer.status_code


def bodies() -> list[tuple[str, Any]]:
    return [(item.kind, item.body_sealed) for item in inbox.waiting(limit=9)]


def test_a_signed_report_is_kept_once_with_our_own_id() -> None:
    simulator: TwilioSimulator = connect("twilio")
    hook = simulator.report(f"{URL}?message={'a' * 32}", "SM1", "delivered")
    assert [post(hook), post(hook)] == [200, 200]
    body = {"provider_message_id": "SM1", "status": "delivered", "code": ""}
    assert bodies() == [("delivery_report", {**body, "message_id": "a" * 32})]


def test_a_report_on_the_way_changes_nothing() -> None:
    assert post(connect("twilio").report(URL, "SM1", "sent")) == 200
    assert bodies() == []


@pytest.mark.parametrize("code", ["21610", "131050"])
def test_a_code_that_means_stop_is_called_so(code: str) -> None:
    post(connect("twilio").report(URL, "SM1", "undelivered", code))
    assert bodies()[0][1]["code"] == inbox.OPTED_OUT


def test_what_twilio_did_not_sign_is_refused() -> None:
    simulator: TwilioSimulator = connect("twilio")
    hook = simulator.report(URL, "SM1", "delivered")
    elsewhere = simulator.report(URL.replace(BASE, "https://other.example.org"), "SM1", "read")
    assert post(hook, body=hook.body + b"&More=1") == 403
    assert post(hook, headers={"X-Twilio-Signature": ""}) == 403
    assert post(Hook(URL, elsewhere.body, elsewhere.content_type, elsewhere.headers)) == 403
    assert not InboxItem.objects.exists()


def test_another_account_s_post_is_refused() -> None:
    simulator: TwilioSimulator = connect("twilio")
    assert post(simulator.said(URL, AccountSid="AC" + "1" * 32, Body="x")) == 400


def test_json_is_believed_by_the_hash_of_its_body() -> None:
    simulator: TwilioSimulator = connect("twilio")
    hook = simulator.json(URL, {"MessageSid": "SM1", "MessageStatus": "failed"})
    assert post(hook) == 200
    assert post(hook, body=hook.body.replace(b"SM1", b"SM2")) == 403
    assert len(bodies()) == 1


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"Body": "STOP"}, "inbound_message"),
        ({"Body": "Arrêt", "OptOutType": "STOP"}, "opt_out"),
        ({"Body": "HELP", "OptOutType": "HELP"}, "helped"),
        ({"Body": "START", "OptOutType": "START"}, "inbound_message"),
    ],
)
def test_a_person_s_words_are_kept(fields: dict[str, str], kind: str) -> None:
    simulator: TwilioSimulator = connect("twilio")
    assert post(simulator.said(URL, From=f"whatsapp:{NUMBER}", **fields)) == 200
    [(stored, body)] = bodies()
    assert body.get("kind", stored) == kind
    assert (body["channel"], body["from"]) == ("whatsapp", NUMBER)


def stops(name: str) -> list[Hook]:
    """Return every way in which an unsigned provider tells of a stop."""
    simulator: Simulator = connect(name)
    if isinstance(simulator, WatiSimulator):
        told = {"eventType": "message", "id": "1", "waId": "14155550100", "owner": False}
        return [
            simulator.hook(URL, **told, text="STOP"),
            simulator.hook(URL, **told, text=None, buttonReply={"text": "Stop"}),
        ]
    assert isinstance(simulator, GupshupSimulator)
    sender = {"phone": "14155550100"}
    return [
        simulator.hook(URL, "message", id="1", sender=sender, payload={"text": "STOP"}),
        simulator.hook(URL, "user-event", phone="14155550100", type="opted-out"),
    ]


@pytest.mark.parametrize("way", [0, 1])
@pytest.mark.parametrize("name", ["wati", "gupshup"])
def test_an_unsigned_stop_counts_at_once_and_once(name: str, way: int) -> None:
    hook = stops(name)[way]
    assert [post(hook), post(hook)] == [200, 200]
    assert intake.take_waiting(at=NOON) == 1
    index = keys.suppression_index(channel="whatsapp", value=NUMBER)
    assert suppression.is_suppressed(channel="whatsapp", address_index=index)


@pytest.mark.parametrize("words", ["YES", "START"])
@pytest.mark.parametrize("name", ["wati", "gupshup"])
def test_an_unsigned_yes_allows_nothing(name: str, words: str) -> None:
    hook = stops(name)[0]
    assert post(hook, body=hook.body.replace(b"STOP", words.encode())) == 200
    intake.take_waiting(at=NOON)
    assert InboxItem.objects.get().outcome == "unsigned"


@pytest.mark.parametrize("event", ["templateMessageFailed", "sessionMessageFailed"])
def test_an_unsigned_delivery_is_no_evidence_and_a_failure_is_told(event: str) -> None:
    simulator: WatiSimulator = connect("wati")
    told = {"localMessageId": "m1", "failedCode": 131050}
    assert post(simulator.hook(URL, eventType="sentMessageDELIVERED_v2", **told)) == 200
    assert bodies() == []
    assert post(simulator.hook(URL, eventType=event, **told)) == 200
    assert bodies()[0][1]["code"] == inbox.OPTED_OUT


def test_gupshup_s_failure_is_matched_by_its_first_name() -> None:
    simulator: GupshupSimulator = connect("gupshup")
    for kind in ("delivered", "failed"):
        told = {"id": "wamid", "gsId": "g-1", "type": kind, "payload": {"code": 1002}}
        assert post(simulator.hook(URL, "message-event", **told)) == 200
    [(_, body)] = bodies()
    assert (body["provider_message_id"], body["code"]) == ("g-1", "1002")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b"[" * 50_000, b'{"type": "message"}', b"\xff"]
)
@pytest.mark.parametrize("name", ["wati", "gupshup"])
def test_what_is_no_event_is_refused(name: str, body: bytes) -> None:
    connect(name)
    assert post(Hook(URL, body, "application/json")) == 400
    assert not InboxItem.objects.exists()
