"""Do the checks of a campaign say what its messages will be, before any of them leaves?"""

from datetime import timedelta

import pytest

from accounts import audit
from consent import forecast
from integrations import connections, keyed
from integrations.models import Connection, MessageTemplate
from integrations.prices import Prices
from tests.accounts.staff import browser
from tests.videos import stage
from tests.videos.stage import AT
from videos import campaigns, checks, costs
from videos.checks import Check
from videos.models import Campaign, Recipient

pytestmark = pytest.mark.django_db
# After the sandbox: a campaign goes out over the oldest connection that is in use.
LATER = AT + timedelta(seconds=1)
STAFF = audit.Actor("staff", "marketer")


@pytest.fixture(autouse=True)
def _studio() -> None:
    sandbox, _ = connections.ensure_local(at=AT)
    Connection.objects.filter(pk=sandbox.pk).update(state="disabled")


def whatsapp(*, state: str = "approved", words: str = "Your video: {{1}}") -> Connection:
    values = {"token": "t", "whatsapp_template": "video_ready"}
    row = keyed.connect(provider="wati", label="Our WATI", values=values, at=LATER, actor=STAFF)
    MessageTemplate.objects.create(
        connection=row,
        code="video_ready",
        title="video_ready",
        language="en_US",
        state=state,
        words=words,
        changed_at=AT,
    )
    Connection.objects.filter(pk=row.pk).update(templates_read_at=AT)
    return row


def ready(channel: str) -> Campaign:
    stage.agreed(stage.person(), channel=channel)
    made = stage.campaign(channel=channel)
    stage.rendered(made)
    return made


def found(made: Campaign, code: str) -> Check:
    return next(one for one in campaigns.checks(campaign=made, at=AT) if one.code == code)


def test_who_signs_no_report_is_named_since_no_delivery_is_believed() -> None:
    whatsapp()
    one = found(ready("whatsapp"), "connection")
    words = "WATI signs no report, so that none is believed: its messages stay “sent”."
    assert one.detail.endswith(words)
    assert keyed.unheard(provider="smtp").endswith("its messages stay “sent”.")
    assert keyed.unheard(provider="twilio") == keyed.unheard(provider="sandbox") == ""


def test_the_template_that_every_message_will_be_is_named() -> None:
    whatsapp()
    one = found(ready("whatsapp"), "template")
    assert one.state == "good"
    assert "“video_ready” in English (en_US)" in one.detail
    assert "Meta approved it, as Our WATI says" in one.detail


@pytest.mark.parametrize(
    ("state", "words"),
    [("pending", "not approved"), ("paused", "paused"), ("rejected", "rejected")],
)
def test_one_that_meta_did_not_approve_stops_the_campaign_before_send(
    state: str, words: str
) -> None:
    row = whatsapp(state=state)
    made = ready("whatsapp")
    with pytest.raises(campaigns.NotReady) as refused:
        campaigns.start(campaign=made, at=AT, actor=STAFF)
    one = next(check for check in refused.value.checks if check.code == "template")
    assert words in one.detail
    assert not Recipient.objects.exists()
    page = browser("marketer").get(f"/campaigns/{made.pk}/checks/").content.decode()
    assert f"/connections/{row.pk}/templates/" in page


def test_one_that_was_never_read_or_is_not_there_is_red() -> None:
    row = whatsapp()
    made = ready("whatsapp")
    Connection.objects.filter(pk=row.pk).update(templates_read_at=None)
    assert (found(made, "template").state, found(made, "template").detail[-11:]) == (
        "bad",
        "their page.",
    )
    Connection.objects.filter(pk=row.pk).update(templates_read_at=AT)
    MessageTemplate.objects.all().delete()
    assert "no template of the name" in found(made, "template").detail


def test_what_does_not_fit_or_is_old_news_is_amber() -> None:
    row = whatsapp(words="Hello {{2}}")
    made = ready("whatsapp")
    one = found(made, "template")
    assert one.state == "warn"
    assert "Nothing fills {{2}}" in one.detail
    MessageTemplate.objects.update(words="{{1}}")
    assert found(made, "template").state == "good"
    Connection.objects.filter(pk=row.pk).update(templates_read_at=AT - timedelta(hours=25))
    assert "for more than a day" in found(made, "template").detail


def test_what_needs_no_template_is_not_asked_for_one() -> None:
    whatsapp()
    Connection.objects.filter(provider="sandbox").update(state="active")
    assert checks.template_check(ready("whatsapp"), AT) == []
    assert checks.template_check(ready("email"), AT) == []


def sms(**values: str) -> Connection:
    typed = {"account_sid": "AC1", "auth_token": "x", "sender": "MG1", **values}
    return keyed.connect(provider="twilio", label="Twilio", values=typed, at=LATER, actor=STAFF)


def text_campaign(*people: dict[str, str]) -> Campaign:
    for number, values in enumerate(people):
        mine = {"email": f"p{number}@example.org", "phone": f"+4915112345{number:03}", **values}
        stage.agreed(stage.person(**mine), channel="sms")  # type: ignore[arg-type]
    made = stage.campaign(channel="sms")
    stage.rendered(made)
    return made


def test_the_longest_text_of_the_audience_is_told_and_nobody_is_named() -> None:
    sms()
    made = text_campaign({"name": "Ana"}, {"name": "Zoë"})
    one = found(made, "cost")
    # ë is no letter of GSM-7, and so the whole text of one of them is UCS-2.
    assert one.detail.startswith(
        "Each message has 1 to 3 segments: for 2 people about 4 segments (from 2 to 6)."
    )
    assert "No price is entered" in one.detail
    assert "Zo" not in one.detail
    assert one.state == "good"


def test_what_it_costs_is_told_before_send_by_the_price_of_each_country() -> None:
    sms(prices="+49 0.10, +44 0.04", currency="EUR")
    made = text_campaign({"name": "Ana"}, {"name": "Bo"}, {"name": "Eva", "phone": "+447400123456"})
    assert "for 3 people 3 segments. That costs 0.24 EUR." in found(made, "cost").detail
    page = browser("marketer").get(f"/campaigns/{made.pk}/send/").content.decode()
    assert "segments" in page


def test_a_country_without_a_price_is_named_and_amber() -> None:
    sms(prices="+44 0.04")
    one = found(text_campaign({"name": "Ana"}, {"phone": "+447400123456"}), "cost")
    assert one.state == "warn"
    assert "No price is entered for DE: the sum lacks them." in one.detail


def test_only_those_who_would_get_it_are_counted() -> None:
    sms(price_per_segment="1")
    made = text_campaign({"name": "Ana"})
    stage.person(name="Bo", email="bo@example.org", phone="+4915112345999")
    assert costs.bill(campaign=made, prices=Prices(), at=AT).people == 1


def test_of_a_large_audience_the_bounds_hold_for_whoever_was_not_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sms(price_per_segment="1")
    made = text_campaign(*[{"name": name} for name in ("Ana", "Bo", "Wolfeschlegelstein" * 4)])
    exact = costs.bill(campaign=made, prices=Prices(), at=AT)
    monkeypatch.setattr(costs, "LOOKED_AT", 1)
    bounds = costs.bill(campaign=made, prices=Prices(), at=AT)
    assert not bounds.is_exact
    assert bounds.fewest <= exact.fewest < exact.most <= bounds.most
    assert "names were measured" in costs.length_words(bounds)


def test_the_sandbox_has_no_prices_and_other_channels_no_segments() -> None:
    Connection.objects.filter(provider="sandbox").update(state="active")
    made = text_campaign({"name": "Ana"})
    assert "price" not in found(made, "cost").detail
    assert checks.sms_checks(ready("email"), AT) == []


BRAND, CAMPAIGN = "BN" + "0" * 32, "QE" + "0" * 32


@pytest.fixture
def _american(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one person with a number in the US get the message, whatever the law there asks."""
    monkeypatch.setattr(forecast, "reached", lambda **_: {"US": 1})


def american(**values: str) -> Campaign:
    sms(**values)
    return text_campaign({"name": "Ana"})


@pytest.mark.usefixtures("_american")
def test_a_sender_that_is_not_registered_where_people_are_is_stopped_before_send() -> None:
    made = american(us_brand=BRAND)
    one = found(made, "registration")
    assert one.state == "bad"
    assert "One number is there. Not entered for this connection: US: campaign" in one.detail
    with pytest.raises(campaigns.NotReady):
        campaigns.start(campaign=made, at=AT, actor=STAFF)
    assert not Recipient.objects.exists()


@pytest.mark.usefixtures("_american")
def test_a_registered_sender_goes_on() -> None:
    one = found(american(us_brand=BRAND, us_campaign=CAMPAIGN), "registration")
    assert one.state == "good"
    assert BRAND in one.detail


@pytest.mark.usefixtures("_american")
@pytest.mark.parametrize(
    ("sender", "wanted"), [("+18885550100", "toll-free"), ("54321", ""), ("+14155550100", "brand")]
)
def test_what_is_asked_depends_on_the_kind_of_number(sender: str, wanted: str) -> None:
    told = checks.sms_checks(american(sender=sender), AT)
    missing = [one.detail for one in told if one.code == "registration" and one.state == "bad"]
    assert [wanted in words for words in missing] == [True] * bool(wanted)


def test_where_no_country_asks_nothing_is_said_of_it() -> None:
    sms()
    told = checks.sms_checks(text_campaign({"name": "Ana"}), AT)
    assert [one.code for one in told] == ["cost"]
