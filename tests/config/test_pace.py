from datetime import UTC, datetime, timedelta

import pytest

from config.lib import pace
from config.lib.pace import Pace

BEGAN = datetime(2026, 6, 2, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("done", "seconds", "expected"),
    [
        (30, 60, Pace(30.0, 140)),
        (100, 60, Pace(100.0, None)),
        (0, 60, Pace()),
        (30, 1, Pace()),
        (120, 60, Pace(120.0, None)),
    ],
)
def test_the_rest_takes_as_long_as_what_is_done(done: int, seconds: int, expected: Pace) -> None:
    at = BEGAN + timedelta(seconds=seconds)
    assert pace.of(done=done, total=100, began_at=BEGAN, at=at) == expected


def test_of_what_has_not_begun_nothing_is_said() -> None:
    assert pace.of(done=5, total=10, began_at=None, at=BEGAN) == Pace()
