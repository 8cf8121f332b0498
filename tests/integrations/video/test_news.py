"""What does an AI vendor's post do? It wakes a poll, if it is signed where the vendor signs."""

import json
from typing import Any

import pytest
from django.test import Client

from accounts import keys
from config.lib import clock
from integrations import connections
from integrations.models import Connection, InboxItem
from tests.accounts.staff import NOON
from tests.integrations.video.accounts import SECRET, SIGNED, SIGNING, VENDORS, body
from tests.simulators.server import Hook
from tests.simulators.studios import StudioSimulator

pytestmark = pytest.mark.django_db
URL = f"/hooks/{SECRET}/"


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    tasks: list[tuple[str, ...]] = []
    monkeypatch.setattr("integrations.webhooks.async_task", lambda *args: tasks.append(args))
    return tasks


def connect(name: str, **changes: str) -> tuple[StudioSimulator, Any]:
    Connection.objects.create(
        kind="video",
        provider=name,
        label=name,
        auth_kind="key",
        credentials_sealed={**VENDORS[name][1], **changes},
        webhook_index=keys.token_index(kind=connections.WEBHOOK, token=SECRET),
        created_at=NOON,
    )
    # Not entered: nothing listens, it only makes and signs what the vendor posts.
    simulator = VENDORS[name][0]()
    simulator._server.server_close()
    job = {"id": "job-1", "looks": 9, "gone": False, "order": json.loads(body())}
    job["order"] |= {"title": "t", "video_name": "t", "user_data": "t", "script": "Hello Ana"}
    return simulator, job


def post(hook: Hook, **changes: Any) -> int:
    headers = {**hook.headers, **changes.pop("headers", {})}
    told = changes.get("body", hook.body)
    answer = Client().generic("POST", URL, told, content_type=hook.content_type, headers=headers)
    return answer.status_code


def now(seconds: int = 0) -> int:
    return int(clock.now().timestamp()) + seconds


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("name", VENDORS)
def test_a_post_wakes_one_poll_and_keeps_no_words(
    name: str, fails: bool, woken: list[tuple[str, ...]]
) -> None:
    simulator, job = connect(name)
    simulator.fails = fails
    hook = simulator.hook(URL, job, now(), SIGNING)
    assert [post(hook), post(hook)] == [200, 200]
    row = Connection.objects.get()
    assert woken == [("videos.jobs.vendor_news", str(row.pk), "job-1")]
    item = InboxItem.objects.get()
    assert item.body_sealed == {"kind": "video_news", "job": "job-1"}
    assert (item.outcome, item.processed_at is None) == ("woken", False)


@pytest.mark.parametrize("name", SIGNED)
def test_what_is_not_signed_wakes_nothing(name: str, woken: list[tuple[str, ...]]) -> None:
    simulator, job = connect(name)
    hook = simulator.hook(URL, job, now(), SIGNING)
    header = next(one for one in hook.headers if one.endswith("Signature"))
    assert post(hook, body=hook.body + b" ") == 403
    assert post(hook, headers={header: ""}) == 403
    assert post(hook, headers={header: "ü"}) == 403
    assert post(simulator.hook(URL, job, now(), "another")) == 403
    assert post(simulator.hook(URL, job, now(-3600), SIGNING)) == 403
    assert post(simulator.hook(URL, job, now(3600), SIGNING)) == 403
    assert not woken


@pytest.mark.parametrize("stamp", ["", "x", "-1", "1e9", "9" * 40, "²"])
@pytest.mark.parametrize("name", SIGNED)
def test_a_time_that_is_none_is_refused(
    name: str, stamp: str, woken: list[tuple[str, ...]]
) -> None:
    simulator, job = connect(name)
    hook = simulator.hook(URL, job, now(), SIGNING)
    header = next(one for one in hook.headers if one.endswith("Timestamp"))
    assert post(hook, headers={header: stamp}) == 403
    assert not woken


def test_the_time_of_synthesia_is_signed(woken: list[tuple[str, ...]]) -> None:
    simulator, job = connect("synthesia")
    hook = simulator.hook(URL, job, now(), SIGNING)
    assert post(hook, headers={"Synthesia-Timestamp": str(now(1))}) == 403
    assert not woken


@pytest.mark.parametrize("name", SIGNED)
def test_without_the_secret_nothing_is_believed(name: str, woken: list[tuple[str, ...]]) -> None:
    simulator, job = connect(name, signing_secret="")
    assert post(simulator.hook(URL, job, now(), "")) == 403
    assert not woken


@pytest.mark.parametrize("told", [b"", b"[]", b"[" * 50_000, b"\xff"])
@pytest.mark.parametrize("name", VENDORS)
def test_what_is_no_event_is_refused(name: str, told: bytes, woken: list[tuple[str, ...]]) -> None:
    simulator, _ = connect(name)
    headers = simulator.signed(told, now(), SIGNING)
    assert post(Hook(URL, told, "application/json", headers)) == 400
    assert not woken


@pytest.mark.parametrize("name", ["tavus", "did"])
@pytest.mark.parametrize("job", ["../x", "", "x" * 81, 7.5])
def test_a_name_that_is_no_job_is_refused(
    name: str, job: object, woken: list[tuple[str, ...]]
) -> None:
    connect(name)
    told = json.dumps(
        {"status": "ready" if name == "tavus" else "done", "video_id": job, "id": job}
    )
    assert post(Hook(URL, told.encode(), "application/json")) == 400
    assert not woken


def test_a_job_on_its_way_wakes_nothing(woken: list[tuple[str, ...]]) -> None:
    connect("tavus")
    told = json.dumps({"status": "generating", "video_id": "job-1"}).encode()
    assert post(Hook(URL, told, "application/json")) == 200
    assert not woken


def test_an_address_can_be_probed() -> None:
    assert Client().options(URL).status_code == 204


def test_the_studio_has_no_webhook(woken: list[tuple[str, ...]]) -> None:
    index = keys.token_index(kind=connections.WEBHOOK, token=SECRET)
    _, studio = connections.ensure_local(at=NOON)
    Connection.objects.filter(pk=studio.pk).update(webhook_index=index)
    assert post(Hook(URL, b"{}", "application/json")) == 404
    assert not woken
