"""Does an OAuth app at Twilio stand for a key: a token an hour, asked for once, never at rest?"""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from twilio.credential.client_credential_provider import ClientCredentialProvider
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from accounts.audit import SYSTEM
from integrations import keyed, messaging
from integrations.messaging import twilio, twilio_tokens, wire
from integrations.messaging.base import MessagingProvider, OutgoingMessage, ProviderError
from integrations.models import Connection
from tests import patience
from tests.accounts.staff import NOON
from tests.simulators import twilio as simulator
from tests.simulators.server import OUTCOMES
from tests.simulators.twilio import TwilioSimulator

HELD = {
    "account_sid": simulator.ACCOUNT,
    # The key of what Twilio posts to us, and of no call.
    "auth_token": "signs only",
    "client_id": simulator.CLIENT_ID,
    "client_secret": simulator.CLIENT_SECRET,
    "sender": "+14155550199",
}


@pytest.fixture
def vendor(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TwilioSimulator]:
    patience.with_mode(monkeypatch, patience.mode_of(request))
    monkeypatch.setattr(twilio, "LOOK_UP_AFTER_SECONDS", (0,))
    monkeypatch.setattr(twilio_tokens, "_KEPT", {})
    with TwilioSimulator() as stand_in:
        for place in [name for name in wire.ORIGINS if name.startswith("twilio")]:
            monkeypatch.setitem(wire.ORIGINS, place, stand_in.origin)
        yield stand_in


def adapter(**changes: str) -> MessagingProvider:
    held = {**HELD, **changes}
    return messaging.provider_for(Connection(provider="twilio", credentials_sealed=held))


def message() -> OutgoingMessage:
    text = "Your video: https://example.org/v/abc"
    return OutgoingMessage(uuid.uuid4(), "sms", "+14155550100", "", text, {})


def posts(vendor: TwilioSimulator, path: str) -> int:
    return sum(call.method == "POST" and path in call.path for call in vendor.calls)


def test_one_token_serves_all_threads_and_all_rounds(
    vendor: TwilioSimulator,
) -> None:
    with ThreadPoolExecutor(16) as pool:
        for _ in pool.map(lambda _: adapter().send(message()), range(40)):
            pass
    assert posts(vendor, simulator.TOKEN_PATH) == 1
    assert len(vendor.messages) == 40
    for call in vendor.calls:
        assert simulator.CLIENT_SECRET not in call.path
        assert not call.headers.get("Authorization", "").startswith("Basic")


def test_a_token_that_ended_is_replaced_and_the_message_goes_once(
    vendor: TwilioSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twilio_tokens, "YOUNG_SECONDS", -1.0)
    adapter().send(message())
    vendor.tokens.clear()
    adapter().send(message())
    assert posts(vendor, simulator.TOKEN_PATH) == 2
    assert len(vendor.messages) == 2


def test_one_that_is_about_to_end_is_not_used() -> None:
    clock, asked = [0.0], []

    def ask() -> wire.Reply:
        asked.append(clock[0])
        return wire.Reply(200, {"access_token": f"t{len(asked)}", "expires_in": 3600})

    tokens = twilio_tokens.Tokens(ask, lambda: clock[0])
    found = []
    for clock[0] in (0.0, 3539.0, 3541.0):
        found.append(tokens.current())
    assert found == ["t1", "t1", "t2"]
    # A token of seconds that is refused is not the token's fault.
    assert tokens.current(refused="t2") == "t2"


def test_a_wrong_secret_is_the_account_s_fault_and_nothing_leaves(vendor: TwilioSimulator) -> None:
    provider = adapter(client_secret="wrong")
    with pytest.raises(ProviderError) as failed:
        provider.send(message())
    assert (failed.value.outcome, failed.value.code) == ("transient", "account_refused")
    assert posts(vendor, "Messages.json") == 0
    assert "client id and secret" in provider.check()
    assert adapter().check() == ""


@pytest.mark.parametrize("mode", OUTCOMES)
def test_whatever_becomes_of_asking_for_a_token_no_message_has_left(
    vendor: TwilioSimulator, mode: str
) -> None:
    vendor.mode, vendor.spares_tokens = mode, False
    with pytest.raises(ProviderError) as failed:
        adapter().send(message())
    assert failed.value.outcome == "transient"
    assert posts(vendor, "Messages.json") == 0


@pytest.mark.parametrize("mode", OUTCOMES)
def test_each_misbehaviour_has_the_outcome_that_a_key_has(
    vendor: TwilioSimulator, mode: str
) -> None:
    vendor.mode = mode
    with pytest.raises(ProviderError) as failed:
        adapter().send(message())
    assert failed.value.outcome == OUTCOMES[mode], failed.value.code
    assert posts(vendor, "Messages.json") == 1


@pytest.mark.parametrize("token", ["", "two words", "line\r\nX-Evil: 1", "é", "x" * 8001])
def test_what_is_no_token_is_not_put_into_a_header(token: str) -> None:
    tokens = twilio_tokens.Tokens(lambda: wire.Reply(200, {"access_token": token}))
    with pytest.raises(ProviderError):
        tokens.current()


@pytest.mark.django_db
def test_the_card_says_how_the_account_is_opened() -> None:
    row = keyed.connect(provider="twilio", label="T", values=HELD, at=NOON, actor=SYSTEM)
    assert row.auth_kind == "oauth_client"
    assert "oauth.twilio.com" in row.hosts
    without = {**HELD, "client_id": ""}
    changed = keyed.change(connection=row, values=without, at=NOON, actor=SYSTEM)
    assert changed.auth_kind == "key"


class Loopback(TwilioHttpClient):  # type: ignore[misc]
    """The vendor's own client, with the stand-in's host in place of the vendor's."""

    def __init__(self, origin: str) -> None:
        super().__init__()
        self._origin = origin

    def request(self, method: str, url: str, *args: object, **more: object) -> Response:
        path = url.partition("twilio.com")[2]
        return super().request(method, self._origin + path, *args, **more)


def test_the_vendor_s_own_client_takes_the_stand_in_for_twilio(
    vendor: TwilioSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", simulator.ACCOUNT)
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "none")
    provider = ClientCredentialProvider(simulator.CLIENT_ID, simulator.CLIENT_SECRET)
    strategy = provider.to_auth_strategy()
    strategy.token_manager.client.http_client = Loopback(vendor.origin)
    client = Client(
        account_sid=simulator.ACCOUNT,
        credential_provider=provider,
        http_client=Loopback(vendor.origin),
    )
    sent = client.messages.create(to="+14155550100", from_="+14155550199", body="Hello")
    assert sent.sid == vendor.messages[0]["sid"]
    assert vendor.calls[-1].headers["Authorization"].removeprefix("Bearer ") in vendor.tokens
