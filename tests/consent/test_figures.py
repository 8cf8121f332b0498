from datetime import timedelta

import pytest

from consent import figures
from consent.models import Contact
from tests.consent.people import NOON, act, agreed, person

pytestmark = pytest.mark.django_db


def test_people_are_counted_where_they_stand() -> None:
    agreed(person(), "email")
    act(person(), "sms", "claimed")
    person()
    assert figures.by_state() == {"confirmed": 1, "claimed": 1}
    assert figures.with_state(Contact.objects.all(), "none").count() == 1


def test_acts_are_counted_by_day() -> None:
    contact = person()
    act(contact, "email", "given", NOON - timedelta(days=2))
    act(contact, "email", "confirmed", NOON)
    labels, series = figures.growth(at=NOON, days=3)
    assert labels == ["5 Oct", "6 Oct", "7 Oct"]
    assert series["Given"] == [1, 0, 0]
    assert series["Confirmed"] == [0, 0, 1]
    assert series["Withdrawn"] == [0, 0, 0]


def test_a_house_without_acts_draws_zeros() -> None:
    _, series = figures.growth(at=NOON, days=2)
    assert series["Given"] == [0, 0]
