from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.audit import SYSTEM
from consent import figures, ledger, personal_data
from consent.models import ConsentEvent, Contact
from tests.consent.people import NOON, act, agreed, person

pytestmark = pytest.mark.django_db
START = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)
# kind, act, permission, how many days it runs (0: no end), days since the act before
ACTS = st.tuples(
    st.sampled_from(["claimed", "given", "confirmed", "withdrawn", "refused", "expired"]),
    st.sampled_from(["checkbox", "staff"]),
    st.sampled_from(["express", "implied_purchase", "written"]),
    st.sampled_from([0, 3, 20]),
    st.integers(0, 5),
)
# The acts, whether their agreements have ends, and when the person was erased.
Life = tuple[list[tuple[str, str, str, int, int]], bool, int | None]
PEOPLE = st.tuples(
    st.lists(ACTS, min_size=2, max_size=5), st.booleans(), st.sampled_from([None, None, 40])
)


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
    assert figures.history(at=NOON, days=30).total == [0] * 30


def test_a_history_says_what_was_done_and_where_it_led() -> None:
    first = agreed(person(), "email", NOON - timedelta(days=40))
    agreed(person(), "email", NOON - timedelta(days=1))
    act(person(), "email", "claimed", NOON - timedelta(days=1))
    act(person(), "sms", "refused", NOON)
    ledger.withdraw(
        contact=first, act="button", source="page", at=NOON, actor=SYSTEM, channels=["email"]
    )
    found = figures.history(at=NOON, days=30)
    assert found.labels[-2:] == ["6 Oct", "7 Oct"]
    assert (found.given[-2], found.confirmed[-2], found.withdrawn[-1]) == (1, 1, 2)
    assert (found.net[-2:], found.total[-3:]) == ([1, -1], [1, 2, 1])
    assert figures.history(at=NOON, days=30, channel="sms").withdrawn[-1] == 1
    assert sum(figures.history(at=NOON, days=30, purpose_code="sharing").given) == 0


@pytest.mark.parametrize(
    ("days", "step", "starts", "labels"),
    [
        (30, "", 30, ["6 Oct", "7 Oct"]),
        (90, "", 14, ["28 Sep", "5 Oct"]),
        (365, "", 13, ["Sep 2026", "Oct 2026"]),
        (365, "week", 53, ["28 Sep", "5 Oct"]),
    ],
)
def test_time_is_cut_into_steps(days: int, step: str, starts: int, labels: list[str]) -> None:
    found = figures.history(at=NOON, days=days, step=step)
    assert (len(found.starts), found.labels[-2:]) == (starts, labels)
    assert len(list(found.rows())) == starts


def test_an_agreement_ends_at_its_own_end_and_with_the_person() -> None:
    contact = person(START)
    ledger.record(
        contact=contact,
        purpose_code="marketing",
        channel="email",
        kind="given",
        act="checkbox",
        source="test",
        at=START,
        actor=SYSTEM,
        valid_until=START + timedelta(days=5),
    )
    erased = agreed(person(START), "email", START)
    personal_data.erase(contact_id=erased.pk, at=START + timedelta(days=7))
    found = figures.history(at=START + timedelta(days=9), days=30)
    assert found.total[-10:] == [2, 2, 2, 2, 2, 1, 1, 0, 0, 0]


def settle(lives: list[Life]) -> None:
    for acts, ends, erased_after in lives:
        contact, at = person(START), START
        for kind, hand, permission, runs_days, pause_days in acts:
            at += timedelta(days=pause_days)
            ledger.record(
                contact=contact,
                purpose_code="marketing",
                channel="email",
                kind=kind,
                act=hand,
                source="test",
                at=at,
                actor=SYSTEM,
                valid_until=at + timedelta(days=runs_days) if runs_days and ends else None,
                particulars=ledger.Particulars(
                    permission=permission,
                    said_at=at - timedelta(days=8) if ends and hand == "staff" else None,
                ),
            )
        if erased_after:
            personal_data.erase(contact_id=contact.pk, at=START + timedelta(days=erased_after))


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(PEOPLE, min_size=1, max_size=4), st.integers(40, 95))
def test_the_set_wise_history_is_the_fold_of_each_person(lives: list[Life], days: int) -> None:
    until = START + timedelta(days=90)
    with transaction.atomic():
        settle(lives)
        found = figures.history(at=until, days=days, step="day")
        folded = by_fold(until)
        transaction.set_rollback(True)
    assert found.net == [folded[on] for on in found.starts]
    assert found.total[-1] == folded.total()


def by_fold(until: datetime) -> Counter[date]:
    found = Counter[date]()
    for contact in Contact.objects.all():
        events = list(ConsentEvent.objects.filter(contact=contact).order_by("number"))
        for when, number in figures.turns(events, until=until, erased_at=contact.erased_at):
            found[when.date()] += number
    return found
