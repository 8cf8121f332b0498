"""On WhatsApp: a template that Meta approved, or an answer within a day of their own words."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from accounts.audit import SYSTEM
from consent import intake, optin, outbox, personal_data
from consent.models import Contact, Conversation, Decision, Message
from integrations import inbox, keyed, templates
from integrations.messaging import wire
from integrations.models import Connection
from tests.accounts.staff import browser
from tests.consent.people import NOON, act, agreed, person
from tests.integrations.messaging.test_providers import ACCOUNTS
from tests.simulators import twilio, wati

pytestmark = pytest.mark.django_db
PHONE = "+33612340155"


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[twilio.TwilioSimulator]:
    with twilio.TwilioSimulator() as simulator:
        for place in ("twilio", "twilio_content"):
            monkeypatch.setitem(wire.ORIGINS, place, simulator.origin)
        yield simulator


@pytest.fixture
def account(vendor: twilio.TwilioSimulator) -> Connection:
    values = {
        "account_sid": twilio.ACCOUNT,
        "auth_token": twilio.TOKEN,
        "sender": "+14155550199",
        "whatsapp_sender": "+14155550199",
        "whatsapp_template": "video_ready",
    }
    row = keyed.connect(provider="twilio", label="T", values=values, at=NOON, actor=SYSTEM)
    templates.refresh(connection=row, at=NOON)
    return row


@pytest.fixture
def ana() -> Contact:
    return agreed(person(phone=PHONE), "whatsapp")


@pytest.fixture
def claimed() -> Contact:
    """Return somebody of whom another system says that they agreed."""
    row = person(phone=PHONE)
    act(row, "whatsapp", "claimed")
    return row


def asked(contact: Contact) -> str:
    """Ask for their consent; return what became of the question."""
    optin.ask(contact=contact, purpose_code="marketing", channel="whatsapp", at=NOON, actor=SYSTEM)
    outbox.dispatch(at=NOON)
    message = Message.objects.filter(purpose_code="permission_request").first()
    if message is None:
        [reason] = Decision.objects.get().reasons
        return f"not queued {reason['code']}"
    return f"{message.state} {message.problem}".strip()


def asks_under(account: Connection, vendor: twilio.TwilioSimulator, state: str) -> None:
    """Enter a template that asks, of which Meta says this."""
    held = {**dict(account.credentials_sealed), "question_template": "please_confirm"}
    account.credentials_sealed = held
    account.save()
    vendor.templates.append(("please_confirm", state))
    templates.refresh(connection=account, at=NOON)


def sent(
    contact: Contact, account: Connection, at: object = NOON, channel: str = "whatsapp"
) -> str:
    _, message = outbox.queue(
        contact=contact,
        connection=account,
        purpose_code="marketing",
        channel=channel,
        context_type="consent.test",
        context_id=None,
        idempotency_key=uuid.uuid4().hex,
        subject="",
        text="Hello Ana: https://example.org/v/abc",
        at=NOON,
        actor=SYSTEM,
    )
    assert message is not None
    outbox.dispatch(at=NOON)
    message.refresh_from_db()
    return f"{message.state} {message.problem}".strip()


def wrote(account: Connection, hours: float = 0, **more: str) -> str:
    said = {"channel": "whatsapp", "from": PHONE, "text": "When do you open?", **more}
    inbox.store(
        connection=account,
        kind="inbound_message",
        dedupe_key=uuid.uuid4().hex,
        body=said,
        at=NOON - timedelta(hours=hours),
    )
    intake.take_waiting(at=NOON)
    return said["text"]


def meta_says(vendor: twilio.TwilioSimulator, account: Connection, state: str) -> None:
    vendor.templates = [("video_ready", state)]
    templates.refresh(connection=account, at=NOON)


def test_an_approved_template_carries_the_link(
    vendor: twilio.TwilioSimulator, account: Connection, ana: Contact
) -> None:
    assert sent(ana, account) == "sent"
    assert b"ContentSid=video_ready" in vendor.calls[-1].body
    assert b"Ana" not in vendor.calls[-1].body


@pytest.mark.parametrize("state", ["paused", "pending", "rejected", "disabled"])
def test_what_meta_does_not_allow_is_refused_at_hand_off(
    vendor: twilio.TwilioSimulator, account: Connection, ana: Contact, state: str
) -> None:
    meta_says(vendor, account, state)
    assert sent(ana, account) == f"refused template_{state}"
    assert not vendor.messages
    decision = Decision.objects.filter(phase="hand_off").latest("at")
    assert decision.reasons[0]["rule"] == "house.template"


def test_a_list_that_was_never_read_lets_a_message_wait(
    vendor: twilio.TwilioSimulator, account: Connection, ana: Contact
) -> None:
    Connection.objects.update(templates_read_at=None)
    assert sent(ana, account) == "queued"
    templates.refresh(connection=account, at=NOON)
    assert outbox.dispatch(at=NOON + timedelta(minutes=11)).sent == 1


def test_a_text_message_needs_no_template(
    vendor: twilio.TwilioSimulator, account: Connection, ana: Contact
) -> None:
    meta_says(vendor, account, "paused")
    assert sent(agreed(ana, "sms"), account, channel="sms") == "sent"


def test_who_wrote_within_a_day_may_be_answered_in_words(
    vendor: twilio.TwilioSimulator, account: Connection, ana: Contact
) -> None:
    meta_says(vendor, account, "paused")
    wrote(account, hours=20)
    wrote(account, hours=23)
    assert sent(ana, account) == "sent"
    assert b"Hello+Ana" in vendor.calls[-1].body
    [row] = Conversation.objects.all()
    assert row.heard_at == NOON - timedelta(hours=20)


@pytest.mark.parametrize("more", [{"unsigned": "yes"}, {"channel": "sms"}])
def test_what_lowers_no_protection_opens_no_window(
    vendor: twilio.TwilioSimulator, account: Connection, ana: Contact, more: dict[str, Any]
) -> None:
    meta_says(vendor, account, "paused")
    wrote(account, **more)
    assert sent(ana, account) == "refused template_paused"


def test_a_window_shuts_after_a_day_and_is_of_one_account(
    vendor: twilio.TwilioSimulator, account: Connection, ana: Contact
) -> None:
    meta_says(vendor, account, "paused")
    wrote(account, hours=24)
    other = keyed.connect(provider="twilio", label="U", values={}, at=NOON, actor=SYSTEM)
    wrote(other)
    assert sent(ana, account) == "refused template_paused"


def test_the_gate_stays_the_judge_of_consent(
    vendor: twilio.TwilioSimulator, account: Connection, ana: Contact
) -> None:
    wrote(account, text="STOP")
    assert Conversation.objects.count() == 1
    assert not Message.objects.filter(purpose_code="marketing").exists()
    _, message = outbox.queue(
        contact=ana,
        connection=account,
        purpose_code="marketing",
        channel="whatsapp",
        context_type="consent.test",
        context_id=None,
        idempotency_key="k",
        subject="",
        text="Hello",
        at=NOON,
        actor=SYSTEM,
    )
    assert message is None


def test_that_somebody_wrote_is_told_to_them_and_goes_with_them(
    account: Connection, ana: Contact
) -> None:
    wrote(account)
    told = personal_data.export(contact_id=ana.pk, at=NOON)
    assert len(told["wrote_on_whatsapp"]) == 1  # type: ignore[arg-type]
    personal_data.erase(contact_id=ana.pk, at=NOON)
    assert not Conversation.objects.exists()


def test_a_question_of_consent_never_leaves_under_the_words_of_a_video(
    vendor: twilio.TwilioSimulator, account: Connection, claimed: Contact
) -> None:
    made = len(vendor.messages)
    assert "an administrator enters one" in optin.obstacle(channel="whatsapp", at=NOON)
    assert asked(claimed) == "not queued template_no_question"
    assert len(vendor.messages) == made


@pytest.mark.parametrize("state", ["pending", "paused", "rejected"])
def test_a_question_whose_template_meta_does_not_allow_is_refused_before_it_waits(
    vendor: twilio.TwilioSimulator, account: Connection, claimed: Contact, state: str
) -> None:
    asks_under(account, vendor, state)
    assert asked(claimed) == f"not queued template_{state}"


def test_a_question_leaves_under_the_template_that_asks(
    vendor: twilio.TwilioSimulator, account: Connection, claimed: Contact
) -> None:
    asks_under(account, vendor, "approved")
    vendor.templates = [("video_ready", "paused"), ("please_confirm", "approved")]
    templates.refresh(connection=account, at=NOON)
    assert asked(claimed) == "sent"
    assert b"ContentSid=please_confirm" in vendor.calls[-1].body
    assert b"join%2Fconfirm" in vendor.calls[-1].body


def test_a_question_whose_template_was_paused_since_is_refused_at_hand_off(
    vendor: twilio.TwilioSimulator, account: Connection, claimed: Contact
) -> None:
    asks_under(account, vendor, "approved")
    assert optin.ask(
        contact=claimed, purpose_code="marketing", channel="whatsapp", at=NOON, actor=SYSTEM
    )
    vendor.templates = [("video_ready", "approved"), ("please_confirm", "paused")]
    templates.refresh(connection=account, at=NOON)
    assert asked(claimed) == "refused template_paused"


def test_a_question_waits_for_a_list_that_was_never_read(
    vendor: twilio.TwilioSimulator, account: Connection, claimed: Contact
) -> None:
    asks_under(account, vendor, "approved")
    Connection.objects.update(templates_read_at=None)
    assert asked(claimed) == "queued"
    templates.refresh(connection=account, at=NOON)
    assert outbox.dispatch(at=NOON + timedelta(minutes=11)).sent == 1


def test_a_campaign_never_leaves_under_the_template_that_asks(
    vendor: twilio.TwilioSimulator, account: Connection, ana: Contact
) -> None:
    asks_under(account, vendor, "approved")
    vendor.templates = [("video_ready", "paused"), ("please_confirm", "approved")]
    templates.refresh(connection=account, at=NOON)
    assert sent(ana, account) == "refused template_paused"


def test_where_somebody_is_asked_the_page_says_why_not_by_whatsapp(
    account: Connection, claimed: Contact
) -> None:
    client, address = browser("marketer"), reverse("consent:contact", args=[claimed.pk])
    ask = reverse("consent:ask", args=[claimed.pk])
    shown = client.get(address).content.decode()
    assert "an administrator enters one under its keys" in shown
    assert "Ask by WhatsApp" not in shown
    shown = client.post(ask, {"channel": "whatsapp"}, follow=True).content.decode()
    assert shown.count("an administrator enters one under its keys") == 2
    assert not Message.objects.exists()


def test_who_wrote_within_a_day_is_asked_in_words(
    vendor: twilio.TwilioSimulator, account: Connection, claimed: Contact
) -> None:
    wrote(account)
    assert asked(claimed) == "sent"
    assert b"join%2Fconfirm" in vendor.calls[-1].body


@pytest.mark.parametrize("name", ["wati", "gupshup"])
@pytest.mark.parametrize(
    ("words", "purpose"), [("STOP", "stop_confirmation"), ("HELP", "help_answer")]
)
def test_who_signs_nothing_still_carries_the_answer_to_words_of_just_now(
    monkeypatch: pytest.MonkeyPatch, ana: Contact, name: str, words: str, purpose: str
) -> None:
    kind, held = ACCOUNTS[name]
    with kind() as vendor:
        monkeypatch.setitem(wire.ORIGINS, name, vendor.origin)
        vendor.open.add(PHONE.removeprefix("+"))
        row = keyed.connect(provider=name, label="U", values=held, at=NOON, actor=SYSTEM)
        wrote(row, text=words, unsigned="yes")
        assert outbox.dispatch(at=NOON).sent == 1
        assert b"video_ready" not in vendor.calls[-1].body
    assert Message.objects.get().purpose_code == purpose
    assert not Conversation.objects.exists()


def test_a_stranger_s_word_for_somebody_s_brings_them_nothing(
    monkeypatch: pytest.MonkeyPatch, ana: Contact
) -> None:
    with wati.WatiSimulator() as vendor:
        monkeypatch.setitem(wire.ORIGINS, "wati", vendor.origin)
        values = ACCOUNTS["wati"][1]
        row = keyed.connect(provider="wati", label="U", values=values, at=NOON, actor=SYSTEM)
        wrote(row, text="STOP", unsigned="yes")
        assert outbox.dispatch(at=NOON).failed == 1
        assert not vendor.messages
