from datetime import timedelta

import pytest

from accounts.models import DataKey, TrailLeaf
from retention import policies
from retention.models import Policy
from tests.retention import people
from tests.retention.people import AT, LATER

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _house() -> None:
    people.house()


def change(record_class: str, period_days: int) -> Policy:
    staff = people.officer()
    return policies.change(record_class=record_class, period_days=period_days, at=AT, staff=staff)


def test_every_record_class_has_a_policy_with_its_law() -> None:
    assert {row.pk for row in Policy.objects.all()} == set(policies.LABELS)
    assert all(row.legal_source for row in Policy.objects.all())


def test_what_an_officer_changed_stays_changed() -> None:
    change("play", 7)
    people.house()
    assert policies.days()["play"] == 7


def test_a_change_stands_in_the_trail_with_both_periods() -> None:
    change("play", 7)
    leaf = TrailLeaf.objects.get(action="retention.policy.changed")
    assert leaf.details == {"days_before": 30, "days_after": 7}


def test_the_keys_of_persons_follow_their_policy() -> None:
    person = people.contact()
    change("contact", 10)
    assert DataKey.objects.get(pk=person.key_id).delete_at == AT + timedelta(days=10)


def test_a_person_with_an_end_of_their_own_keeps_it() -> None:
    person = people.contact()
    own = AT + timedelta(days=3)
    DataKey.objects.filter(pk=person.key_id).update(delete_at=own)
    change("contact", 10)
    assert DataKey.objects.get(pk=person.key_id).delete_at == own


@pytest.mark.parametrize(
    ("record_class", "period_days"),
    [("play", 0), ("link", 29), ("play", 99999), ("trail", 1), ("nothing", 30)],
)
def test_a_policy_out_of_bounds_is_refused(record_class: str, period_days: int) -> None:
    with pytest.raises(policies.PolicyRefused):
        change(record_class, period_days)


def test_the_counts_say_what_a_run_would_do() -> None:
    people.contact()
    assert policies.counts_if_run_now(at=AT)["contact"].erase == 0
    assert policies.counts_if_run_now(at=LATER)["contact"].erase == 1
