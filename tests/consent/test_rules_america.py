"""What the packs of the Americas must say together, whatever a single rule says."""

from datetime import UTC, date, datetime

import pytest

from consent import areas, hours, rulebook
from consent.rulebook import Rule

STATES = sorted(region for region in areas.regions() if region.startswith("US-"))
TERRITORIES = ["PR", "GU", "VI", "AS", "MP"]
GPC = "CA CO CT DE MD MN MT NE NH NJ OR TX".split()
WEDNESDAY, SATURDAY, SUNDAY = date(2026, 7, 8), date(2026, 7, 11), date(2026, 7, 12)
THANKSGIVING = date(2026, 11, 26)
EVERY_DAY = "8-21 8-21 8-21 8-21"
# Wednesday, Saturday, Sunday, Thanksgiving: the table counsel would draw, made without the packs.
HOURS = {
    "AL": "8-20 8-20 - -",
    "CA": "9-21 9-21 9-21 9-21",
    "CT": "9-20 9-20 9-20 9-20",
    "FL": "8-20 8-20 8-20 8-20",
    "IL": "9-21 9-21 9-21 9-21",
    "IN": "9-20 9-20 9-20 9-20",
    "KY": "10-21 10-21 10-21 10-21",
    "LA": "8-20 8-20 - -",
    "MA": "8-20 8-20 8-20 8-20",
    "MD": "8-20 8-20 8-20 8-20",
    "ME": "9-17 - - 9-17",
    "MI": "9-21 9-21 9-21 9-21",
    "MN": "9-21 9-21 9-21 9-21",
    "MS": "8-20 8-20 - 8-20",
    "NE": "8-21 8-21 13-21 -",
    "NJ": "8-20 8-20 8-20 8-20",
    "NM": "9-21 9-21 9-21 9-21",
    "NV": "9-20 9-20 9-20 9-20",
    "OK": "8-20 8-20 8-20 8-20",
    "OR": "8-20 8-20 8-20 8-20",
    "PA": "8-21 8-12 8-21 -",
    "RI": "9-18 10-17 - -",
    "SD": "9-21 - - 9-21",
    "TX": "9-21 9-21 12-21 9-21",
    "UT": "8-21 8-21 - -",
    "WA": "8-20 8-20 8-20 8-20",
    "?": "10-17 - - -",
}


def noon(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, 12, tzinfo=UTC)


def held(place: str, on: date = WEDNESDAY, channel: str = "sms") -> list[Rule]:
    found = rulebook.applicable(
        countries=[place.removesuffix("-?")], purpose="marketing", channel=channel, at=noon(on)
    )
    return list(found)


def open_on(place: str, on: date) -> str:
    """The hours of a day there, as `8-20`; a day that is shut is a dash."""
    plan = hours._plan(held(place, on))
    assert plan
    spans = plan.shared(("UTC",), on)
    return ",".join(f"{start:%-H}-{end:%-H}" for start, end in spans) or "-"


def ids(place: str, on: date = WEDNESDAY) -> set[str]:
    return {rule.id for rule in held(place, on)}


@pytest.mark.parametrize("place", [*STATES, "US-?"])
def test_the_hours_of_each_state(place: str) -> None:
    days = (WEDNESDAY, SATURDAY, SUNDAY, THANKSGIVING)
    expected = HOURS.get(place[3:], EVERY_DAY)
    assert " ".join(open_on(place, on) for on in days) == expected


@pytest.mark.parametrize("place", TERRITORIES)
def test_the_federal_hours_hold_in_the_territories(place: str) -> None:
    assert [open_on(place, on) for on in (WEDNESDAY, SUNDAY, THANKSGIVING)] == ["8-21"] * 3


def test_every_state_and_territory_is_named_by_a_row_of_its_own() -> None:
    assert len(STATES) == 51
    first = "us_states_a_m.toml", "us_states_n_z.toml"
    text = "".join((rulebook.SHIPPED / name).read_text(encoding="utf-8") for name in first)
    silent = [state for state in STATES if f'id = "us.{state[3:].lower()}.' not in text]
    assert not silent
    territories = rulebook.rule("us.territories").where
    assert territories == set(TERRITORIES)


@pytest.mark.parametrize(
    ("place", "on"),
    [
        ("US-AL", date(2026, 12, 1)),  # Rosa Parks Day
        ("US-LA", date(2026, 2, 17)),  # Mardi Gras
        ("US-LA", date(2026, 11, 27)),  # the day after Thanksgiving
        ("US-PA", date(2026, 11, 3)),  # Election Day
        ("US-RI", date(2026, 8, 10)),  # Victory Day
        ("US-UT", date(2026, 7, 24)),  # Pioneer Day
        ("US-UT", date(2026, 7, 3)),  # Independence Day, kept on the Friday
    ],
)
def test_a_state_is_shut_on_its_own_holidays_and_so_is_an_unknown_state(
    place: str, on: date
) -> None:
    assert open_on(place, on) == "-"
    assert open_on("US-?", on) == "-"
    assert open_on("US-TX", on) != "-"


def test_law_that_changed_holds_from_its_day() -> None:
    assert open_on("US-WA", date(2022, 6, 8)) == "8-21"
    assert open_on("US-WA", date(2022, 6, 9)) == "8-20"
    assert open_on("US-OR", date(2025, 12, 31)) == "8-21"
    assert {"us.fl.ftsa_2021"} == {i for i in ids("US-FL", date(2022, 7, 6)) if "ftsa" in i}
    assert {"us.fl.ftsa_2023"} == {i for i in ids("US-FL") if "ftsa" in i}
    assert {"us.tx.hours"} == {i for i in ids("US-TX") if "tx.hours" in i}
    assert {"us.tx.hours_before_2025"} == {
        i for i in ids("US-TX", date(2025, 8, 29)) if "tx.hours" in i
    }
    assert open_on("US-MS", date(2022, 11, 24)) == "-"


@pytest.mark.parametrize("state", ["FL", "MD", "OK", "OR"])
def test_three_a_day_is_enough_in_some_states(state: str) -> None:
    caps = [rule for rule in held(f"US-{state}") if rule.id == f"us.{state.lower()}.frequency"]
    assert [(rule.max_messages, rule.window_hours) for rule in caps] == [(3, 24)]


def test_every_text_of_marketing_asks_the_two_federal_lists_and_consent_in_writing() -> None:
    for place in [*STATES, *TERRITORIES]:
        rules = held(place)
        assert {"us.dnc", "us.rnd"} <= {rule.register for rule in rules}
        written = [rule for rule in rules if rule.permissions == {"written"}]
        assert "us.tcpa.written_consent" in {rule.id for rule in written}


def test_the_signal_of_the_browser_binds_in_twelve_states() -> None:
    binding = [
        state[3:]
        for state in STATES
        if any(
            state in row.where
            for row in rulebook.told("signal", countries=[state], at=noon(WEDNESDAY))
        )
    ]
    assert binding == GPC
    assert rulebook.told("signal", countries=["US"], at=noon(WEDNESDAY))


def test_a_stop_ends_everything_before_and_after_the_rule_says_so() -> None:
    for on, number in ((date(2025, 4, 11), 1), (date(2027, 1, 31), 2)):
        found = rulebook.told("revocation", countries=["US-TX"], at=noon(on))
        texts = [rule for rule in found if rule.id.startswith("us.tcpa")]
        assert [rule.scope for rule in texts] == ["all"] * number
    early = rulebook.told("revocation", countries=["US-TX"], at=noon(date(2025, 4, 10)))
    assert not [rule for rule in early if rule.id.startswith("us.tcpa")]


def test_who_said_stop_in_virginia_is_left_alone_for_ten_years() -> None:
    kept = rulebook.told("keep", countries=["US-VA"], at=noon(WEDNESDAY))
    assert max(rule.years for rule in kept if rule.what == "suppression") == 10
    elsewhere = rulebook.told("keep", countries=["US-TX"], at=noon(WEDNESDAY))
    assert max(rule.years for rule in elsewhere if rule.what == "suppression") == 5


def test_what_is_only_proposed_binds_nobody() -> None:
    proposed = {rule.id for rule in rulebook.book().rules if rule.status == "proposed"}
    assert {"us.tcpa.revocation_narrower", "us.fcc.ai_calls"} <= proposed
    told = rulebook.told("revocation", countries=["US-TX"], at=noon(date(2028, 1, 3)))
    assert not proposed & {rule.id for rule in told}


def test_quebec_is_the_measure_of_an_unknown_province() -> None:
    assert {"ca.qc.law25.age", "ca.qc.law25.consent"} <= ids("CA-QC") & ids("CA")
    assert "ca.qc.law25.age" not in ids("CA-ON")


@pytest.mark.parametrize("place", "AR BR CL CO CR DO EC MX PA PE PY UY".split())
def test_each_country_of_latin_america_asks_for_consent_on_every_channel(place: str) -> None:
    for channel in ("email", "sms", "whatsapp"):
        mine = [rule for rule in held(place, channel=channel) if place in rule.where]
        assert "consent" in {rule.kind for rule in mine}
