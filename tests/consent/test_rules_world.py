"""What the packs of Europe and the world must say together, whatever a single rule says."""

import tomllib
import uuid

import pytest

from consent import gate, rulebook
from consent.facts import Facts
from consent.rulebook import Rule
from consent.standing import Standing
from tests.consent.people import NOON

# GDPR Art. 8(1): from which age a person may agree alone, each state's own number.
AGES = {
    "AT": 14, "BE": 13, "BG": 14, "CY": 14, "CZ": 15, "DE": 16, "DK": 15, "EE": 13, "ES": 14,
    "FI": 13, "FR": 15, "GB": 13, "GR": 15, "HR": 16, "HU": 16, "IE": 16, "IS": 13, "IT": 14,
    "LI": 16, "LT": 14, "LU": 16, "LV": 13, "MT": 13, "NL": 16, "NO": 13, "PL": 16, "PT": 13,
    "RO": 16, "SE": 13, "SI": 15, "SK": 16,
}  # fmt: skip
CHANNELS = ("email", "sms", "whatsapp")
SPECIAL = ("health", "religion", "politics", "union", "orientation", "biometrics")
# Some say `we may not have it from a list`: a claim is no ground to ask.
NOT_ASKED = {"CY", "DE", "GB", "HU", "SK"}


def packs() -> list[str]:
    """Return the countries of the packs of Europe and the world, each once."""
    paths = [
        path
        for path in rulebook.files()
        if path.parent == rulebook.SHIPPED and path.name.startswith(("europe_", "world_"))
    ]
    read = [tomllib.loads(path.read_text(encoding="utf-8")) for path in paths]
    return [code for pack in read for code in pack.get("countries", [])]


COUNTRIES = packs()


def rules(kind: str, place: str, **said: object) -> list[Rule]:
    asked = {"purpose": "marketing", "channel": "sms", **said}
    found = rulebook.applicable(countries=[place], at=NOON, **asked)  # type: ignore[arg-type]
    return [rule for rule in found if rule.kind == kind and place in rule.where]


def verdict(place: str, channel: str, **facts: object) -> gate.Verdict:
    """Judge somebody in the open hours of their place, so that consent alone decides."""
    purpose = str(facts.pop("purpose_code", "marketing"))
    basis = "legitimate_interest" if purpose == "permission_request" else "consent"
    known = Facts(uuid.UUID(int=0), purpose, basis, channel, (place,), ("UTC",), **facts)  # type: ignore[arg-type]
    return gate.decide_by(rulebook.book(), known, NOON)


def stands(state: str, permission: str = "express", age: int | None = 30) -> Standing:
    return Standing(state, uuid.UUID(int=0), NOON, None, permission, age)


def codes(found: gate.Verdict) -> set[str]:
    return {reason.code for reason in found.reasons}


def test_there_are_packs_for_a_hundred_countries_each_once() -> None:
    assert len(COUNTRIES) == len(set(COUNTRIES)) >= 100


def test_all_thirty_states_and_the_united_kingdom_are_there() -> None:
    assert len(AGES) == 31
    assert set(AGES) <= set(COUNTRIES)


@pytest.mark.parametrize("country", sorted(AGES))
def test_a_state_of_europe_has_its_own_age(country: str) -> None:
    assert [rule.years for rule in rules("age", country)] == [AGES[country]]


@pytest.mark.parametrize("country", sorted(AGES))
def test_a_state_of_europe_has_its_own_consent_and_tracking_rules(country: str) -> None:
    for channel in CHANNELS:
        own = [r for r in rules("consent", country, channel=channel) if r.where == {country}]
        assert own, channel
        assert all(rule.needs <= gate.AGREED for rule in own)
    counted = rules("consent", country, purpose="view_analytics")
    assert any(rule.where == {country} for rule in counted)


@pytest.mark.parametrize("content", SPECIAL)
def test_special_content_needs_explicit_consent_in_all_of_europe(content: str) -> None:
    for country in AGES:
        found = rules("consent", country, content=[content])
        assert any(r.standing == "special_data" and r.permissions == {"explicit"} for r in found)


def test_denmark_raised_its_age_in_2024() -> None:
    assert (
        rulebook.rule("dk.gdpr.age.2018").valid_to == rulebook.rule("dk.gdpr.age.2024").valid_from
    )


@pytest.mark.parametrize("country", [*COUNTRIES, "?"])
def test_a_claim_alone_allows_no_marketing(country: str) -> None:
    for channel in CHANNELS:
        found = verdict(country, channel, standings=(("marketing", stands("claimed")),))
        assert found.verdict == gate.REFUSE
        assert "claimed_only" in codes(found)


@pytest.mark.parametrize("country", COUNTRIES)
def test_each_country_asks_for_consent_on_each_channel_and_says_which_kinds(country: str) -> None:
    for channel in CHANNELS:
        own = rules("consent", country, channel=channel)
        assert own, channel
        kinds = [rule.permissions for rule in own if rule.permissions]
        assert kinds, channel
        assert all("express" in some and "contract" not in some for some in kinds)


@pytest.mark.parametrize("country", ["PL", "HU"])
def test_a_country_without_an_exception_wants_customers_to_opt_in(country: str) -> None:
    customer = (("marketing", stands("given", "soft_opt_in")),)
    assert "basis_insufficient" in codes(verdict(country, "email", standings=customer))


@pytest.mark.parametrize(("channel", "insufficient"), [("email", False), ("sms", True)])
def test_italy_frees_customers_for_mail_only(channel: str, insufficient: bool) -> None:
    customer = (("marketing", stands("given", "soft_opt_in")),)
    found = codes(verdict("IT", channel, standings=customer))
    assert ("basis_insufficient" in found) is insufficient


@pytest.mark.parametrize("country", sorted(AGES))
def test_a_claim_is_asked_only_where_asking_is_not_advertising(country: str) -> None:
    found = verdict(
        country,
        "email",
        purpose_code="permission_request",
        standings=(("marketing", stands("claimed")),),
    )
    assert (found.verdict == gate.REFUSE) is (country in NOT_ASKED)


@pytest.mark.parametrize("country", ["SA", "KE"])
def test_sensitive_content_is_no_marketing_at_all_there(country: str) -> None:
    agreed = (("marketing", stands("confirmed")), ("special_data", stands("given", "explicit")))
    found = verdict(country, "email", content=("health",), standings=agreed)
    assert "channel_blocked" in codes(found)


def test_the_law_that_is_only_proposed_binds_nobody() -> None:
    proposed = {rule.id for rule in rulebook.book().rules if rule.status == "proposed"}
    assert {"no.gdpr.age.proposed", "eu.omnibus.reask", "my.cma.consent"} <= proposed
    assert [rule.years for rule in rules("age", "NO")] == [13]
