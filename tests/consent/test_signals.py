from datetime import timedelta

import pytest
from django.test import Client

from config.lib import clock
from consent import ledger, signals, suppression
from consent.models import ConsentEvent, Contact, Revocation
from tests.consent.people import NOON, agreed, person
from tests.videos import stage

pytestmark = pytest.mark.django_db


def state(contact: Contact, purpose: str) -> str | None:
    return ledger.state_of(contact=contact, purpose_code=purpose, channel="email", at=clock.now())


@pytest.mark.parametrize(
    ("value", "sent"), [("1", True), (" 1 ", True), ("0", False), ("true", False), (None, False)]
)
def test_only_a_one_is_a_signal(value: str | None, sent: bool) -> None:
    assert signals.is_sent(value=value) is sent


@pytest.mark.parametrize(("country", "phone"), [("US", "+12025550123"), ("FR", "+33612340123")])
def test_it_ends_sharing_and_counting_and_no_message(country: str, phone: str) -> None:
    contact = agreed(person(country=country, phone=phone, time_zone=""), "email")
    events = signals.gpc(contact=contact, at=NOON)
    assert {event.purpose_code for event in events} == {"sharing", "view_analytics"}
    assert {event.act for event in events} == {"signal"}
    assert state(contact, "marketing") == "confirmed"
    assert not suppression.is_suppressed(channel="email", address_index=contact.email_stop_index)
    assert Revocation.objects.get().means == "signal"


def test_seen_again_it_changes_nothing() -> None:
    contact = person()
    signals.gpc(contact=contact, at=NOON)
    assert signals.gpc(contact=contact, at=NOON + timedelta(days=1)) == []
    assert Revocation.objects.count() == 1


def test_the_page_of_a_link_shows_it_and_keeps_it_with_the_first_gesture() -> None:
    link, token = stage.link(at=clock.now())
    browser = Client(headers={"sec-gpc": "1"})
    assert "(GPC)" in browser.get(f"/v/{token}").content.decode()
    assert not ConsentEvent.objects.filter(act="signal").exists()
    browser.post(f"/v/{token}/play", stage.TAP)
    assert state(link.contact, "view_analytics") == "withdrawn"


def test_a_browser_without_it_changes_and_shows_nothing() -> None:
    link, token = stage.link(at=clock.now())
    assert "(GPC)" not in Client().get(f"/v/{token}").content.decode()
    Client().post(f"/v/{token}/play", stage.TAP)
    assert state(link.contact, "view_analytics") is None


def test_the_house_says_where_browsers_look_that_it_keeps_to_it() -> None:
    answer = Client().get("/.well-known/gpc.json")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == {"gpc": True, "lastUpdate": signals.KEPT_SINCE}
