"""Is every column declared, and what ended erased, here and in the packages' own tables?"""

import uuid
from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.test import Client
from django_q.models import Task

from accounts import audit, keys, personal_data
from accounts.models import DataKey
from config.lib import clock
from config.lib.inventory import DEFAULT_DAYS
from integrations import personal_data as integrations_data
from tests.accounts.staff import NOON, member

pytestmark = pytest.mark.django_db
OTHERS = {"consent", "videos", "retention"}


def key_of(contact_id: uuid.UUID) -> DataKey:
    return keys.create(scope=DataKey.Scope.PERSON, owner_id=contact_id, at=NOON)


def test_every_column_up_to_this_storey_is_declared_and_no_other() -> None:
    told = {**personal_data.DECLARATIONS, **integrations_data.DECLARATIONS}
    declared = {f"{model}.{column}" for model, columns in told.items() for column in columns}
    found = {
        f"{model._meta.label_lower}.{field.name}"
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.local_fields
        if model._meta.app_label not in OTHERS
    }
    assert found - declared == set()
    assert declared - found == set()


def test_a_period_is_a_record_class_or_says_how_long() -> None:
    words = {"keep", "with the row", *DEFAULT_DAYS}
    for columns in personal_data.DECLARATIONS.values():
        assert {column.period for column in columns.values()} <= words


def test_a_person_is_exported_with_their_trail_and_without_key_material() -> None:
    contact_id = uuid.uuid4()
    key = key_of(contact_id)
    audit.record(
        action="consent.event.recorded", at=NOON, actor=audit.SYSTEM, subject_id=contact_id
    )
    told = personal_data.export(contact_id=contact_id, at=NOON)
    assert told["trail"] == [
        {"at": "2026-10-07T12:00:00.000000Z", "action": "consent.event.recorded"}
    ]
    assert key.wrapped is not None
    assert bytes(key.wrapped).hex() not in str(told)


def test_erasing_destroys_the_persons_keys_and_those_below_and_no_others() -> None:
    ana, ben = uuid.uuid4(), uuid.uuid4()
    parent, other = key_of(ana), key_of(ben)
    child = keys.create(scope=DataKey.Scope.ASSET, owner_id=uuid.uuid4(), at=NOON, parent=parent)
    assert personal_data.erase(contact_id=ana, at=NOON) == {"keys": 2}
    living = set(DataKey.objects.filter(destroyed_at=None))
    assert living == {other}
    assert not DataKey.objects.get(pk=child.pk).wrapped
    assert personal_data.erase(contact_id=ana, at=NOON) == {"keys": 0}


def due(record_class: str) -> list[str]:
    found = personal_data.due(at=clock.now(), days=DEFAULT_DAYS)
    return [item.object_id for item in found if item.record_class == record_class]


def test_ended_sessions_go_by_the_day_and_living_ones_stay() -> None:
    ended, living = Client(), Client()
    ended.force_login(member("officer"))
    living.force_login(member("officer"))
    long_ago = clock.now() - timedelta(days=5)
    Session.objects.filter(pk=ended.session.session_key).update(expire_date=long_ago)
    assert due("session") == [long_ago.date().isoformat()]
    personal_data.erase_record(
        record_class="session", object_id=long_ago.date().isoformat(), at=clock.now()
    )
    assert Session.objects.get().session_key == living.session.session_key
    assert due("session") == []


def test_a_record_names_no_session() -> None:
    client = Client()
    client.force_login(member("officer"))
    Session.objects.update(expire_date=clock.now() - timedelta(days=5))
    assert str(client.session.session_key) not in str(due("session"))


def test_finished_tasks_go_after_their_days() -> None:
    for number, age_days in enumerate((1, 40)):
        at = clock.now() - timedelta(days=age_days)
        Task.objects.create(
            id=f"{number:032}", name="n", func="f", started=at, stopped=at, success=True
        )
    [day] = due("task")
    personal_data.erase_record(record_class="task", object_id=day, at=clock.now())
    assert Task.objects.get().pk == f"{0:032}"


@pytest.mark.parametrize("record_class", ["session", "task"])
def test_a_day_that_is_not_over_keeps_what_still_lives(record_class: str) -> None:
    client = Client()
    client.force_login(member("officer"))
    today = clock.now().date().isoformat()
    personal_data.erase_record(record_class=record_class, object_id=today, at=clock.now())
    assert Session.objects.exists()
