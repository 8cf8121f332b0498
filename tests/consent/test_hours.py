"""The next hour that is allowed: on the clock that people there see, however it jumps."""

from dataclasses import replace
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
    "America/St_Johns",  # half an hour from its neighbours
    "America/Sao_Paulo",
    "America/Nuuk",  # its clock jumps late on a Saturday evening
    "Europe/Paris",
    "Asia/Kathmandu",  # three quarters of an hour
    "Asia/Beirut",  # its clock jumps at midnight
    "Australia/Lord_Howe",  # by half an hour
    "Antarctica/Troll",  # by two hours
    "Pacific/Apia",
    "Pacific/Kiritimati",
]
RULES = [row for row in rulebook.book().rules if row.kind == "hours"]
START = datetime(2024, 1, 1, tzinfo=UTC)
INSTANTS = st.integers(0, 5 * 365 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes))
NEW_YORK = ["America/New_York"]


def rule_of(*spans: str, days: range = range(7)) -> Rule:
    """A rule with these hours on these days, as `08:00-21:00`."""
    windows = [
        Window(day, time.fromisoformat(span[:5]), time.fromisoformat(span[6:]))
        for day in days
        for span in spans
    ]
    return replace(rulebook.rule("us.tcpa.hours"), windows=tuple(windows), holidays=())


def wall_allows(rule: Rule, zone: str, at: datetime) -> bool:
    local = at.astimezone(ZoneInfo(zone))
    if any(day.falls_on(local.date()) for day in rule.holidays):
        return False
    clock = time(local.hour, local.minute, local.second, local.microsecond)
    return any(
        window.weekday == local.weekday() and window.start <= clock < window.end
        for window in rule.windows
    )


def opening(rule: Rule, at: datetime, *zones: str) -> datetime | None:
    return hours.next_allowed(rules=[rule], zones=zones or NEW_YORK, at=at)


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
    assert hours.may_arrive(rules=[rule], zones=zones, at=found)
    moment = found - timedelta(minutes=1)
    if moment > at:
        assert not all(wall_allows(rule, zone, moment) for zone in zones)


@settings(max_examples=150, deadline=None)
@given(INSTANTS, st.sampled_from(ZONES), st.integers(0, 46), st.integers(1, 24))
def test_what_may_arrive_now_is_never_put_off_and_what_may_not_always_is(
    at: datetime, zone: str, start: int, length: int
) -> None:
    # Any half hours, also those that a clock skips or shows twice.
    end = min(start + length, 47)
    rule = rule_of(f"{start // 2:02d}:{start % 2 * 30:02d}-{end // 2:02d}:{end % 2 * 30:02d}")
    found = hours.next_allowed(rules=[rule], zones=[zone], at=at)
    assert found
    assert hours.may_arrive(rules=[rule], zones=[zone], at=at) == (found == at)
    assert wall_allows(rule, zone, found)


@pytest.mark.parametrize(
    ("zone", "night", "first"),
    [
        # The clock jumps from 2:00 to 3:00, so that the morning comes an hour earlier.
        ("America/New_York", datetime(2026, 3, 8, 3, tzinfo=UTC), "2026-03-08T12:00"),
        ("America/New_York", datetime(2026, 11, 1, 3, tzinfo=UTC), "2026-11-01T13:00"),
        ("Australia/Lord_Howe", datetime(2026, 10, 3, 12, tzinfo=UTC), "2026-10-03T21:00"),
        ("Asia/Kathmandu", datetime(2026, 7, 1, 20, tzinfo=UTC), "2026-07-02T02:15"),
        ("America/St_Johns", datetime(2026, 7, 1, 3, tzinfo=UTC), "2026-07-01T10:30"),
    ],
)
def test_a_morning_begins_when_the_clock_there_says_so(
    zone: str, night: datetime, first: str
) -> None:
    rule = rulebook.rule("us.tcpa.hours")
    assert opening(rule, night, zone) == datetime.fromisoformat(first).replace(tzinfo=UTC)


def test_of_an_hour_that_comes_twice_only_the_time_between_counts() -> None:
    # 1 November 2026 in New York: 5:00 UTC is 1:00, and so is 6:00 UTC.
    before = datetime(2026, 11, 1, 4, 0, tzinfo=UTC)
    assert opening(rule_of("01:30-05:00"), before) == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    closing = rule_of("00:30-01:30")
    assert hours.may_arrive(rules=[closing], zones=NEW_YORK, at=before + timedelta(minutes=89))
    second = datetime(2026, 11, 1, 6, 15, tzinfo=UTC)  # 1:15 again
    assert not hours.may_arrive(rules=[closing], zones=NEW_YORK, at=second)
    assert opening(closing, second) == datetime(2026, 11, 2, 5, 30, tzinfo=UTC)


def test_of_an_hour_that_never_comes_the_narrower_reading_counts() -> None:
    # 8 March 2026 in New York: after 1:59 comes 3:00, at 7:00 UTC.
    night = datetime(2026, 3, 8, 5, 0, tzinfo=UTC)
    assert opening(rule_of("02:30-05:00"), night) == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)
    closing = rule_of("00:30-02:30")
    assert hours.may_arrive(rules=[closing], zones=NEW_YORK, at=night.replace(hour=6, minute=29))
    assert not hours.may_arrive(
        rules=[closing], zones=NEW_YORK, at=night.replace(hour=6, minute=30)
    )
    assert opening(rule_of("02:10-02:50"), night) == datetime(2026, 3, 9, 6, 10, tzinfo=UTC)


def test_a_day_that_never_came_has_no_hours() -> None:
    # Samoa went from Thursday 29 December 2011 straight to Saturday.
    evening = datetime(2011, 12, 30, 8, 0, tzinfo=UTC)  # Thursday 22:00 there
    fridays = rule_of("08:00-20:00", days=range(4, 5))
    assert opening(fridays, evening, "Pacific/Apia") == datetime(2012, 1, 5, 18, 0, tzinfo=UTC)
    assert opening(rule_of("08:00-20:00"), evening, "Pacific/Apia") == datetime(
        2011, 12, 30, 18, 0, tzinfo=UTC
    )


@pytest.mark.parametrize(("on", "length"), [("2026-03-08", 23), ("2026-11-01", 25)])
def test_a_day_of_23_or_25_hours_is_open_all_along(on: str, length: int) -> None:
    midnight = datetime.fromisoformat(on).replace(tzinfo=ZoneInfo("America/New_York"))
    first = midnight.astimezone(UTC)
    whole = replace(rule_of("00:00-23:59"), holidays=())
    last = first + timedelta(hours=length, minutes=-1)
    minutes = [first + timedelta(minutes=30 * step) for step in range(length * 2)]
    assert all(hours.may_arrive(rules=[whole], zones=NEW_YORK, at=at) for at in minutes)
    assert not hours.may_arrive(rules=[whole], zones=NEW_YORK, at=last)


def test_the_hours_of_two_zones_are_those_they_share() -> None:
    rule = rulebook.rule("us.tcpa.hours")
    at = datetime(2026, 7, 1, 12, 30, tzinfo=UTC)  # 8:30 in New York, 7:30 in Chicago
    assert opening(rule, at, "America/New_York", "America/Chicago") == at.replace(hour=13, minute=0)


def test_across_the_date_line_both_days_must_be_open() -> None:
    # Monday 8:00 in Kiritimati is Sunday 8:00 in Honolulu, a day apart to the hour.
    weekdays = rule_of("08:00-20:00", days=range(5))
    at = datetime(2026, 7, 5, 18, 0, tzinfo=UTC)
    found = opening(weekdays, at, "Pacific/Kiritimati", "Pacific/Honolulu")
    assert found == datetime(2026, 7, 6, 18, 0, tzinfo=UTC)


def test_the_hours_of_two_rules_are_those_they_share() -> None:
    rules = [rule_of("08:00-12:00", "14:00-20:00"), rule_of("11:00-15:00")]
    at = datetime(2026, 7, 1, 16, 0, tzinfo=UTC)  # 12:00 in New York
    found = hours.next_allowed(rules=rules, zones=NEW_YORK, at=at)
    assert found == datetime(2026, 7, 1, 18, 0, tzinfo=UTC)


def test_a_holiday_is_passed_over() -> None:
    rule = rulebook.rule("us.strict.hours")
    at = datetime(2026, 12, 24, 23, 30, tzinfo=UTC)  # Thursday evening; Friday is Christmas
    assert opening(rule, at) == datetime(2026, 12, 28, 15, 0, tzinfo=UTC)


def test_a_holiday_is_one_on_the_persons_calendar_day() -> None:
    rule = replace(rule_of("00:00-23:59"), holidays=rulebook.rule("us.strict.hours").holidays)
    eve = datetime(2026, 12, 25, 4, 30, tzinfo=UTC)  # 23:30 on the eve in New York
    assert hours.may_arrive(rules=[rule], zones=NEW_YORK, at=eve)
    assert not hours.may_arrive(rules=[rule], zones=["Europe/Paris"], at=eve)


def test_an_unknown_zone_has_no_hour() -> None:
    at = datetime(2026, 7, 1, 15, 0, tzinfo=UTC)
    rules = [rulebook.rule("us.tcpa.hours")]
    assert hours.next_allowed(rules=rules, zones=[], at=at) is None
    assert not hours.may_arrive(rules=rules, zones=[], at=at)


def test_where_no_rule_has_hours_every_hour_is_one() -> None:
    at = datetime(2026, 7, 1, 3, 0, tzinfo=UTC)
    assert hours.next_allowed(rules=[], zones=[], at=at) == at
    assert hours.may_arrive(rules=[rulebook.rule("us.tcpa.dnc")], zones=[], at=at)


def test_a_rule_that_leaves_no_window_is_never_open() -> None:
    at = datetime(2026, 7, 1, 15, 0, tzinfo=UTC)
    assert opening(rule_of(), at) is None
    assert not hours.may_arrive(rules=[rule_of()], zones=NEW_YORK, at=at)


def test_zones_that_share_no_hour_have_none() -> None:
    at = datetime(2026, 7, 1, 15, 0, tzinfo=UTC)
    zones = ("Pacific/Auckland", "America/New_York", "Europe/Paris")
    assert opening(rule_of("10:00-17:00", days=range(5)), at, *zones) is None


def test_an_hour_that_only_a_jump_of_a_clock_brings_is_found_to_the_last_day() -> None:
    # Six weeks later summer time comes to Havana, and for an hour it is day there and in Gaza.
    at = datetime(2031, 1, 27, 14, 59, 59, tzinfo=UTC)
    rule = rule_of("10:00-17:00", days=range(5))
    found = opening(rule, at, "America/Havana", "Asia/Gaza")
    assert found == datetime(2031, 3, 10, 14, 0, tzinfo=UTC)
    assert opening(rule, at - timedelta(days=2), "America/Havana", "Asia/Gaza") is None


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
    nine = datetime(2026, 7, 1, 1, 0, tzinfo=UTC)  # 21:00 in New York
    assert not hours.may_arrive(rules=[rule], zones=NEW_YORK, at=nine)
    assert hours.may_arrive(rules=[rule], zones=NEW_YORK, at=nine - timedelta(microseconds=1))


def test_what_is_kept_of_past_answers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hours, "PLANS_KEPT", 3)
    monkeypatch.setattr(hours, "DAYS_KEPT", 5)
    at = datetime(2026, 7, 1, 3, 0, tzinfo=UTC)
    for step in range(20):
        rule = rule_of("08:00-20:00")
        assert opening(rule, at + timedelta(days=step)) == at + timedelta(days=step, hours=9)
        assert len(hours._plans) <= 3
        assert all(len(plan._shared) <= 5 for plan in hours._plans.values())
