import re
from datetime import timedelta

import pytest

from accounts import audit
from accounts.models import TrailLeaf
from consent import ledger, suppression
from consent.models import Decision, Message
from integrations import connections
from integrations.models import Connection, SandboxMessage
from tests.videos import stage
from tests.videos.stage import AT
from videos import checks, codes, delivery, devices, links, wording
from videos.codes import NoWayToAsk, TooManyCodes
from videos.devices import Entry
from videos.models import Campaign, CodeSent, Device, Link

pytestmark = pytest.mark.django_db
SOON = AT + timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _connected() -> None:
    connections.ensure_local(at=AT)


def linked(*, phone: str = "+4915112345678", email: str = "zoe@example.org") -> Link:
    who = stage.person(phone=phone, email=email)
    link, _ = stage.link(contact=who)
    Campaign.objects.update(step_up="always", content=[])
    return Link.objects.get(pk=link.pk)


def read(link: Link, device: Device | None = None) -> tuple[Device, str]:
    """Ask for a code, let it leave, and read it off the other phone."""
    asked = codes.ask(link=link, device=device, at=AT)
    delivery.dispatch(at=AT)
    row = SandboxMessage.objects.order_by("at").last()
    assert row is not None
    assert row.content_sealed is not None
    found = re.search(r"\b(\d{6})\b", row.content_sealed["text"])
    assert found, "no code in the message"
    return asked.sent.device, found.group(1)


def test_a_code_goes_to_the_other_address_as_a_service_message() -> None:
    link = linked()
    asked = codes.ask(link=link, device=None, at=AT)
    message = Message.objects.get()
    assert (asked.channel, message.channel, message.purpose_code) == ("sms", "sms", "service")
    assert Decision.objects.get(message_id=message.pk).verdict == "allow"
    assert asked.sent.expires_at == AT + timedelta(minutes=10)


def test_the_right_code_opens_this_browser_and_no_other() -> None:
    link = linked()
    device, code = read(link)
    assert codes.enter(link=link, device=device, code=f" {code[:3]} {code[3:]} ", at=SOON)
    device.refresh_from_db()
    assert devices.entry(link=link, device=device) == Entry.OPEN
    assert devices.entry(link=link, device=None) == Entry.CODE


def test_a_code_holds_once_and_for_ten_minutes() -> None:
    link = linked()
    device, code = read(link)
    late = AT + timedelta(minutes=10)
    assert not codes.enter(link=link, device=device, code=code, at=late)
    assert codes.enter(link=link, device=device, code=code, at=late - timedelta(seconds=1))
    assert not codes.enter(link=link, device=device, code=code, at=SOON)


def test_five_tries_and_no_more() -> None:
    link = linked()
    device, code = read(link)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    assert not any(codes.enter(link=link, device=device, code=wrong, at=SOON) for _ in range(5))
    assert not codes.enter(link=link, device=device, code=code, at=SOON)
    assert CodeSent.objects.get().tries == 5
    assert TrailLeaf.objects.filter(action="videos.code.mistaken").count() == 5


def test_the_newest_code_counts() -> None:
    link = linked()
    device, first = read(link)
    codes.ask(link=link, device=device, at=SOON)
    assert not codes.enter(link=link, device=device, code=first, at=SOON + timedelta(seconds=1))


def test_another_browser_cannot_use_a_code() -> None:
    link = linked()
    _, code = read(link)
    other = Device.objects.create(link=link, created_at=AT)
    assert not codes.enter(link=link, device=other, code=code, at=SOON)


def test_five_codes_a_day_on_a_link() -> None:
    link = linked()
    for _ in range(5):
        codes.ask(link=link, device=None, at=AT)
    with pytest.raises(TooManyCodes):
        codes.ask(link=link, device=None, at=AT + timedelta(hours=23))
    codes.ask(link=link, device=None, at=AT + timedelta(hours=25))


def test_without_a_second_address_nothing_is_sent() -> None:
    link = linked(phone="")
    with pytest.raises(NoWayToAsk):
        codes.ask(link=link, device=None, at=AT)
    assert not Message.objects.exists()
    assert not Device.objects.exists()


def test_whom_the_gate_refuses_gets_no_code_and_the_refusal_is_kept() -> None:
    link = linked()
    for channel in ("sms", "whatsapp"):
        suppression.suppress(channel=channel, address="+4915112345678", reason="keyword", at=AT)
    with pytest.raises(NoWayToAsk):
        codes.ask(link=link, device=None, at=AT)
    assert set(Decision.objects.values_list("verdict", flat=True)) == {"refuse"}


def test_a_code_does_not_stand_in_the_database_or_in_the_trail() -> None:
    link = linked()
    _, code = read(link)
    rows = str(list(CodeSent.objects.values_list("code_index"))) + str(
        list(TrailLeaf.objects.values_list("details", "object_id"))
    )
    assert not re.search(rf"(?<![0-9a-f]){code}(?![0-9a-f])", rows)


def test_a_code_that_is_over_does_not_leave() -> None:
    link = linked()
    codes.ask(link=link, device=None, at=AT)
    delivery.dispatch(at=AT + timedelta(minutes=11))
    assert Message.objects.get().problem == "code_over"


def test_a_withdrawal_ends_a_link_that_waits_for_its_code() -> None:
    link = linked()
    read(link)
    ledger.withdraw(contact=link.contact, act="staff", source="desk", at=AT, actor=audit.SYSTEM)
    assert not links.is_live(link=Link.objects.get(pk=link.pk), at=SOON)


def test_the_forecast_says_whom_no_code_reaches() -> None:
    link = linked()
    stage.person(name="Ana", email="ana@example.org", phone="")
    found = checks.code_check(link.asset.campaign)
    assert (found.state, "1 of 2 people" in found.detail) == ("warn", True)
    Connection.objects.filter(kind="messaging").update(scopes=["email"])
    assert checks.code_check(link.asset.campaign).state == "bad"


@pytest.mark.parametrize("language", [*wording.CODES, "ja", "pt-BR"])
def test_a_code_says_nothing_of_what_it_opens(language: str) -> None:
    said = wording.code(
        channel="sms", language=language, sender="Aurora", code="012345", site="https://a.example"
    )
    assert "012345" in said.text
    assert said.text.endswith("@a.example #012345")
    assert "{" not in said.text
