"""Is an event of a provider kept and answered at once, and a stranger's refused?"""

import json

import pytest
from django.test import Client
from django_q.models import OrmQ

from accounts.audit import SYSTEM
from integrations import connections, inbox
from integrations.models import InboxItem
from tests.accounts.staff import NOON

pytestmark = pytest.mark.django_db
EVENT = {
    "id": "e1",
    "kind": "inbound_message",
    "channel": "sms",
    "from": "+14155550100",
    "text": "STOP",
    "provider_message_id": "m1",
}


@pytest.fixture
def address() -> str:
    sandbox, _ = connections.ensure_local(at=NOON)
    sandbox.refresh_from_db()
    credentials = sandbox.credentials_sealed
    assert isinstance(credentials, dict)
    return f"/hooks/{credentials['webhook_secret']}/"


def post(address: str, event: object = EVENT) -> tuple[int, object]:
    answer = Client(enforce_csrf_checks=True).post(
        address, json.dumps(event), content_type="application/json"
    )
    return answer.status_code, answer.json()


def test_an_event_is_kept_and_answered_without_work(address: str) -> None:
    assert post(address) == (200, {"status": "kept"})
    [item] = inbox.waiting(limit=10)
    assert item.kind == "inbound_message"
    assert item.processed_at is None
    assert [task.func() for task in OrmQ.objects.all()] == ["consent.jobs.take_inbox"]


def test_a_repeat_is_answered_alike_and_kept_once(address: str) -> None:
    assert post(address) == post(address)
    assert InboxItem.objects.count() == 1
    assert OrmQ.objects.count() == 1


def test_a_task_holds_nothing_of_the_event(address: str) -> None:
    post(address)
    task = OrmQ.objects.get().task
    assert (task["args"], task["kwargs"]) == ((), {})


@pytest.mark.parametrize("secret", ["x", "a" * 43, "..", "%00"])
def test_an_address_that_is_not_ours_is_not_found(address: str, secret: str) -> None:
    answer = Client().post(f"/hooks/{secret}/", "{}", content_type="application/json")
    assert answer.status_code == 404
    assert not InboxItem.objects.exists()


def test_what_is_no_event_is_refused_and_not_kept(address: str) -> None:
    assert post(address, {"id": "e1"})[0] == 400
    assert post(address, [EVENT])[0] == 400
    assert not InboxItem.objects.exists()


def test_what_is_too_large_is_refused_unread(address: str) -> None:
    assert post(address, {**EVENT, "text": "x" * (70 * 1024)})[0] == 413
    assert not InboxItem.objects.exists()


def test_a_look_changes_nothing(address: str) -> None:
    assert Client().get(address).status_code == 405
    assert not InboxItem.objects.exists()


def test_a_connection_that_is_off_still_hears(address: str) -> None:
    sandbox, _ = connections.ensure_local(at=NOON)
    connections.switch(connection=sandbox, on=False, at=NOON, actor=SYSTEM)
    assert post(address)[0] == 200
    assert InboxItem.objects.count() == 1
