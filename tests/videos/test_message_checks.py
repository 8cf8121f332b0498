"""Do the checks of a campaign say what its messages will be, before any of them leaves?"""

from datetime import timedelta

import pytest

from accounts import audit
from integrations import connections, keyed
from integrations.messaging.prices import Prices
from integrations.models import Connection, MessageTemplate
from tests.accounts.staff import browser
from tests.videos import stage
from tests.videos.stage import AT
from videos import campaigns, checks, costs
from videos.checks import Check
from videos.models import Campaign, Recipient

pytestmark = pytest.mark.django_db
STAFF = audit.Actor("staff", "marketer")


@pytest.fixture(autouse=True)
def _studio() -> None:
    sandbox, _ = connections.ensure_local(at=AT)
    Connection.objects.filter(pk=sandbox.pk).update(state="disabled")


def whatsapp(*, state: str = "approved", words: str = "Your video: {{1}}") -> Connection:
    values = {"token": "t", "whatsapp_template": "video_ready"}
    row = keyed.connect(provider="wati", label="Our WATI", values=values, at=AT, actor=STAFF)
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
    return keyed.connect(provider="twilio", label="Twilio", values=typed, at=AT, actor=STAFF)


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
    # Three dots are no letter of GSM-7, and so the whole text of one of them is UCS-2.
    assert one.detail.startswith(
        "Each message has 1 to 3 segments; 2 of them make about 4 segments (from 2 to 6)."
    )
    assert "No price is entered" in one.detail
    assert "Zo" not in one.detail
    assert one.state == "good"


def test_what_it_costs_is_told_before_send_by_the_price_of_each_country() -> None:
    sms(prices="+49 0.10, +44 0.04", currency="EUR")
    made = text_campaign({"name": "Ana"}, {"name": "Bo"}, {"name": "Eva", "phone": "+447400123456"})
    assert "3 segments. That costs 0.24 EUR." in found(made, "cost").detail
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
    assert checks.cost_check(ready("email"), AT) == []
