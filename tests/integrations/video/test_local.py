"""Does the studio on this machine behave like a vendor, from the order to the absence?"""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from config.lib import canonical
from integrations import connections
from integrations.models import Connection, LocalVideoJob
from integrations.video import providers, studio_worker
from integrations.video.base import NotFound, ProviderError, Status, VideoProvider
from tests.accounts.staff import NOON

pytestmark = pytest.mark.django_db
WORDS = "We looked at your account and we have good news for you. "


@pytest.fixture
def provider() -> VideoProvider:
    return providers.provider_for(connections.ensure_local(at=NOON)[1])


def body(*items: dict[str, Any], **more: object) -> bytes:
    request = {"language": "en", "width": 640, "height": 360, "items": list(items), **more}
    return canonical.encode(request)


def folder(job_id: str) -> Path:
    return Path(settings.HOME) / "vendor" / uuid.UUID(job_id).hex


def ended(provider: VideoProvider, job_id: str) -> Status:
    deadline = time.monotonic() + 90
    while (status := provider.poll(job_id=job_id)).state == "rendering":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return status


def long_job(provider: VideoProvider) -> str:
    return provider.create(body=body({"speech": WORDS * 60}))


def test_a_video_is_ordered_made_fetched_and_deleted(provider: VideoProvider) -> None:
    job_id = provider.create(body=body({"slot": "s1", "ms": 2000}, {"speech": "Hello there."}))
    assert provider.poll(job_id=job_id).state in {"rendering", "done"}
    assert ended(provider, job_id) == Status("done")
    video = provider.fetch(job_id=job_id, body=b"")
    assert video.video[4:8] == b"ftyp"
    assert video.captions_vtt.startswith("WEBVTT")
    assert video.slots_ms == [[0, 2000]]
    assert 2000 < video.duration_ms < 10_000
    assert provider.exists(job_id=job_id)
    deletion = provider.delete(job_id=job_id)
    assert (deletion.status, json.loads(deletion.answer)["status"]) == (200, "deleted")
    assert_gone(provider, job_id)


def assert_gone(provider: VideoProvider, job_id: str) -> None:
    assert not provider.exists(job_id=job_id)
    assert not folder(job_id).exists()
    assert not LocalVideoJob.objects.exists()
    with pytest.raises(NotFound):
        provider.fetch(job_id=job_id, body=b"")
    with pytest.raises(NotFound):
        provider.poll(job_id=job_id)


def test_deleting_twice_says_that_it_is_gone(provider: VideoProvider) -> None:
    deletion = provider.delete(job_id=str(uuid.uuid4()))
    assert (deletion.status, json.loads(deletion.answer)["status"]) == (404, "not_found")


def test_a_job_that_is_deleted_while_it_runs_ends(provider: VideoProvider) -> None:
    job_id = long_job(provider)
    pid = int((folder(job_id) / "pid").read_text())
    assert provider.delete(job_id=job_id).status == 200
    assert_gone(provider, job_id)
    assert not works(pid)


def works(pid: int) -> bool:
    # An ended child whose parent has not asked yet still has a number, and the state Z.
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_studio_that_was_killed_is_told_as_a_failure(provider: VideoProvider) -> None:
    job_id = long_job(provider)
    assert provider.poll(job_id=job_id) == Status("rendering")
    os.kill(int((folder(job_id) / "pid").read_text()), signal.SIGKILL)
    status = ended(provider, job_id)
    assert status.state == "failed"
    assert "stopped" in status.problem
    with pytest.raises(NotFound):
        provider.fetch(job_id=job_id, body=b"")
    provider.delete(job_id=job_id)


def test_a_request_that_the_studio_refuses_fails_with_its_reason(provider: VideoProvider) -> None:
    job_id = provider.create(body=body({"slot": "s1", "ms": 3_600_000}))
    status = ended(provider, job_id)
    assert (status.state, "slot" in status.problem) == ("failed", True)
    provider.delete(job_id=job_id)


@pytest.mark.parametrize(
    "request_body",
    [
        b"",
        b"{",
        b"[]",
        body(),
        body({"speech": "x", "name": "Ana"}),
        body({"slot": "s1"}),
        body({"name": "Ana"}),
        body({"speech": "x"}, language=""),
        b'{"language": "en", "items": [{"speech": "x"}]}',
    ],
)
def test_a_request_of_another_shape_is_refused_and_nothing_is_kept(
    provider: VideoProvider, request_body: bytes
) -> None:
    with pytest.raises(ProviderError) as refused:
        provider.create(body=request_body)
    assert refused.value.outcome == "permanent"
    assert not LocalVideoJob.objects.exists()


@pytest.mark.parametrize("job_id", ["", "x", "../../etc", str(uuid.UUID(int=7))])
def test_a_name_that_is_no_job_is_not_found(provider: VideoProvider, job_id: str) -> None:
    assert not provider.exists(job_id=job_id)
    assert provider.delete(job_id=job_id).status == 404
    with pytest.raises(NotFound):
        provider.poll(job_id=job_id)


def test_the_vendors_copy_is_ours_alone(provider: VideoProvider) -> None:
    job_id = provider.create(body=body({"slot": "s1", "ms": 100}, {"speech": "Hi."}))
    ended(provider, job_id)
    modes = {path.name: path.stat().st_mode & 0o077 for path in folder(job_id).iterdir()}
    assert folder(job_id).stat().st_mode & 0o077 == 0
    assert modes["video.mp4"] == 0
    provider.delete(job_id=job_id)


def test_the_studios_process_has_no_keys_and_no_database() -> None:
    code = (
        "import sys, integrations.video.studio_worker;"
        "print([name for name in sys.modules if name.split('.')[0] in "
        "('django', 'accounts', 'consent', 'retention')])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert shown.strip() == "[]"


def test_the_studios_process_is_told_nothing_of_ours(provider: VideoProvider) -> None:
    job_id = long_job(provider)
    pid = (folder(job_id) / "pid").read_text()
    environment = Path(f"/proc/{pid}/environ").read_bytes()
    provider.delete(job_id=job_id)
    for name in (b"SECRET_KEY", b"SEALCAST", b"DATABASE_URL"):
        assert name not in environment


def test_what_a_worker_cannot_read_is_told_and_not_raised(tmp_path: Path) -> None:
    (tmp_path / "request.json").write_text('{"language": "en"}')
    studio_worker.work(tmp_path)
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["problem"] == "the studio failed (KeyError)"


def test_a_provider_that_this_version_lacks_is_refused() -> None:
    with pytest.raises(providers.NoSuchProvider):
        providers.provider_for(Connection(kind="video", provider="unheard-of"))
