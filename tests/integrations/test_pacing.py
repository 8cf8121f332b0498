import uuid
from datetime import timedelta

import pytest

from integrations import connections, pacing
from tests.consent.people import NOON

pytestmark = pytest.mark.django_db


def account() -> uuid.UUID:
    return connections.ensure_local(at=NOON)[0].pk


def test_no_second_sees_more_than_the_rate() -> None:
    pk, given = account(), []
    for step in range(300):
        at = NOON + timedelta(milliseconds=10 * step)
        count, _ = pacing.take(connection_id=pk, wanted=50, per_second=20, at=at)
        given += [at] * count
    busiest = max(
        sum(1 for at in given if began <= at < began + timedelta(seconds=1)) for began in given
    )
    assert busiest <= 20
    # And the rate is used, not only kept.
    assert len(given) >= 3 * 17


def test_who_asks_too_early_is_told_how_long_to_wait() -> None:
    pk = account()
    assert pacing.take(connection_id=pk, wanted=5, per_second=1, at=NOON) == (1, 0.0)
    count, wait = pacing.take(connection_id=pk, wanted=5, per_second=1, at=NOON)
    assert count == 0
    later = NOON + timedelta(seconds=wait)
    assert pacing.take(connection_id=pk, wanted=5, per_second=1, at=later)[0] == 1


def test_a_quick_account_gives_all_that_is_wanted() -> None:
    taken = pacing.take(connection_id=account(), wanted=50, per_second=10_000, at=NOON)
    assert taken == (50, 0.0)


def test_a_clock_that_is_wrong_holds_nobody_back() -> None:
    pk = account()
    pacing.take(connection_id=pk, wanted=1, per_second=10, at=NOON + timedelta(hours=1))
    assert pacing.take(connection_id=pk, wanted=1, per_second=10, at=NOON) == (1, 0.0)
