from datetime import timedelta

import pytest

from accounts import audit
from accounts.models import TrailEntry, TrailLeaf, TrailSeal
from retention import witness
from tests.contracts.test_promises import guards_off
from tests.retention.people import AT

pytestmark = pytest.mark.django_db(transaction=True)


def act(minutes: int) -> None:
    at = AT + timedelta(minutes=minutes)
    audit.record(action="house.test.done", at=at, actor=audit.SYSTEM)
    audit.seal(at=at)


def test_a_trail_that_grows_is_the_same_trail() -> None:
    act(1)
    witness.note_head()
    act(2)
    assert witness.fault() == ""


def test_a_trail_cut_at_its_end_is_noticed() -> None:
    act(1)
    act(2)
    witness.note_head()
    tables = ("accounts_trailentry", "accounts_trailleaf", "accounts_trailseal")
    with guards_off(tables[0]), guards_off(tables[1]), guards_off(tables[2]):
        leaf = TrailLeaf.objects.last()
        assert leaf is not None
        TrailEntry.objects.filter(leaf=leaf).delete()
        leaf.delete()
        TrailSeal.objects.filter(number=2).delete()
    assert witness.fault() == (
        "block 2: was seen by an earlier check, and is gone or another one now"
    )


def test_an_empty_trail_has_nothing_to_miss() -> None:
    witness.note_head()
    assert witness.fault() == ""
