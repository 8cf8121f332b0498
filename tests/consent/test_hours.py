from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent import hours, rulebook
from consent.rulebook import Rule, Window

ZONES = [
    "America/New_York",
    "America/Los_Angeles",
    "America/Sao_Paulo",
    "Europe/Paris",
    "Asia/Kolkata",
    "Asia/Beirut",  # its clock jumps at midnight
    "Australia/Lord_Howe",  # by half an hour
    "Pacific/Apia",
]
RULES = [row for row in rulebook.book().rules if row.kind == "hours"]
START = datetime(2024, 1, 1, tzinfo=UTC)
INSTANTS = st.integers(0, 5 * 365 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes))


def wall_allows(rule: Rule, zone: str, at: datetime) -> bool:
    local = at.astimezone(ZoneInfo(zone))
    if any(day.falls_on(local.date()) for day in rule.holidays):
        return False
    clock = time(local.hour, local.minute, local.second, local.microsecond)
    return any(
        window.weekday == local.weekday() and window.start <= clock < window.end
        for window in rule.windows
    )


@settings(max_examples=150, deadline=None)
@given(INSTANTS, st.lists(st.sampled_from(ZONES), min_size=1, max_size=2), st.sampled_from(RULES))
def test_the_next_allowed_instant_is_allowed_and_the_first(
    at: datetime, zones: list[str], rule: Rule
) -> None:
    found = hours.next_allowed(rules=[rule], zones=zones, at=at)
    if found is None:
        return
    assert found >= at
    assert all(wall_allows(rule, zone, found) for zone in zones)
    moment = found - timedelta(minutes=1)
    if moment > at:
        assert not all(wall_allows(rule, zone, moment) for zone in zones)


def test_a_morning_after_the_clock_went_forward_begins_an_hour_earlier() -> None:
    rule = rulebook.rule("us.tcpa.hours")
    night = datetime(
        2026, 3, 8, 3, 0, tzinfo=UTC
    )  # Saturday 22:00 in New York, the clock jumps at 2
    found = hours.next_allowed(rules=[rule], zones=["America/New_York"], at=night)
    assert found == datetime(2026, 3, 8, 12, 0, tzinfo=UTC)


def test_the_hours_of_two_zones_are_those_they_share() -> None:
    rule = rulebook.rule("us.tcpa.hours")
    at = datetime(2026, 7, 1, 12, 30, tzinfo=UTC)  # 8:30 in New York, 7:30 in Chicago
    zones = ["America/New_York", "America/Chicago"]
    assert hours.next_allowed(rules=[rule], zones=zones, at=at) == at.replace(hour=13, minute=0)


def test_a_holiday_is_passed_over() -> None:
    rule = rulebook.rule("us.strict.hours")
    at = datetime(2026, 12, 24, 23, 30, tzinfo=UTC)  # Thursday evening; Friday is Christmas
    found = hours.next_allowed(rules=[rule], zones=["America/New_York"], at=at)
    assert found == datetime(2026, 12, 28, 15, 0, tzinfo=UTC)


def test_an_unknown_zone_has_no_hour() -> None:
    at = datetime(2026, 7, 1, 15, 0, tzinfo=UTC)
    assert hours.next_allowed(rules=[rulebook.rule("us.tcpa.hours")], zones=[], at=at) is None
    assert hours.next_allowed(rules=[], zones=[], at=at) == at


def test_zones_that_share_no_hour_have_none() -> None:
    narrow = [row for row in RULES if row.id == "strictest.hours"]
    zones = ["Pacific/Auckland", "America/New_York", "Europe/Paris"]
    at = datetime(2026, 7, 1, 15, 0, tzinfo=UTC)
    assert hours.next_allowed(rules=narrow, zones=zones, at=at) is None


@pytest.mark.parametrize(
    ("on", "name"),
    [(date(2026, 11, 26), "Thanksgiving"), (date(2026, 5, 25), "Memorial"), (date(2027, 1, 1), "")],
)
def test_a_holiday_moves_as_the_law_says(on: date, name: str) -> None:
    days = rulebook.rule("us.strict.hours").holidays
    assert any(day.falls_on(on) for day in days)
    assert not any(day.falls_on(on - timedelta(days=8)) for day in days)


def test_a_window_is_half_open() -> None:
    rule = rulebook.rule("us.tcpa.hours")
    assert Window(0, time(8), time(21)) in rule.windows
    nine = datetime(2026, 7, 1, 1, 0, tzinfo=UTC)  # 21:00 in New York
    assert not hours.may_arrive(rules=[rule], zones=["America/New_York"], at=nine)
    assert hours.may_arrive(
        rules=[rule], zones=["America/New_York"], at=nine - timedelta(microseconds=1)
    )
