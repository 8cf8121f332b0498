"""Is each ring heard, and are many rings told as few?"""

import queue
import threading

import pytest
from django.db import DatabaseError
from django_q.models import OrmQ

from integrations import bell


def test_many_rings_are_told_once_and_a_later_one_again(monkeypatch: pytest.MonkeyPatch) -> None:
    paused, goes_on = queue.Queue[float](), threading.Semaphore(0)

    def pause(seconds: float) -> None:
        paused.put(seconds)
        goes_on.acquire()

    monkeypatch.setattr("integrations.bell.time.sleep", pause)
    told: list[int] = []
    ours = bell.Bell(lambda: told.append(1))
    ours.ring()
    assert paused.get(timeout=5) == bell.PAUSE_SECONDS
    for _ in range(20):
        ours.ring()
    assert len(told) == 1
    goes_on.release()
    paused.get(timeout=5)
    assert len(told) == 2


@pytest.mark.django_db
def test_what_is_told_is_one_task_that_names_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    # A test's connection is one transaction.
    monkeypatch.setattr("integrations.bell.connection.close", lambda: None)
    bell.tell()
    task = OrmQ.objects.get().task
    assert (task["func"], task["args"], task["kwargs"]) == (bell.TASK, (), {})


def test_a_database_that_is_away_does_not_end_the_bell(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_task: str) -> None:
        raise DatabaseError

    monkeypatch.setattr(bell, "async_task", away)
    monkeypatch.setattr("integrations.bell.connection.close", lambda: None)
    bell.tell()
