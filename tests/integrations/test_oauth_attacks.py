"""Does any callback pass that should not? A table of attacks; nothing is connected by one."""

import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.conf import settings

from config.lib import clock
from integrations import oauth
from integrations.models import OAuthGrant
from tests.accounts.staff import browser
from tests.integrations import dance as dances
from tests.integrations.dance import Dance
from tests.simulators import base

pytestmark = pytest.mark.django_db
Told = dict[str, object]
Changed = Callable[[Told], Told]
REDIRECT = "http://127.0.0.1:8000/connections/hubspot/return/"


@pytest.fixture
def zoho() -> Iterator[Dance]:
    with dances.dancing("zoho") as found:
        yield found


@pytest.fixture
def salesforce() -> Iterator[Dance]:
    with dances.dancing("salesforce") as found:
        yield found


def sets(**values: object) -> Changed:
    return lambda told: {**told, **{name.replace("_", "-"): v for name, v in values.items()}}


def lacks(name: str) -> Changed:
    return lambda told: {key: value for key, value in told.items() if key != name}


def doubled(name: str) -> Changed:
    return lambda told: {**told, name: [told[name], told[name]]}


def led_to(server: str) -> Changed:
    return sets(accounts_server=server)


# What the browser brings, changed on the way; the reason that the trail must give.
BROUGHT: list[tuple[str, Changed, str]] = [
    ("no state", lacks("state"), "state"),
    ("an empty state", sets(state=""), "state"),
    ("a state of nobody", sets(state="x" * 43), "state"),
    ("a cut state", lambda told: {**told, "state": str(told["state"])[:-1]}, "state"),
    ("a longer state", lambda told: {**told, "state": f"{told['state']}x"}, "state"),
    ("a state in capitals", lambda told: {**told, "state": str(told["state"]).swapcase()}, "state"),
    ("a state with a zero byte", lambda told: {**told, "state": f"{told['state']}\0"}, "state"),
    ("a state twice", doubled("state"), "malformed"),
    ("a code twice", doubled("code"), "malformed"),
    ("an issuer twice", sets(iss=["https://accounts.zoho.com", "https://x.example"]), "malformed"),
    ("a code of megabytes", sets(code="c" * 5000), "malformed"),
    ("no code", lacks("code"), "no_code"),
    ("an empty code", sets(code=""), "no_code"),
    ("an invented code", sets(code="c" * 32), "exchange_dead"),
    ("a code with a line end", sets(code="c\r\nHost: evil.example"), "exchange_dead"),
    ("code and error", sets(error="server_error"), "provider_error"),
    ("code and denial", sets(error="access_denied"), "denied"),
    ("an issuer of another", sets(iss="https://login.salesforce.com"), "issuer"),
    ("an issuer that looks alike", sets(iss="https://accounts.zoho.com.evil.example"), "issuer"),
    ("an issuer without TLS", sets(iss="http://accounts.zoho.com"), "issuer"),
    ("an issuer with a path", sets(iss="https://accounts.zoho.com/evil"), "issuer"),
    ("an issuer in capitals", sets(iss="https://ACCOUNTS.zoho.com"), "issuer"),
    ("an empty issuer", sets(iss=""), "issuer"),
    ("a server of the attacker", led_to("https://evil.example"), "accounts_server"),
    ("a suffix", led_to("https://accounts.zoho.in.evil.example"), "accounts_server"),
    ("a prefix", led_to("https://evil-accounts.zoho.in"), "accounts_server"),
    ("a user part", led_to("https://accounts.zoho.in@evil.example"), "accounts_server"),
    ("a user part before", led_to("https://evil@accounts.zoho.in"), "accounts_server"),
    ("a port", led_to("https://accounts.zoho.in:8443"), "accounts_server"),
    ("no TLS", led_to("http://accounts.zoho.in"), "accounts_server"),
    ("a path", led_to("https://accounts.zoho.in/evil"), "accounts_server"),
    ("a fragment", led_to("https://evil.example#accounts.zoho.in"), "accounts_server"),
    ("a backslash", led_to("https://evil.example\\.accounts.zoho.in"), "accounts_server"),
    ("a dot at the end", led_to("https://accounts.zoho.in."), "accounts_server"),
    ("letters that look alike", led_to("https://accounts.zoho.\u0456n"), "accounts_server"),
    ("no scheme", led_to("//accounts.zoho.in"), "accounts_server"),
    ("a script", led_to("javascript:alert(1)"), "accounts_server"),
    ("a bracket", led_to("https://[accounts.zoho.in"), "accounts_server"),
    ("this machine", led_to("https://127.0.0.1"), "accounts_server"),
    ("this machine in IPv6", led_to("https://[::1]"), "accounts_server"),
    ("a private network", led_to("https://10.0.0.7"), "accounts_server"),
    ("the cloud's metadata", led_to("https://169.254.169.254"), "accounts_server"),
    ("an empty server", led_to(""), "accounts_server"),
    ("another centre than the code's", led_to("https://accounts.zoho.eu"), "exchange_dead"),
]


@pytest.mark.parametrize(
    ("change", "reason"), [row[1:] for row in BROUGHT], ids=[r[0] for r in BROUGHT]
)
def test_what_the_browser_brings_is_refused(zoho: Dance, change: Changed, reason: str) -> None:
    answer = zoho.back(change(dict(zoho.pressed())))
    assert dances.reasons() == [reason]
    assert answer["Location"] == "/connections/"
    assert zoho.row().state == "not_connected"
    assert zoho.grant().tokens_sealed is None


def test_the_same_return_unchanged_is_taken(zoho: Dance) -> None:
    assert zoho.back(zoho.pressed())["Location"] == "/connections/"
    assert zoho.row().state == "active"


@pytest.mark.parametrize("name", ["next", "redirect_uri", "url", "return_to", "continue"])
def test_no_parameter_leads_elsewhere(zoho: Dance, name: str) -> None:
    told = {**zoho.pressed(), name: "https://evil.example/"}
    assert zoho.back(told)["Location"] == "/connections/"


def test_a_return_works_once(zoho: Dance) -> None:
    told = zoho.pressed()
    zoho.back(told)
    zoho.back(told)
    assert dances.reasons() == ["state"]
    # The code went to the vendor once, so that it saw no reason to end what it brought.
    assert not zoho.vendor.families[0].revoked


def test_a_refused_return_cannot_be_mended_and_sent_again(zoho: Dance) -> None:
    told = zoho.pressed()
    zoho.back({**told, "iss": "https://evil.example"})
    zoho.back(told)
    assert dances.reasons() == ["issuer", "state"]


def test_a_return_after_ten_minutes_is_late(zoho: Dance) -> None:
    told = zoho.pressed()
    OAuthGrant.objects.update(flow_expires_at=clock.now() - timedelta(microseconds=1))
    zoho.back(told)
    assert dances.reasons() == ["late"]


def test_what_a_late_dance_holds_is_forgotten(zoho: Dance) -> None:
    told, now = zoho.pressed(), clock.now()
    assert oauth.end_late(at=now) == 0
    assert oauth.end_late(at=now + timedelta(minutes=oauth.FLOW_MINUTES)) == 1
    assert zoho.grant().flow_sealed is None
    zoho.back(told)
    assert dances.reasons() == ["state"]


def test_anothers_browser_does_not_take_a_return_nor_end_it(zoho: Dance) -> None:
    told = zoho.pressed()
    zoho.back(told, client=browser("administrator"))
    assert dances.reasons() == ["browser"]
    zoho.back(told)
    assert zoho.row().state == "active"


def test_another_person_in_the_same_browser_does_not_take_it(zoho: Dance) -> None:
    told = zoho.pressed()
    kept = zoho.client.session["oauth_browser"]
    other = browser("administrator")
    session = other.session
    session["oauth_browser"] = kept
    session.save()
    zoho.back(told, client=other)
    assert dances.reasons() == ["browser"]


@pytest.mark.parametrize("role", ["", "marketer", "officer", "auditor"])
def test_a_role_without_the_act_does_not_take_it(zoho: Dance, role: str) -> None:
    answer = zoho.back(zoho.pressed(), client=browser(role))
    assert answer.status_code in (302, 403)
    assert zoho.row().state == "not_connected"


def test_a_return_at_another_providers_address_is_a_mix_up(zoho: Dance) -> None:
    zoho.back(zoho.pressed(), slug="salesforce")
    assert dances.reasons() == ["mixed_up"]
    assert zoho.row().state == "not_connected"


def test_a_code_of_anothers_dance_is_of_no_use(zoho: Dance) -> None:
    # The attacker danced in their own browser, and plants their code into the victim's return.
    planted = dances.told(base.press(zoho.begin(browser("administrator"))))["code"]
    zoho.back({**zoho.pressed(), "code": planted})
    assert dances.reasons() == ["exchange_dead"]


def test_an_earlier_dance_ends_when_a_later_one_begins(zoho: Dance) -> None:
    earlier = zoho.pressed()
    zoho.begin()
    zoho.back(earlier)
    assert dances.reasons() == ["state"]


def test_a_head_does_not_use_a_return_up(zoho: Dance) -> None:
    told = zoho.pressed()
    assert zoho.client.head(f"{zoho.home}/return/", told).status_code == 405
    zoho.back(told)
    assert zoho.row().state == "active"


# What Salesforce's answer with tokens says, changed: it would send every later call elsewhere.
ANSWERED = [
    *(
        "https://evil.example",
        "https://acme.my.salesforce.com.evil.example",
        "",
        "https://10.0.0.7",
    ),
    *("http://acme.my.salesforce.com", "https://acme.my.salesforce.com:444", "https://127.0.0.1"),
    *("https://u@acme.my.salesforce.com", "https://[::1]"),
    *("https://a.b.my.salesforce.com", "https://acme.lightning.force.com", "https://localhost"),
]


@pytest.mark.parametrize("instance", ANSWERED)
def test_an_instance_that_is_none_is_refused(salesforce: Dance, instance: str) -> None:
    salesforce.vendor.instance_url = instance  # type: ignore[attr-defined]
    salesforce.back(salesforce.pressed())
    assert dances.reasons() == ["api_host"]
    assert salesforce.row().state == "not_connected"
    assert salesforce.vendor.families[0].revoked


@pytest.mark.parametrize("organisation", ["", "005000000000000", "00D1", "00D5g000004cAbC/../x"])
def test_an_account_that_is_none_is_refused(salesforce: Dance, organisation: str) -> None:
    salesforce.vendor.organisation = organisation  # type: ignore[attr-defined]
    salesforce.back(salesforce.pressed())
    assert dances.reasons() == ["account"]


def test_a_random_flood_of_states_finds_nothing(zoho: Dance) -> None:
    told = zoho.pressed()
    for _ in range(5):
        zoho.back({**told, "state": secrets.token_urlsafe(32)})
    assert set(dances.reasons()) == {"state"}
    assert zoho.row().state == "not_connected"


# Other response modes, and names that a lenient reader would take for ours.
UNLIKE: list[tuple[str, Changed, str]] = [
    ("a token instead of a code", lambda t: {"state": t["state"], "access_token": "a"}, "no_code"),
    ("a code beside the state", lambda t: {"state": t["state"], "code[]": t["code"]}, "no_code"),
    ("a state in a list's name", lambda t: {"code": t["code"], "state[]": t["state"]}, "state"),
    ("a state in a name in capitals", lambda t: {"code": t["code"], "STATE": t["state"]}, "state"),
    ("all in one signed response", lambda t: {"response": f"e30.{t['state']}.x"}, "state"),
]


@pytest.mark.parametrize(
    ("change", "reason"), [row[1:] for row in UNLIKE], ids=[row[0] for row in UNLIKE]
)
def test_another_mode_of_response_is_refused(zoho: Dance, change: Changed, reason: str) -> None:
    zoho.back(change(dict(zoho.pressed())))
    assert dances.reasons() == [reason]
    assert zoho.row().state == "not_connected"


@pytest.mark.parametrize("pollution", ["&%73tate=x", "&st%61te=", "&code=x&%63ode=y"])
def test_a_name_that_is_written_otherwise_is_the_same_name(zoho: Dance, pollution: str) -> None:
    query = urlencode(zoho.pressed())
    zoho.client.get(f"{zoho.home}/return/?{query}{pollution}")
    assert dances.reasons() == ["malformed"]


def test_a_semicolon_separates_nothing(zoho: Dance) -> None:
    told = zoho.pressed()
    zoho.client.get(f"{zoho.home}/return/?code={told['code']};state={told['state']}")
    assert dances.reasons() == ["state"]


def test_a_return_by_a_form_is_not_taken(zoho: Dance) -> None:
    # response_mode=form_post: any site can make a browser post.
    assert zoho.client.post(f"{zoho.home}/return/", zoho.pressed()).status_code == 405
    assert zoho.row().state == "not_connected"


def test_tokens_in_the_address_are_not_taken_for_the_vendors(zoho: Dance) -> None:
    zoho.back({**zoho.pressed(), "access_token": "planted", "refresh_token": "planted"})
    assert "planted" not in str(zoho.held())


def test_a_code_of_another_provider_is_of_no_use(salesforce: Dance) -> None:
    other = dances.VENDORS["hubspot"](
        client_id=dances.CLIENT_ID, secret=dances.SECRET, redirect_uri=REDIRECT
    )
    with base.running(other) as address:
        asked = {"response_type": "code", "client_id": dances.CLIENT_ID, "scope": "oauth"}
        pkce = {"code_challenge": "c" * 43, "code_challenge_method": "S256", "state": "s"}
        query = urlencode({**asked, **pkce, "redirect_uri": REDIRECT})
        pressed = base.press(f"{address}/app.hubspot.com/oauth/authorize?{query}")
    code = dances.told(pressed)["code"]
    salesforce.back({**salesforce.pressed(), "code": code})
    assert dances.reasons() == ["exchange_dead"]
    assert not other.tally["exchanged"]


def test_who_signs_in_after_another_on_one_machine_does_not_take_it(zoho: Dance) -> None:
    told, other = zoho.pressed(), browser("administrator")
    name = settings.SESSION_COOKIE_NAME
    zoho.client.logout()
    zoho.client.cookies[name] = other.cookies[name].value
    zoho.back(told)
    assert dances.reasons() == ["browser"]
    assert zoho.row().state == "not_connected"


def test_a_return_that_was_taken_is_dead_in_every_browser(zoho: Dance) -> None:
    told = zoho.pressed()
    zoho.back(told)
    zoho.back(told, client=browser("administrator"))
    assert dances.reasons() == ["state"]
    assert zoho.vendor.tally["exchanged"] == 1
