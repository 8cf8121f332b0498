"""Does SendGrid get a letter once with nothing counted in it, and is only its own word believed?"""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from accounts import keys
from config.lib import clock
from consent import intake, suppression
from integrations import connections, messaging
from integrations.messaging import sendgrid_signature, wire
from integrations.messaging.base import KeepsStops, OutgoingMessage, ProviderError
from integrations.models import Connection, InboxItem
from tests import patience
from tests.accounts.staff import NOON
from tests.simulators.sendgrid import KEY, VERIFICATION, SendGridSimulator
from tests.simulators.server import OUTCOMES, Hook

SECRET, ANA = "s" * 43, "ana@example.org"
URL = f"/hooks/{SECRET}/"
ACCOUNT = {
    "api_key": KEY,
    "sender": "news@example.org",
    "sender_name": "Acme",
    "verification_key": VERIFICATION,
    "webhook_secret": SECRET,
}
GONE = ("undeliverable", "None")
UNSUBSCRIBE = {"List-Unsubscribe": "<https://example.org/x>", "List-Unsubscribe-Post": "a=b"}


@pytest.fixture
def simulator(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SendGridSimulator]:
    patience.with_mode(monkeypatch, patience.mode_of(request))
    with SendGridSimulator() as vendor:
        monkeypatch.setitem(wire.ORIGINS, "sendgrid", vendor.origin)
        yield vendor


def adapter(**changes: str) -> Any:
    row = Connection(provider="sendgrid", credentials_sealed={**ACCOUNT, **changes})
    return messaging.provider_for(row)


def message(**changes: str) -> OutgoingMessage:
    kept: dict[str, Any] = {"channel": "email", "address": ANA, "subject": "Your video"}
    kept |= {"text": "Hello", **changes}
    headers = {**UNSUBSCRIBE, "Bcc": "b@example.org"}
    return OutgoingMessage(uuid.UUID(int=7), headers=headers, **kept)


def failure(provider: Any, one: OutgoingMessage) -> ProviderError:
    with pytest.raises(ProviderError) as failed:
        provider.send(one)
    return failed.value


def test_a_letter_is_taken_once_with_its_way_out_and_no_tracking(
    simulator: SendGridSimulator,
) -> None:
    assert adapter().send(message()).provider_message_id == uuid.UUID(int=7).hex
    [body] = simulator.messages
    to = {"to": [{"email": ANA}], "custom_args": {"ref": uuid.UUID(int=7).hex}}
    assert body["personalizations"] == [to]
    assert body["headers"] == UNSUBSCRIBE
    assert body["from"] == {"email": "news@example.org", "name": "Acme"}
    assert all(one["enable"] is False for one in body["tracking_settings"].values())


@pytest.mark.parametrize("name", ["X-Message-Id", "x-message-id"])
def test_its_own_name_for_a_letter_is_kept(simulator: SendGridSimulator, name: str) -> None:
    simulator.headers = {name: "m1"}
    assert adapter().send(message()).provider_message_id == "m1"


@pytest.mark.parametrize("mode", OUTCOMES)
def test_each_misbehaviour_has_its_outcome(simulator: SendGridSimulator, mode: str) -> None:
    simulator.mode = mode
    failed = failure(adapter(), message())
    assert failed.outcome == OUTCOMES[mode], failed.code
    assert len(simulator.calls) == 1
    assert "ana" not in repr(failed)


@pytest.mark.parametrize(
    "changes", [{"channel": "sms"}, {"subject": ""}, {"address": "a@b.org, c@d.org"}]
)
def test_what_is_no_letter_is_refused(
    simulator: SendGridSimulator, changes: dict[str, str]
) -> None:
    assert failure(adapter(), message(**changes)).outcome == "permanent"
    assert not simulator.calls


def test_credentials_that_do_not_open_send_nothing(simulator: SendGridSimulator) -> None:
    assert failure(adapter(api_key=""), message()).outcome == "transient"
    assert failure(adapter(sender=""), message()).outcome == "transient"
    assert not simulator.calls


def test_an_account_is_checked_without_a_letter(simulator: SendGridSimulator) -> None:
    assert adapter().check() == ""
    assert "refuses" in adapter(api_key="x").check()
    assert "sender" in adapter(sender="x").check()
    simulator.scopes = ["alerts.read"]
    assert "may not send" in adapter().check()
    assert not simulator.messages


def test_a_stop_is_told_to_sendgrid(simulator: SendGridSimulator) -> None:
    provider = adapter()
    assert isinstance(provider, KeepsStops)
    provider.stop(address=ANA, channel="email")
    assert simulator.stopped == [ANA]
    with pytest.raises(ProviderError) as failed:
        adapter(api_key="x").stop(address=ANA, channel="email")
    assert failed.value.outcome == "transient"


def test_an_account_in_the_eu_is_called_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with SendGridSimulator() as vendor:
        monkeypatch.setitem(wire.ORIGINS, "sendgrid_eu", vendor.origin)
        assert adapter(eu="yes").check() == ""


def connect() -> SendGridSimulator:
    Connection.objects.create(
        kind="messaging",
        provider="sendgrid",
        label="x",
        auth_kind="bearer",
        credentials_sealed=ACCOUNT,
        webhook_index=keys.token_index(kind=connections.WEBHOOK, token=SECRET),
        created_at=NOON,
    )
    simulator = SendGridSimulator()
    simulator._server.server_close()
    return simulator


def event(kind: str, number: int = 1, **more: object) -> dict[str, object]:
    base = {"email": ANA, "event": kind, "sg_event_id": f"e{number}", "ref": "a" * 32}
    return {**base, "sg_message_id": "m1.recvd-1", **more}


def post(hook: Hook, **changes: Any) -> int:
    headers = {**hook.headers, **changes.pop("headers", {})}
    told = changes.get("body", hook.body)
    answer = Client().generic("POST", URL, told, content_type=hook.content_type, headers=headers)
    return answer.status_code


def now(seconds: int = 0) -> int:
    return int(clock.now().timestamp()) + seconds


def is_suppressed() -> bool:
    index = keys.suppression_index(channel="email", value=ANA)
    return suppression.is_suppressed(channel="email", address_index=index)


def told() -> list[tuple[str, str]]:
    bodies = [item.body_sealed or {} for item in InboxItem.objects.order_by("pk")]
    return [(str(body.get("status") or body.get("kind")), str(body.get("code"))) for body in bodies]


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["spamreport", "unsubscribe", "group_unsubscribe"])
def test_a_stop_or_a_complaint_counts_at_once_and_once(kind: str) -> None:
    hook = connect().hook(URL, now(), event(kind))
    assert [post(hook), post(hook)] == [200, 200]
    assert intake.take_waiting(at=NOON) == 1
    assert is_suppressed()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("more", "expected", "stops"),
    [
        (
            {"event": "bounce", "type": "bounce"},
            [("failed", "bounced"), ("undeliverable", "None")],
            1,
        ),
        ({"event": "bounce", "type": "blocked"}, [("failed", "blocked")], 0),
        ({"event": "dropped", "reason": "Bounced Address"}, [("failed", "bounced")], 1),
        ({"event": "dropped", "reason": "Unsubscribed Address"}, [("failed", "opted_out")], 1),
        ({"event": "dropped", "reason": "Spam Content"}, [("failed", "dropped")], 0),
        ({"event": "delivered"}, [("delivered", "")], 0),
        ({"event": "group_resubscribe"}, [], 0),
        ({"event": "open"}, [], 0),
        ({"event": "processed"}, [], 0),
    ],
)
def test_each_event_does_what_it_means(
    more: dict[str, Any], expected: list[tuple[str, str]], stops: bool
) -> None:
    assert post(connect().hook(URL, now(), event("x", **more))) == 200
    assert told()[: len(expected)] == expected
    intake.take_waiting(at=NOON)
    assert is_suppressed() is bool(stops)


@pytest.mark.django_db
def test_a_report_names_the_message_by_both_names() -> None:
    post(connect().hook(URL, now(), event("delivered")))
    [item] = InboxItem.objects.all()
    names = {"provider_message_id": "m1", "message_id": "a" * 32}
    assert item.body_sealed == {**names, "status": "delivered", "code": ""}


@pytest.mark.django_db
def test_what_sendgrid_did_not_sign_is_refused() -> None:
    simulator = connect()
    hook = simulator.hook(URL, now(), event("unsubscribe"))
    # The line break at the end is signed as well.
    assert post(hook, body=hook.body.rstrip()) == 403
    assert post(hook, body=hook.body.replace(b"ana", b"bob")) == 403
    for name, wrong in ((sendgrid_signature.SIGNATURE, "x"), (sendgrid_signature.TIMESTAMP, "1")):
        assert post(hook, headers={name: wrong}) == 403
        assert post(hook, headers={name: ""}) == 403
    assert post(simulator.hook(URL, now(-26 * 3600), event("unsubscribe"))) == 403
    assert post(simulator.hook(URL, now(3600), event("unsubscribe"))) == 403
    assert not InboxItem.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", "x", "AAAA"])
def test_without_the_key_nothing_is_believed(key: str) -> None:
    simulator = connect()
    changed = {**ACCOUNT, "verification_key": key}
    row = Connection.objects.get()
    row.credentials_sealed = changed
    row.save()
    assert post(simulator.hook(URL, now(), event("unsubscribe"))) == 403


@pytest.mark.django_db
def test_what_is_no_list_of_events_is_refused_or_left() -> None:
    simulator = connect()
    assert post(simulator.hook(URL, now(), event("delivered"), end=b"x")) == 400
    odd: list[Any] = [7, None, {}, {"event": ["unsubscribe"], "email": ANA, "sg_event_id": "e"}]
    assert post(simulator.hook(URL, now(), *odd)) == 200
    assert not InboxItem.objects.exists()


@pytest.mark.django_db
def test_a_large_batch_is_taken() -> None:
    events = [event("open", number) for number in range(900)]
    assert post(connect().hook(URL, now(), *events)) == 200


def test_the_vendor_s_own_client_understands_the_simulator(simulator: SendGridSimulator) -> None:
    sendgrid = pytest.importorskip("sendgrid")
    mail = pytest.importorskip("sendgrid.helpers.mail")
    client = sendgrid.SendGridAPIClient(api_key=KEY, host=simulator.origin)
    letter = mail.Mail("news@example.org", ANA, "Subject", plain_text_content="Hello")
    assert client.send(letter).status_code == 202
    assert simulator.messages[0]["personalizations"][0]["to"] == [{"email": ANA}]
    client = sendgrid.SendGridAPIClient(api_key="x", host=simulator.origin)
    with pytest.raises(Exception, match="401") as refused:
        client.send(letter)
    assert b"errors" in getattr(refused.value, "body", b"")


def test_the_vendor_s_own_verifier_agrees() -> None:
    events = pytest.importorskip("sendgrid.helpers.eventwebhook")
    simulator = SendGridSimulator()
    simulator._server.server_close()
    hook = simulator.hook(URL, now(), event("open"))
    judge = events.EventWebhook(VERIFICATION)
    signature = hook.headers[sendgrid_signature.SIGNATURE]
    stamp = hook.headers[sendgrid_signature.TIMESTAMP]
    for body in (hook.body, hook.body.rstrip()):
        ours = sendgrid_signature.is_signed(
            key=VERIFICATION, body=body, signature=signature, stamp=stamp, at=clock.now()
        )
        assert ours == judge.verify_signature(body.decode(), signature, stamp)
