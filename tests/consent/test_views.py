import pytest

from accounts.audit import SYSTEM
from config.lib import clock
from consent import ledger
from consent.models import Message
from integrations import connections
from tests.accounts.staff import browser
from tests.consent.people import NOON, act, agreed, person

pytestmark = pytest.mark.django_db
LIST = "/contacts/"


@pytest.mark.parametrize("role", ["marketer", "officer", "auditor", "administrator"])
def test_staff_see_people_masked(role: str) -> None:
    agreed(person(name="Zephyrine Quux", email="zephyrine@example.org"), "email")
    page = browser(role).get(LIST).content.decode()
    assert "Z•••" in page
    assert "Zephyrine" not in page
    assert "zephyrine" not in page
    assert "Confirmed" in page


def test_a_visitor_is_led_to_the_sign_in() -> None:
    assert browser().get(LIST).status_code == 302


def test_an_empty_house_says_what_to_do() -> None:
    assert "Nobody is here yet" in browser("marketer").get(LIST).content.decode()


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("?country=fr", True),
        ("?country=DE", False),
        ("?language=fr", True),
        ("?state=claimed", True),
        ("?state=confirmed", False),
        ("?state=none", False),
        ("?state=nonsense", True),
        ("?page=999", True),
    ],
)
def test_the_filters_keep_who_matches(query: str, shown: bool) -> None:
    act(person(name="Zed"), "email", "claimed")
    assert ("Z•••" in browser("marketer").get(LIST + query).content.decode()) is shown


def test_a_search_goes_by_post_and_finds_the_whole_address_only() -> None:
    contact = person(email="ana@example.org", phone="+33612345000")
    client = browser("marketer")
    for text in ("Ana@Example.org", "+33 6 12 34 50 00"):
        answer = client.post("/contacts/search", {"address": text})
        assert answer.headers["Location"] == f"/contacts/{contact.pk}"
    for text in ("ana@example", "nobody@example.org", "", "+1"):
        assert client.post("/contacts/search", {"address": text}).headers["Location"] == LIST
    assert client.get("/contacts/search").status_code == 405


def test_a_persons_page_shows_their_consent_and_the_reasons_with_sources() -> None:
    contact = person()
    act(contact, "email", "claimed")
    client = browser("marketer")
    connections.ensure_local(at=NOON)
    page = f"/contacts/{contact.pk}"
    client.post(f"{page}/ask", {"channel": "whatsapp"})
    shown = client.get(page).content.decode()
    assert "Claimed" in shown
    assert "house.ask_ground" in shown
    assert "Directive 2002/58/EC" in shown


def test_a_marketer_asks_and_an_auditor_may_not() -> None:
    contact = person()
    act(contact, "email", "claimed")
    connections.ensure_local(at=NOON)
    page = f"/contacts/{contact.pk}/ask"
    assert browser("auditor").post(page, {"channel": "email"}).status_code == 403
    assert Message.objects.count() == 0
    assert browser("marketer").post(page, {"channel": "email"}).status_code == 302
    assert Message.objects.get().purpose_code == "permission_request"


@pytest.mark.parametrize("channel", ["", "pigeon"])
def test_an_unknown_channel_sends_nothing(channel: str) -> None:
    contact = person()
    browser("marketer").post(f"/contacts/{contact.pk}/ask", {"channel": channel})
    assert Message.objects.count() == 0


def test_who_said_stop_is_not_offered_to_be_asked() -> None:
    contact = agreed(person(), "email")
    ledger.withdraw(contact=contact, act="button", source="page", at=clock.now(), actor=SYSTEM)
    page = browser("marketer").get(f"/contacts/{contact.pk}").content.decode()
    assert "This person said stop" in page
    assert "Ask for confirmation" not in page


def test_a_person_who_is_not_there_is_404() -> None:
    answer = browser("marketer").get("/contacts/00000000-0000-4000-8000-000000000000")
    assert answer.status_code == 404
