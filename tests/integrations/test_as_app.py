"""Does an app connect by itself where its provider allows it, and nowhere else?"""

from collections.abc import Iterator

import pytest

from accounts.audit import SYSTEM
from integrations import oauth, providers, tokens
from integrations.models import Connection
from tests.integrations import dance as dances
from tests.integrations.dance import CLIENT_ID, SECRET, Clock, Dance

pytestmark = pytest.mark.django_db
HOST = "acme.my.salesforce.com"


@pytest.fixture
def dance() -> Iterator[Dance]:
    with dances.dancing("salesforce") as found:
        yield found


def filled(dance: Dance, **changed: str) -> str:
    form = {
        "login_host": HOST,
        "client_id": CLIENT_ID,
        "client_secret": SECRET,
        "as_app": "on",
        **changed,
    }
    return dance.client.post(f"{dance.home}/connect/", form, follow=True).content.decode()


def used(dance: Dance, clock: Clock) -> str:
    verdict, _ = tokens.call(
        connection_id=dance.pk, purpose="test", method="GET", path="/any", now=clock
    )
    return verdict.cause


def test_it_is_connected_as_the_app_and_keeps_no_token_of_a_person(dance: Dance) -> None:
    assert "connected, as the app itself" in filled(dance)
    row = dance.row()
    assert (row.state, row.auth_kind, row.scopes) == ("active", "oauth_client", ["api"])
    assert (dance.grant().account_id, dance.held()["refresh"]) == ("00D5g000004cAbC", "")
    assert used(dance, Clock(dance.vendor)) == "ok"


def test_a_token_that_ended_is_asked_for_again_in_the_same_way(dance: Dance) -> None:
    filled(dance)
    clock = Clock(dance.vendor)
    clock.move(8000)
    assert used(dance, clock) == "ok"
    assert (dance.vendor.tally["as app"], dance.vendor.tally["refreshed"]) == (2, 0)


def test_once_it_may_not_any_more_a_person_is_asked_to_act(dance: Dance) -> None:
    filled(dance)
    dance.vendor.runs_as = False
    clock = Clock(dance.vendor)
    clock.move(8000)
    with pytest.raises(tokens.NotConnected):
        used(dance, clock)
    assert dance.row().state == Connection.State.RECONNECT_NEEDED


def test_a_person_may_connect_it_afterwards_and_the_kind_says_so(dance: Dance) -> None:
    filled(dance)
    dance.connect()
    assert (dance.row().auth_kind, bool(dance.held()["refresh"])) == ("oauth_code", True)


def test_its_token_is_ended_when_it_is_disconnected(dance: Dance) -> None:
    filled(dance)
    dance.client.post(f"{dance.home}/disconnect/")
    assert dance.vendor.tally["revoked on request"] == 1
    assert dance.row().state == Connection.State.NOT_CONNECTED


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"login_host": "login.salesforce.com"}, "signs in at your My Domain"),
        ({"login_host": "my.salesforce.com.attacker.example"}, "Nobody signs in to Salesforce"),
        ({"client_secret": "wrong"}, "does not know this client id or secret"),
    ],
)
def test_what_cannot_work_is_refused_in_words(
    dance: Dance, changed: dict[str, str], words: str
) -> None:
    assert words in filled(dance, **changed)
    assert not Connection.objects.filter(pk=dance.pk, state="active").exists()


def test_an_app_without_a_user_is_told_what_to_switch_on(dance: Dance) -> None:
    dance.vendor.runs_as = False
    assert "choose the user that it runs as" in filled(dance)
    assert dances.reasons() == ["exchange_dead"]


def test_another_organisation_does_not_take_the_place_of_the_connected_one(dance: Dance) -> None:
    filled(dance)
    before = dance.held()
    dance.vendor.organisation = "00D5g00000XXXXXEAU"  # type: ignore[attr-defined]
    assert "belongs to another account" in filled(dance)
    assert dance.held() == before


@pytest.mark.parametrize("slug", ["hubspot", "zoho", "heygen"])
def test_a_provider_without_this_grant_is_not_asked(slug: str) -> None:
    with pytest.raises(oauth.NotALoginHost):
        oauth.connect_as_app(
            provider=providers.get(slug),
            host=HOST,
            app=oauth.App("a", "b"),
            at=Clock().at,
            actor=SYSTEM,
        )
