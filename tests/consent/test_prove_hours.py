"""The proof of `make prove-hours`, smaller; and that it would notice."""

from datetime import datetime, timedelta

import pytest

from benchmarks import prove_hours
from consent import hours

SENDS = 5_000


def test_no_send_is_outside_the_hours_and_none_waits_without_need() -> None:
    tally = prove_hours.prove(seed=2, sends=SENDS, processes=1)
    met = tally.counts
    assert met["sends"] == met["allowed"] + met["deferred"] + met["refused"] == SENDS
    assert met["allowed"] > 0 < met["deferred"]
    assert tally.jumps
    assert tally.holidays
    assert (met["outside"], met["late"]) == (0, 0), tally.faults


@pytest.mark.parametrize(("minutes", "what"), [(-1, "outside"), (1, "late")])
def test_a_minute_too_early_or_too_late_is_found(
    monkeypatch: pytest.MonkeyPatch, minutes: int, what: str
) -> None:
    real = hours.next_allowed

    def wrong(**asked: object) -> datetime | None:
        found = real(**asked)  # type: ignore[arg-type]
        waited = found is not None and found > asked["at"]  # type: ignore[operator]
        return found + timedelta(minutes=minutes) if found and waited else found

    monkeypatch.setattr(hours, "next_allowed", wrong)
    assert prove_hours.prove(seed=2, sends=2_000, processes=1).counts[what] > 0


def test_an_hour_that_is_not_kept_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hours, "may_arrive", lambda **_asked: True)
    tally = prove_hours.prove(seed=2, sends=2_000, processes=1)
    assert tally.counts["outside"] > 0
    assert tally.faults
