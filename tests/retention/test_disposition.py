import itertools
from datetime import UTC, datetime, timedelta

import pytest

from retention.disposition import Facts, decide

AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
INSTANTS = [
    None,
    AT - timedelta(days=1),
    AT,
    AT + timedelta(microseconds=1),
    AT + timedelta(days=9),
]
CASES = [
    Facts(due_at=due, is_held=held, must_keep_until=must, is_requested=asked)
    for due, held, must, asked in itertools.product(
        INSTANTS, (True, False), INSTANTS, (True, False)
    )
]


def test_a_record_past_its_label_goes() -> None:
    verdict = decide(facts=Facts(due_at=AT), at=AT)
    assert (verdict.act, verdict.reason) == ("erase", "past_label")


def test_a_record_one_instant_before_its_time_stays() -> None:
    facts = Facts(due_at=AT + timedelta(microseconds=1))
    assert decide(facts=facts, at=AT).reason == "not_due"


def test_a_request_ends_what_a_label_would_keep() -> None:
    assert decide(facts=Facts(due_at=None, is_requested=True), at=AT).act == "erase"


@pytest.mark.parametrize("facts", CASES)
def test_nothing_on_hold_is_ever_erased(facts: Facts) -> None:
    if facts.is_held:
        assert decide(facts=facts, at=AT).act != "erase"


@pytest.mark.parametrize("facts", CASES)
def test_nothing_a_law_wants_kept_is_ever_erased(facts: Facts) -> None:
    if facts.must_keep_until and facts.must_keep_until > AT:
        assert decide(facts=facts, at=AT).act != "erase"


@pytest.mark.parametrize("facts", CASES)
def test_what_neither_is_due_nor_asked_for_is_kept(facts: Facts) -> None:
    if not facts.is_requested and (facts.due_at is None or facts.due_at > AT):
        assert decide(facts=facts, at=AT).act == "keep"


@pytest.mark.parametrize("facts", CASES)
def test_what_is_due_and_free_is_erased(facts: Facts) -> None:
    is_free = not facts.is_held and not (facts.must_keep_until and facts.must_keep_until > AT)
    if is_free and (facts.is_requested or (facts.due_at and facts.due_at <= AT)):
        assert decide(facts=facts, at=AT).act == "erase"


@pytest.mark.parametrize("facts", CASES)
def test_a_hold_beats_every_other_reason(facts: Facts) -> None:
    ends = facts.is_requested or (facts.due_at is not None and facts.due_at <= AT)
    if facts.is_held and ends:
        assert decide(facts=facts, at=AT).reason == "on_hold"
