"""Are facts corrected only where they may be, and hosts read letter by letter?"""

import socket

import pytest
from django.test import override_settings

from config.lib import http
from integrations import providers, wire


def test_an_unconfirmed_fact_is_corrected_by_the_installation() -> None:
    with override_settings(PROVIDER_FACTS={"zoho": {"pkce": False, "scopes": {"A.READ": "Read."}}}):
        found = providers.get("zoho")
    assert (found.pkce, found.scope_codes) == (False, ["A.READ"])


@pytest.mark.parametrize("name", ["token", "header", "no_such_fact"])
def test_a_confirmed_fact_is_not_corrected(name: str) -> None:
    with (
        override_settings(PROVIDER_FACTS={"zoho": {name: "x"}}),
        pytest.raises(providers.UnknownFact),
    ):
        providers.get("zoho")


def test_a_correction_of_nobody_stops_the_start() -> None:
    providers.require_facts()
    with override_settings(PROVIDER_FACTS={"zohho": {}}), pytest.raises(providers.UnknownProvider):
        providers.require_facts()


@pytest.mark.parametrize("slug", ["", "twilio", "HubSpot"])
def test_an_unknown_provider_is_told(slug: str) -> None:
    with pytest.raises(providers.UnknownProvider):
        providers.get(slug)


@pytest.mark.parametrize("provider", providers.TABLE.values(), ids=str)
def test_each_scope_has_words_and_each_fact_a_name(provider: providers.Provider) -> None:
    assert all(len(scope.words) > 10 for scope in provider.scopes)
    assert all(hasattr(provider, name) for name in provider.unconfirmed)


def test_a_host_that_is_not_pinned_is_not_called() -> None:
    with pytest.raises(http.Refused):
        wire.call(
            provider="zoho",
            hosts=["accounts.zoho.in"],
            method="GET",
            url="https://accounts.zoho.eu/",
        )


@pytest.mark.parametrize("address", ["10.0.0.7", "127.0.0.1", "169.254.169.254", "::1", "fd00::1"])
def test_a_pinned_host_that_leads_inside_is_not_called(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_named: found)
    with pytest.raises(http.Refused, match="private"):
        wire.call(
            provider="salesforce",
            hosts=["acme.my.salesforce.com"],
            method="GET",
            url="https://acme.my.salesforce.com/",
        )


def test_what_senders_are_asked_is_corrected_country_by_country() -> None:
    facts = {"demands": {"SG": ["us_brand"], "IN": []}, "shapes": {"us_brand": "[0-9]+"}}
    with override_settings(PROVIDER_FACTS={"twilio_senders": facts}):
        found = providers.senders("twilio")
        providers.require_facts()
    assert found is not None
    assert (found.demands["SG"], found.demands["IN"]) == (("us_brand",), ())
    assert found.demands["US"] == ("us_brand", "us_campaign")
    assert found.shapes["us_brand"] == "[0-9]+"
    assert providers.senders("wati") is None


@pytest.mark.parametrize(
    "facts",
    [
        {"slug": "x"},
        {"demands": {"US": ["no_such_entry"]}},
        {"demands": ["US"]},
        {"shapes": {"us_brand": "("}},
        {"shapes": {"us_brand": 7}},
    ],
)
def test_an_unusable_correction_of_senders_stops_the_start(facts: dict[str, object]) -> None:
    with (
        override_settings(PROVIDER_FACTS={"twilio_senders": facts}),
        pytest.raises(providers.UnknownFact),
    ):
        providers.require_facts()
