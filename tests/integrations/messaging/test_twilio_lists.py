"""Is a message found in Twilio's list exactly, or not at all?"""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from integrations import messaging
from integrations.messaging import twilio_lists, wire
from integrations.messaging.base import Asked, Found, LooksUp, OutgoingMessage, ProviderError
from integrations.models import Connection
from tests.simulators import twilio as twilio_simulator

LEFT = datetime(2026, 10, 7, 14, 0, tzinfo=UTC)
LINK = "https://example.org/v/abc"
ONE = OutgoingMessage(uuid.uuid4(), "sms", "+14155550100", "", f"Hello Ana: {LINK}", {})
ROW = {
    "sid": "SM1",
    "to": ONE.address,
    "body": ONE.text,
    "direction": "outbound-api",
    "date_created": format_datetime(LEFT + timedelta(seconds=2)),
    "status": "delivered",
    "error_code": None,
}
OTHERS: list[dict[str, object]] = [
    {"to": "+14155550101"},
    {"body": "Hello Ana: https://example.org/v/xyz"},
    {"direction": "inbound"},
    {"date_created": format_datetime(LEFT - timedelta(minutes=2))},
    {"date_created": format_datetime(LEFT + timedelta(hours=1))},
    {"date_created": "soon"},
    {"sid": None},
]


@pytest.fixture
def simulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[twilio_simulator.TwilioSimulator]:
    with twilio_simulator.TwilioSimulator() as running:
        monkeypatch.setitem(wire.ORIGINS, "twilio", running.origin)
        yield running


def look_up(*asked: Asked) -> dict[uuid.UUID, list[Found]]:
    held = {"account_sid": twilio_simulator.ACCOUNT, "auth_token": twilio_simulator.TOKEN}
    provider = messaging.provider_for(Connection(provider="twilio", credentials_sealed=held))
    assert isinstance(provider, LooksUp)
    return {name: list(rows) for name, rows in provider.look_up(asked).items()}


def test_a_row_is_ours_by_number_words_and_time() -> None:
    assert twilio_lists.is_ours(ROW, ONE, LEFT)


@pytest.mark.parametrize("changed", OTHERS)
def test_any_other_row_is_not(changed: dict[str, object]) -> None:
    assert not twilio_lists.is_ours({**ROW, **changed}, ONE, LEFT)


def test_of_a_template_the_link_is_known_again() -> None:
    message = replace(ONE, channel="whatsapp")
    row = {**ROW, "to": f"whatsapp:{ONE.address}", "body": f"Your video is ready: {LINK}. Bye"}
    assert twilio_lists.is_ours(row, message, LEFT)
    assert not twilio_lists.is_ours({**row, "body": "Your video"}, message, LEFT)


@pytest.mark.parametrize(
    ("status", "code", "found"),
    [
        ("read", None, Found("SM1", "delivered")),
        ("queued", None, Found("SM1", "sent")),
        ("undelivered", 30003, Found("SM1", "failed", "30003")),
        ("failed", 21610, Found("SM1", "failed", "opted_out")),
    ],
)
def test_how_far_it_came_is_told(
    simulator: twilio_simulator.TwilioSimulator, status: str, code: int | None, found: Found
) -> None:
    simulator.messages.append({**ROW, "status": status, "error_code": code})
    assert look_up(Asked(ONE, LEFT)) == {ONE.message_id: [found]}


def test_the_whole_list_is_read_and_no_number_stands_in_an_address(
    simulator: twilio_simulator.TwilioSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twilio_lists, "PAGE_ROWS", "2")
    simulator.messages += [{**ROW, "sid": f"SM{place}", "body": "x"} for place in range(5)]
    simulator.messages.insert(0, ROW)
    assert [one.provider_message_id for one in look_up(Asked(ONE, LEFT))[ONE.message_id]] == ["SM1"]
    assert len(simulator.calls) == 3
    assert all("4155550100" not in call.path for call in simulator.calls)
    monkeypatch.setattr(twilio_lists, "PAGES_MAX", 2)
    with pytest.raises(ProviderError, match="list_too_long"):
        look_up(Asked(ONE, LEFT))


def test_messages_of_one_time_are_asked_for_together(
    simulator: twilio_simulator.TwilioSimulator,
) -> None:
    others = [replace(ONE, message_id=uuid.uuid4()) for _ in range(3)]
    found = look_up(
        Asked(ONE, LEFT),
        Asked(others[0], LEFT + timedelta(minutes=9)),
        Asked(others[1], LEFT + timedelta(hours=3)),
    )
    assert set(found) == {ONE.message_id, others[0].message_id, others[1].message_id}
    assert len(simulator.calls) == 2


@pytest.mark.parametrize("mode", ["500", "garbage_json", "wrong_type", "reset", "401"])
def test_a_list_that_does_not_come_finds_nothing(
    simulator: twilio_simulator.TwilioSimulator, mode: str
) -> None:
    simulator.messages.append(dict(ROW))
    simulator.mode, simulator.acts = mode, frozenset({"GET"})
    with pytest.raises(ProviderError, match="transient"):
        look_up(Asked(ONE, LEFT))
