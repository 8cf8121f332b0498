"""Do all adapters keep the contract: what is sent, what each answer means, what is told of it?"""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import unquote_plus

import pytest

from integrations import inbox, messaging
from integrations.messaging import twilio, twilio_contents, wire
from integrations.messaging import wati as wati_adapter
from integrations.messaging.base import (
    KeepsTemplates,
    MessagingProvider,
    OutgoingMessage,
    Paced,
    ProviderError,
)
from integrations.models import Connection
from tests import patience
from tests.simulators import gupshup, wati
from tests.simulators import twilio as twilio_simulator
from tests.simulators.server import OUTCOMES, Simulator

TEMPLATE = {"whatsapp_template": "video_ready", "webhook_secret": "s" * 43}
ACCOUNTS: dict[str, tuple[type[Simulator], dict[str, str]]] = {
    "twilio": (
        twilio_simulator.TwilioSimulator,
        {
            "account_sid": twilio_simulator.ACCOUNT,
            "auth_token": twilio_simulator.TOKEN,
            "sender": "+14155550199",
            "whatsapp_sender": "+14155550199",
            "keep_nothing": "yes",
            **TEMPLATE,
        },
    ),
    "wati": (wati.WatiSimulator, {"token": wati.TOKEN, **TEMPLATE}),
    "gupshup": (
        gupshup.GupshupSimulator,
        {
            "api_key": gupshup.KEY,
            "app_id": gupshup.APP,
            "app_name": "Acme",
            "source": "+14155550199",
            **TEMPLATE,
        },
    ),
}
TEXT = "Hello Ana, your video: https://example.org/v/abc. Reply STOP to end"


@pytest.fixture(params=ACCOUNTS)
def vendor(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, Simulator]]:
    patience.with_mode(monkeypatch, patience.mode_of(request))
    monkeypatch.setattr(twilio, "LOOK_UP_AFTER_SECONDS", (0,))
    with ACCOUNTS[request.param][0]() as simulator:
        for place in [name for name in wire.ORIGINS if name.startswith(request.param)]:
            monkeypatch.setitem(wire.ORIGINS, place, simulator.origin)
        yield request.param, simulator


def adapter(name: str, **changes: str) -> MessagingProvider:
    held = {**ACCOUNTS[name][1], **changes}
    return messaging.provider_for(Connection(provider=name, credentials_sealed=held))


def message(address: str = "+14155550100", channel: str = "whatsapp") -> OutgoingMessage:
    return OutgoingMessage(uuid.uuid4(), channel, address, "", TEXT, {})


def failure(provider: MessagingProvider, one: OutgoingMessage) -> ProviderError:
    with pytest.raises(ProviderError) as failed:
        provider.send(one)
    return failed.value


def test_a_message_is_taken_once_with_the_link_only(vendor: tuple[str, Simulator]) -> None:
    name, simulator = vendor
    sent = adapter(name).send(message())
    assert 0 < len(sent.provider_message_id) <= 80
    [call] = simulator.calls
    assert call.method == "POST"
    assert b"abc" in call.body
    assert b"Ana" not in call.body
    assert "4155550100" not in call.path


@pytest.mark.parametrize("mode", OUTCOMES)
def test_each_misbehaviour_has_its_outcome(vendor: tuple[str, Simulator], mode: str) -> None:
    name, simulator = vendor
    simulator.mode = mode
    failed = failure(adapter(name), message(channel="sms" if name == "twilio" else "whatsapp"))
    assert failed.outcome == OUTCOMES[mode], failed.code
    # Not one of them is answered by a second message.
    assert [call.method for call in simulator.calls].count("POST") == 1
    assert "4155550100" not in repr(failed)


def test_who_stopped_there_is_called_so(vendor: tuple[str, Simulator]) -> None:
    failed = failure(adapter(vendor[0]), message("+14155550104"))
    assert (failed.outcome, failed.code) == ("permanent", inbox.OPTED_OUT)


def test_a_server_that_is_gone_was_not_reached(vendor: tuple[str, Simulator]) -> None:
    name, simulator = vendor
    simulator.__exit__()
    assert failure(adapter(name), message()).outcome == "transient"


def test_no_channel_of_theirs_is_refused(vendor: tuple[str, Simulator]) -> None:
    assert failure(adapter(vendor[0]), message(channel="fax")).outcome == "permanent"
    assert not vendor[1].calls


def test_without_a_template_nothing_goes_to_whatsapp(vendor: tuple[str, Simulator]) -> None:
    failed = failure(adapter(vendor[0], whatsapp_template=""), message())
    assert (failed.outcome, failed.code) == ("permanent", "whatsapp_needs_a_template")
    assert not vendor[1].calls


def test_a_question_of_consent_goes_under_its_own_template(
    vendor: tuple[str, Simulator],
) -> None:
    name, simulator = vendor
    question = replace(message(), subject="Please confirm", is_question=True)
    held = {"question_template": "please_confirm", "question_variables": "subject, link"}
    adapter(name, **held).send(question)
    [call] = simulator.calls
    body = unquote_plus(call.body.decode())
    assert "please_confirm" in body
    assert "video_ready" not in body
    assert body.index("Please confirm") < body.index("https://example.org/v/abc")


def test_a_question_of_consent_goes_under_no_other_template(
    vendor: tuple[str, Simulator],
) -> None:
    failed = failure(adapter(vendor[0]), replace(message(), is_question=True))
    assert (failed.outcome, failed.code) == ("permanent", "whatsapp_needs_a_template")
    assert not vendor[1].calls


@pytest.mark.parametrize("vendor", ["wati", "gupshup"], indirect=True)
def test_a_template_that_asks_is_checked_too(vendor: tuple[str, Simulator]) -> None:
    name, simulator = vendor
    held = {"question_template": "please_confirm"}
    assert "that asks for consent: The account answers, and has no" in adapter(name, **held).check()
    simulator.templates.append(("please_confirm", "PENDING"))  # type: ignore[attr-defined]
    assert "that asks for consent: Meta has not" in adapter(name, **held).check()
    simulator.templates[1] = ("please_confirm", "APPROVED")  # type: ignore[attr-defined]
    assert adapter(name, **held).check() == ""


def test_credentials_that_do_not_open_send_nothing(vendor: tuple[str, Simulator]) -> None:
    row = Connection(provider=vendor[0], credentials_sealed=None)
    assert failure(messaging.provider_for(row), message()).outcome == "transient"
    assert not vendor[1].calls


def test_an_account_is_checked_without_a_message(vendor: tuple[str, Simulator]) -> None:
    name, simulator = vendor
    assert adapter(name).check() == ""
    wrong = {"auth_token": "x", "token": "x", "api_key": "x"}
    assert "refuses" in adapter(name, **wrong).check()
    assert not simulator.messages


@pytest.mark.parametrize("mode", ["500", "401", "garbage_json", "wrong_type", "reset"])
def test_no_list_of_templates_is_no_empty_list(vendor: tuple[str, Simulator], mode: str) -> None:
    name, simulator = vendor
    simulator.mode, simulator.acts = mode, frozenset({"GET"})
    provider = adapter(name)
    assert isinstance(provider, KeepsTemplates)
    with pytest.raises(ProviderError, match="transient"):
        provider.templates()


def test_all_templates_are_told_of_with_their_state(
    vendor: tuple[str, Simulator], monkeypatch: pytest.MonkeyPatch
) -> None:
    name, simulator = vendor
    monkeypatch.setattr(twilio_contents, "PAGE_ROWS", "2")
    monkeypatch.setattr(wati_adapter, "PAGE_ROWS", 2)
    others = [("other", "paused"), ("old", "rejected")]
    monkeypatch.setattr(simulator, "templates", [("video_ready", "approved"), *others])
    provider = adapter(name)
    assert isinstance(provider, KeepsTemplates)
    first, second, third = provider.templates()
    assert (first.code, first.state, first.language) == ("video_ready", "approved", "en")
    assert (first.words, first.category) == ("Your video is ready: {{1}}", "MARKETING")
    assert [(one.code, one.state) for one in (second, third)] == others


def answer(text: str = "Stopped: we write no more.") -> OutgoingMessage:
    return replace(message(), text=text, within_window=True)


def test_who_has_just_written_is_answered_in_words_without_a_template(
    vendor: tuple[str, Simulator],
) -> None:
    name, simulator = vendor
    simulator.open = {"14155550100"}
    sent = adapter(name, whatsapp_template="").send(answer())
    assert 0 < len(sent.provider_message_id) <= 80
    [call] = simulator.calls
    assert "we write no more" in unquote_plus(call.body.decode())
    assert b"video_ready" not in call.body


def test_an_answer_that_is_too_long_is_refused(vendor: tuple[str, Simulator]) -> None:
    assert failure(adapter(vendor[0]), answer("x" * 4097)).code == "too_long"
    assert not vendor[1].calls


@pytest.mark.parametrize("vendor", ["wati", "gupshup"], indirect=True)
def test_who_has_not_written_there_is_not_answered(vendor: tuple[str, Simulator]) -> None:
    assert failure(adapter(vendor[0]), answer()).outcome == "permanent"
    assert not vendor[1].messages


@pytest.mark.parametrize("mode", OUTCOMES)
def test_each_misbehaviour_at_an_answer_has_its_outcome(
    vendor: tuple[str, Simulator], mode: str
) -> None:
    name, simulator = vendor
    simulator.mode = mode
    failed = failure(adapter(name), answer())
    expected = "unknown" if (name, mode) == ("wati", "200_with_error") else OUTCOMES[mode]
    assert failed.outcome == expected, failed.code
    assert [call.method for call in simulator.calls].count("POST") == 1


@pytest.mark.parametrize("vendor", ["wati"], indirect=True)
def test_wati_answers_over_the_channel_that_is_entered(vendor: tuple[str, Simulator]) -> None:
    vendor[1].open = {"14155550100"}
    adapter("wati", channel="Shop").send(answer())
    assert b"Shop:14155550100" in vendor[1].calls[0].body


@pytest.fixture
def quick_twilio(monkeypatch: pytest.MonkeyPatch) -> Iterator[twilio_simulator.TwilioSimulator]:
    monkeypatch.setattr(twilio, "LOOK_UP_AFTER_SECONDS", (0,))
    with twilio_simulator.TwilioSimulator() as simulator:
        monkeypatch.setitem(wire.ORIGINS, "twilio", simulator.origin)
        yield simulator


def test_what_twilio_took_is_found_again(quick_twilio: twilio_simulator.TwilioSimulator) -> None:
    adapter("twilio").send(message("+14155550101", "sms"))
    quick_twilio.mode, quick_twilio.takes = "reset", True
    sent = adapter("twilio").send(message(channel="sms"))
    assert sent.provider_message_id == quick_twilio.messages[-1]["sid"]
    assert len(quick_twilio.messages) == 2
    assert all("4155550100" not in call.path for call in quick_twilio.calls)


def test_an_older_message_of_the_same_words_is_not_taken_for_it(
    quick_twilio: twilio_simulator.TwilioSimulator,
) -> None:
    adapter("twilio").send(message(channel="sms"))
    quick_twilio.messages[0]["date_created"] = "Thu, 24 Aug 2023 05:01:45 +0000"
    quick_twilio.mode = "reset"
    assert failure(adapter("twilio"), message(channel="sms")).outcome == "unknown"


def test_twilio_is_told_to_keep_nothing(quick_twilio: twilio_simulator.TwilioSimulator) -> None:
    adapter("twilio").send(message(channel="sms"))
    body = quick_twilio.calls[0].body
    assert b"ContentRetention=discard" in body
    assert b"AddressRetention=obfuscate" in body


def test_a_text_that_is_too_long_is_refused(
    quick_twilio: twilio_simulator.TwilioSimulator,
) -> None:
    one = OutgoingMessage(uuid.uuid4(), "sms", "+14155550100", "", "x" * 1601, {})
    assert failure(adapter("twilio"), one).code == "too_long"


def test_the_vendor_s_own_client_understands_the_simulator(
    quick_twilio: twilio_simulator.TwilioSimulator,
) -> None:
    rest = pytest.importorskip("twilio.rest")
    client = rest.Client(twilio_simulator.ACCOUNT, twilio_simulator.TOKEN)
    client.api.base_url = quick_twilio.origin
    row = client.messages.create(to="+14155550100", from_="+14155550199", body="Hello")
    assert (row.status, row.sid) == ("queued", quick_twilio.messages[0]["sid"])
    assert [one.sid for one in client.messages.list(limit=5)] == [row.sid]
    since = row.date_created - timedelta(minutes=1)
    assert [one.sid for one in client.messages.list(date_sent_after=since)] == [row.sid]
    assert client.messages.list(date_sent_before=since) == []
    client.content.base_url = quick_twilio.origin
    [content] = client.content.v1.content_and_approvals.list()
    assert (content.sid, content.approval_requests["status"]) == ("video_ready", "approved")
    with pytest.raises(Exception, match="unsubscribed") as refused:
        client.messages.create(to="+14155550104", from_="+14155550199", body="Hello")
    assert getattr(refused.value, "code", None) == 21610


@pytest.mark.parametrize("provider", sorted(wire.PER_SECOND))
@pytest.mark.parametrize(
    ("typed", "rate"), [("", None), ("2.5", 2.5), ("nan", None), ("-1", None), ("many", None)]
)
def test_each_vendor_has_its_pace_and_many_hands(
    provider: str, typed: str, rate: float | None
) -> None:
    made = messaging.provider_for(
        Connection(provider=provider, credentials_sealed={"per_second": typed})
    )
    assert isinstance(made, Paced)
    assert made.per_second == (rate or wire.PER_SECOND[provider])


def test_all_but_the_sandbox_are_paced() -> None:
    assert set(messaging.PROVIDERS) - {"sandbox"} == set(wire.PER_SECOND)


def test_a_fault_of_an_adapter_is_not_called_a_missing_one(monkeypatch: pytest.MonkeyPatch) -> None:
    broken: dict[str, MessagingProvider] = {}
    monkeypatch.setitem(messaging.PROVIDERS, "wati", lambda _connection: broken["lost"])
    with pytest.raises(KeyError):
        messaging.provider_for(Connection(provider="wati"))
