"""Is each event kept once, sealed, in order, and acted upon once?"""

import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import connection as database

from integrations import connections, inbox
from integrations.models import Connection, InboxItem
from tests.accounts.staff import NOON

pytestmark = pytest.mark.django_db
BODY = {"channel": "sms", "from": "+14155550100", "text": "STOP", "provider_message_id": "m1"}


@pytest.fixture
def sandbox() -> Connection:
    return connections.ensure_local(at=NOON)[0]


def store(sandbox: Connection, key: str = "k1") -> InboxItem | None:
    return inbox.store(
        connection=sandbox, kind="inbound_message", dedupe_key=key, body=BODY, at=NOON
    )


def test_an_event_is_kept_and_waits(sandbox: Connection) -> None:
    item = store(sandbox)
    [waiting] = inbox.waiting(limit=10)
    assert waiting == item
    assert waiting.body_sealed == BODY
    assert waiting.connection == sandbox


def test_the_same_event_is_kept_once(sandbox: Connection) -> None:
    assert store(sandbox) is not None
    assert store(sandbox) is None
    assert InboxItem.objects.count() == 1


def test_the_same_name_at_another_provider_is_another_event(sandbox: Connection) -> None:
    other = Connection.objects.create(
        kind="messaging", provider="x", label="x", auth_kind="key", created_at=NOON
    )
    assert store(sandbox)
    assert store(other)


def test_an_event_that_was_acted_upon_stays_known(sandbox: Connection) -> None:
    item = store(sandbox)
    assert item is not None
    inbox.finish(item=item, outcome="withdrawn", at=NOON)
    assert store(sandbox) is None


def test_events_wait_in_the_order_they_came(sandbox: Connection) -> None:
    for key in ("c", "a", "b"):
        store(sandbox, key)
    assert [item.dedupe_key for item in inbox.waiting(limit=2)] == ["c", "a"]


def test_an_event_is_finished_once(sandbox: Connection) -> None:
    item = store(sandbox)
    assert item is not None
    assert inbox.finish(item=item, outcome="withdrawn", at=NOON)
    assert not inbox.finish(item=item, outcome="other", at=NOON + timedelta(hours=1))
    item.refresh_from_db()
    assert (item.outcome, item.processed_at, item.attempts) == ("withdrawn", NOON, 1)
    assert inbox.waiting(limit=10) == []


def test_a_kind_that_is_none_is_refused(sandbox: Connection) -> None:
    with pytest.raises(ValueError, match="gossip"):
        inbox.store(connection=sandbox, kind="gossip", dedupe_key="k", body={}, at=NOON)


def test_what_came_is_sealed(sandbox: Connection) -> None:
    store(sandbox)
    with database.cursor() as cursor:
        cursor.execute("SELECT body_sealed FROM integrations_inboxitem")
        stored = bytes(cursor.fetchone()[0])
    assert b"STOP" not in stored
    assert b"4155550100" not in stored


def test_a_body_that_was_changed_reads_as_none_and_stops_no_list(sandbox: Connection) -> None:
    store(sandbox, "one")
    store(sandbox, "two")
    with database.cursor() as cursor:
        cursor.execute("SELECT body_sealed FROM integrations_inboxitem WHERE dedupe_key = 'one'")
        changed = bytearray(cursor.fetchone()[0])
        changed[-1] ^= 1
        cursor.execute(
            "UPDATE integrations_inboxitem SET body_sealed = %s WHERE dedupe_key = 'one'",
            [bytes(changed)],
        )
    assert [item.body_sealed for item in inbox.waiting(limit=10)] == [None, BODY]


@pytest.mark.parametrize("first", ["integrations.inbox", "integrations.messaging"])
def test_inbox_and_adapters_may_be_imported_in_any_order(first: str) -> None:
    words = f"import django; django.setup(); import {first}"
    subprocess.run([sys.executable, "-c", words], check=True)
