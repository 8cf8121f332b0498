from datetime import date

import pytest

from consent import rulebook
from tests.consent.people import NOON

EEA = {
    *"AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE".split(),
    *"IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK".split(),
}


def ids(*places: str, channel: str = "sms", purpose: str = "marketing") -> set[str]:
    found = rulebook.applicable(countries=places, purpose=purpose, channel=channel, at=NOON)
    return {rule.id for rule in found}


def test_every_rule_says_since_when_and_where_it_stands_written() -> None:
    for rule in rulebook.book().rules:
        assert rule.source
        assert rule.text
        assert isinstance(rule.valid_from, date)


def test_all_thirty_states_of_the_eea_are_there() -> None:
    assert len(EEA) == 30
    assert rulebook.rule("eu.eprivacy.consent").where == EEA


@pytest.mark.parametrize("place", ["", "AQ", "ZZ"])
def test_an_unknown_place_has_the_strictest_rules(place: str) -> None:
    places = [place] if place else []
    assert {"strictest.confirmed", "strictest.hours", "strictest.frequency"} <= ids(*places)


def test_a_known_place_has_not() -> None:
    assert "strictest.hours" not in ids("FR")


def test_an_unknown_state_has_the_hours_inside_all() -> None:
    assert {"us.tcpa.hours", "us.strict.hours"} <= ids("US")
    assert "us.strict.hours" not in ids("US-FL")
    assert "us.fl.hours" in ids("US-FL")
    assert "us.fl.hours" not in ids("US-TX")


def test_the_strict_preset_lies_inside_every_states_hours() -> None:
    strict = {window.weekday: window for window in rulebook.rule("us.strict.hours").windows}
    for rule in rulebook.book().rules:
        if rule.kind != "hours" or not any(place.startswith("US") for place in rule.where):
            continue
        for day, inner in strict.items():
            outer = [window for window in rule.windows if window.weekday == day]
            assert any(w.start <= inner.start and inner.end <= w.end for w in outer), rule.id


def test_two_places_have_the_rules_of_both() -> None:
    assert {"de.double_opt_in", "us.tcpa.hours"} <= ids("DE", "US-CA")


def test_mail_has_no_hours() -> None:
    assert "us.tcpa.hours" not in ids("US", channel="email")


def test_a_rule_holds_from_its_day_on() -> None:
    before = NOON.replace(year=2025, month=3, day=31)
    found = rulebook.applicable(
        countries=["US"], purpose="marketing", channel="whatsapp", at=before
    )
    assert "us.whatsapp.no_marketing" not in {rule.id for rule in found}
    assert "us.whatsapp.no_marketing" in ids("US", channel="whatsapp")


@pytest.mark.parametrize(
    "fault",
    [
        {"source": None},
        {"kind": "wish"},
        {"where": []},
        {"hours": {"mon": "21:00-08:00"}},
        {"valid_from": None},
    ],
)
def test_a_rule_that_cannot_be_read_stops_the_house(fault: dict[str, object]) -> None:
    whole = {
        "id": "x.y",
        "kind": "block",
        "where": ["FR"],
        "valid_from": date(2020, 1, 1),
        "source": "law",
        "text": "No.",
    }
    broken = {key: value for key, value in {**whole, **fault}.items() if value is not None}
    assert rulebook.read([{"rule": [whole]}]).rules
    with pytest.raises(rulebook.BadRule):
        rulebook.read([{"rule": [broken]}])


def test_two_rules_with_one_id_are_refused() -> None:
    rule = {
        "id": "x.y",
        "kind": "fact",
        "valid_from": date(2020, 1, 1),
        "source": "law",
        "text": "No.",
    }
    with pytest.raises(rulebook.BadRule):
        rulebook.read([{"rule": [rule, rule]}])


def test_the_version_follows_the_words() -> None:
    one = {"title": "a", "rule": []}
    assert rulebook.read([one]).version != rulebook.read([{**one, "title": "b"}]).version
