"""Does the canary say whether the cluster moves, in a table that does not grow?"""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from accounts import audit, jobs, pulse
from accounts.models import Pulse
from config.lib import clock
from tests.accounts.staff import NOON, member

pytestmark = pytest.mark.django_db


def test_nothing_is_known_before_the_first_answer() -> None:
    pulse.ask(at=NOON)
    assert pulse.newest_answer_age(at=NOON) is None
    assert not pulse.answered_since(at=NOON - timedelta(days=1))


def test_an_answer_has_an_age() -> None:
    row = pulse.ask(at=NOON)
    assert pulse.answer(pulse_id=row.pk, at=NOON + timedelta(seconds=2))
    assert pulse.newest_answer_age(at=NOON + timedelta(seconds=10)) == timedelta(seconds=8)
    assert pulse.answered_since(at=NOON)
    assert not pulse.answered_since(at=NOON + timedelta(seconds=2))


def test_a_question_is_answered_once() -> None:
    row = pulse.ask(at=NOON)
    assert pulse.answer(pulse_id=row.pk, at=NOON)
    assert not pulse.answer(pulse_id=row.pk, at=NOON + timedelta(hours=1))
    assert not pulse.answer(pulse_id=row.pk + 1, at=NOON)
    assert Pulse.objects.get().answered_at == NOON


def test_a_question_waits_until_it_is_answered_or_lost() -> None:
    row = pulse.ask(at=NOON)
    assert pulse.is_waiting(at=NOON)
    assert not pulse.is_waiting(at=NOON + pulse.LOST_AFTER)
    pulse.answer(pulse_id=row.pk, at=NOON)
    assert not pulse.is_waiting(at=NOON)


def test_the_table_does_not_grow_for_ever() -> None:
    for minute in range(0, 600, 5):
        at = NOON + timedelta(minutes=minute)
        pulse.answer(pulse_id=pulse.ask(at=at).pk, at=at)
    assert Pulse.objects.count() <= 14


def test_the_task_answers_and_seals_the_trail() -> None:
    audit.record(action="house.tests.begun", at=NOON, actor=audit.SYSTEM)
    row = pulse.ask(at=clock.now())
    jobs.pulse(row.pk)
    assert Pulse.objects.get().answered_at is not None
    assert audit.unsealed() == 0


def test_tidying_ends_what_has_ended_only() -> None:
    gone, stays = Client(), Client()
    gone.force_login(member("officer"))
    stays.force_login(member("officer"))
    key = gone.session.session_key
    Session.objects.filter(pk=key).update(expire_date=clock.now() - timedelta(seconds=1))
    jobs.tidy()
    assert [row.session_key for row in Session.objects.all()] == [stays.session.session_key]
