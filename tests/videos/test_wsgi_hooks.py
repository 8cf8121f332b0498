"""Is what a provider posts kept before Django's middleware as it is behind it, and no more?"""

import io
import json
import sys
from typing import Any
from unittest.mock import patch

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import DatabaseError, connection

from integrations import bell, connections, inbox, webhooks
from integrations.models import Connection, InboxItem
from tests.accounts.staff import NOON
from videos import wsgi

pytestmark = pytest.mark.django_db
DJANGO = WSGIHandler()
EVENT = {
    "id": "e1",
    "kind": "inbound_message",
    "channel": "sms",
    "from": "+14155550100",
    "text": "STOP",
    "provider_message_id": "m1",
}
Answer = tuple[str, dict[str, str], bytes]


@pytest.fixture(autouse=True)
def rings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    wsgi._house.cache_clear()
    webhooks._known.clear()
    # A test's connection is one transaction: neither application may give it back.
    monkeypatch.setattr(connection, "close_if_unusable_or_obsolete", lambda: None)
    heard: list[int] = []
    monkeypatch.setattr(bell.INBOX, "ring", lambda: heard.append(1))
    return heard


@pytest.fixture
def path() -> str:
    sandbox, _ = connections.ensure_local(at=NOON)
    sandbox.refresh_from_db()
    held = sandbox.credentials_sealed
    assert isinstance(held, dict)
    return f"/hooks/{held['webhook_secret']}/"


def post(application: Any, path: str, body: bytes) -> Answer:
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "HTTP_HOST": "localhost",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "443",
        "REMOTE_ADDR": "192.0.2.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
    }
    told: list[Any] = []
    answer = application(environ, lambda status, headers, *_: told.extend((status, headers)))
    data = b"".join(answer)
    # The policy is a set of rules, which its middleware writes in any order.
    headers = {name.lower(): "; ".join(sorted(value.split("; "))) for name, value in told[1]}
    return told[0], headers, data


def test_an_event_is_kept_and_answered_as_behind_django(path: str, rings: list[int]) -> None:
    with patch.object(wsgi, "django", side_effect=DJANGO) as handed_on:
        first = post(wsgi.application, path, json.dumps(EVENT).encode())
    assert [one.args[0]["PATH_INFO"] for one in handed_on.call_args_list] == ["/livez"]
    assert (first[0], len(rings)) == ("200 OK", 1)
    [item] = inbox.waiting(limit=9)
    assert (item.kind, item.outcome, item.attempts) == ("inbound_message", "", 0)
    early = item.body_sealed
    InboxItem.objects.all().delete()
    assert post(DJANGO, path, json.dumps(EVENT).encode()) == first
    assert inbox.waiting(limit=9)[0].body_sealed == early


def test_a_repeat_is_answered_alike_kept_once_and_rings_no_more(
    path: str, rings: list[int]
) -> None:
    body = json.dumps(EVENT).encode()
    assert post(wsgi.application, path, body) == post(wsgi.application, path, body)
    assert (InboxItem.objects.count(), len(rings)) == (1, 1)


@pytest.mark.parametrize(
    ("body", "status"), [(b"{}", "400"), (b"", "400"), (b"x" * 70_000, "413"), (b"[1]", "400")]
)
def test_what_is_not_plain_is_refused_by_the_view(path: str, body: bytes, status: str) -> None:
    refused = post(wsgi.application, path, body)
    assert refused[0].startswith(status)
    assert refused == post(DJANGO, path, body)
    assert not InboxItem.objects.exists()


def test_an_address_of_nobody_is_not_found_and_not_remembered(path: str) -> None:
    assert post(wsgi.application, path[:-3] + "x/", b"{}")[0].startswith("404")
    assert not webhooks._known


def test_where_the_database_stumbles_django_keeps_the_same_bytes(path: str) -> None:
    with patch.object(webhooks, "take_early", side_effect=DatabaseError):
        assert post(wsgi.application, path, json.dumps(EVENT).encode())[0] == "200 OK"
    assert InboxItem.objects.count() == 1


def test_an_address_that_has_ended_is_believed_for_a_second_only(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr("integrations.webhooks.time.monotonic", lambda: clock[0])
    assert post(wsgi.application, path, json.dumps(EVENT).encode())[0] == "200 OK"
    Connection.objects.filter(provider="sandbox").update(webhook_index=None)
    clock[0] += webhooks.KNOWN_SECONDS
    assert post(wsgi.application, path, json.dumps(EVENT).encode())[0].startswith("404")
