import re
from datetime import timedelta

import pytest
from django.test import Client

from accounts.audit import Actor
from accounts.models import TrailLeaf
from config.lib import clock
from consent import ledger, one_click, optin, outbox, preferences
from consent.models import ConsentEvent, Contact, PreferenceLink, Revocation
from integrations import connections
from integrations.models import SandboxMessage
from tests.consent.people import NOON, act, agreed, person
from tests.consent.test_outbox import put

pytestmark = pytest.mark.django_db
BODY = {"List-Unsubscribe": "One-Click"}
ADDRESS = re.compile(r"^<https?://[^/>]+(/join/one-click/[\w-]{43})>$")


@pytest.fixture
def ana() -> Contact:
    return agreed(agreed(person(language="fr"), "email"), "sms")


@pytest.fixture
def door(ana: Contact) -> str:
    """Return where the header of a marketing e-mail leads."""
    put(ana)
    outbox.dispatch(at=NOON)
    headers = SandboxMessage.objects.filter(channel="email")[0].content_sealed["headers"]
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    found = ADDRESS.match(headers["List-Unsubscribe"])
    assert found is not None
    return found[1]


def state(contact: Contact) -> str | None:
    return ledger.state_of(
        contact=contact, purpose_code="marketing", channel="email", at=clock.now()
    )


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_one_post_stops_without_cookie_page_or_redirect(ana: Contact, door: str, kind: str) -> None:
    client = Client(enforce_csrf_checks=True)
    more = {"content_type": kind} if "www" in kind else {}
    answer = client.post(door, "List-Unsubscribe=One-Click" if more else BODY, **more)  # type: ignore[arg-type]
    assert (answer.status_code, answer.content, dict(answer.cookies)) == (200, b"", {})
    assert "Location" not in answer.headers
    row = Revocation.objects.get()
    assert (row.means, state(ana)) == ("one_click", "withdrawn")


def test_looking_changes_nothing(ana: Contact, door: str) -> None:
    before = (ConsentEvent.objects.count(), TrailLeaf.objects.count())
    assert Client().head(door).status_code == 200
    page = Client().get(door).content.decode()
    assert "Arrêter tous les messages" in page
    assert (ConsentEvent.objects.count(), TrailLeaf.objects.count()) == before
    assert state(ana) == "confirmed"


def test_a_tap_on_the_page_stops_and_is_answered_with_a_page(ana: Contact, door: str) -> None:
    answer = Client(enforce_csrf_checks=True).post(door, {"page": "1"})
    page = answer.content.decode()
    assert "plus de messages" in page
    assert f'href="/choices/{door.rpartition("/")[2]}">Vos choix' in page
    assert Revocation.objects.get().means == "page"


def test_a_second_click_changes_nothing(ana: Contact, door: str) -> None:
    answers = [Client().post(door, BODY).status_code for _ in range(2)]
    assert answers == [200, 200]
    assert Revocation.objects.count() == 1


def test_it_works_for_a_month_and_more_after_the_mail_and_not_for_ever(
    ana: Contact, door: str
) -> None:
    token = door.rpartition("/")[2]
    later = NOON + timedelta(days=90)
    assert preferences.look_up(token=token, at=later).contact == ana
    with pytest.raises(preferences.NoSuchLink):
        one_click.stop(token=token, by_page=False, at=NOON + timedelta(days=1000))
    assert state(ana) == "confirmed"


def test_an_unknown_token_stops_nobody(ana: Contact) -> None:
    address = f"/join/one-click/{'x' * 43}"
    for answer in (Client().post(address, BODY), Client().get(address)):
        assert (answer.status_code, answer.content) == (404, b"")


def test_a_signal_that_comes_along_is_kept(ana: Contact, door: str) -> None:
    Client(headers={"sec-gpc": "1"}).post(door, BODY)
    assert set(Revocation.objects.values_list("means", flat=True)) == {"one_click", "signal"}


def test_the_question_for_consent_has_the_way_out_and_a_text_has_none(ana: Contact) -> None:
    connections.ensure_local(at=clock.now())
    other = person()
    act(other, "email", "claimed")
    optin.ask(
        contact=other,
        purpose_code="marketing",
        channel="email",
        at=clock.now(),
        actor=Actor("recipient", other.public_id),
    )
    assert PreferenceLink.objects.filter(contact=other).count() == 1
    put(ana, "sms")
    assert not PreferenceLink.objects.filter(contact=ana).exists()
