"""Which AI video provider needs no account? The studio on this machine, behind a vendor's face.

It keeps a row and a folder for each job, as a vendor would, until it is told to delete them.
Nothing in it knows of people: the request is anonymous before it comes here.
"""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

from django.conf import settings

from config.lib import canonical, clock
from integrations.models import Connection, LocalVideoJob
from integrations.video.base import Deletion, FetchedVideo, NotFound, ProviderError, Status

STOPPED = "the studio stopped before it had finished"
# What the studio may see of our environment: no address of the database, no key.
PASSED_ON = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR")
END_SECONDS = 5


class LocalProvider:
    """Creates, polls, fetches and deletes like a vendor; each render is a child process."""

    name = "local"
    endpoint = "local:studio"
    region = "local"
    residual_days = 0
    request_flag = ""
    reads_setting = False
    poll_seconds = 0

    def __init__(self, connection: Connection | None = None) -> None:
        self._connection = connection

    def create(self, *, body: bytes) -> str:
        """Start a job from the anonymous request and return its name.

        :raises ProviderError: the request has not the shape that was agreed.
        """
        request = _read(body)
        job = LocalVideoJob.objects.create(
            request=request, state=LocalVideoJob.State.RENDERING, created_at=clock.now()
        )
        folder = _folder(job.pk)
        folder.mkdir(mode=0o700, parents=True)
        (folder / "request.json").write_bytes(body)
        _start(folder)
        return str(job.pk)

    def shown(self, *, body: bytes) -> str:
        """Return nothing: the studio takes the request as it is."""
        return ""

    def poll(self, *, job_id: str) -> Status:
        """Say how far a job has come.

        :raises NotFound: there is no such job.
        """
        job = _job(job_id)
        # In this order: a worker that ends between the two questions has left its result.
        works = _works(_folder(job.pk))
        result = _result(_folder(job.pk))
        if result is None and works:
            return Status("rendering")
        problem = STOPPED if result is None else str(result["problem"])
        job.state = LocalVideoJob.State.FAILED if problem else LocalVideoJob.State.DONE
        job.problem = problem[:200]
        job.save(update_fields=["state", "problem"])
        return Status("failed", problem) if problem else Status("done")

    def fetch(self, *, job_id: str, body: bytes) -> FetchedVideo:
        """Bring the finished video; the studio itself knows its slots.

        :raises NotFound: there is no such job, or it has no video.
        """
        folder = _folder(_job(job_id).pk)
        result = _result(folder)
        if result is None or result["problem"]:
            raise NotFound
        return FetchedVideo(
            video=(folder / "video.mp4").read_bytes(),
            captions_vtt=(folder / "captions.vtt").read_text(encoding="utf-8"),
            slots_ms=result["slots_ms"],
            duration_ms=result["duration_ms"],
        )

    def delete(self, *, job_id: str) -> Deletion:
        """Remove a job's folder and row; a job that is not there is gone already (404)."""
        found = self.exists(job_id=job_id)
        if found:
            folder = _folder(uuid.UUID(job_id))
            _end(folder)
            shutil.rmtree(folder, ignore_errors=True)
            LocalVideoJob.objects.filter(pk=job_id).delete()
        answer = {"job": job_id, "status": "deleted" if found else "not_found"}
        return Deletion(200 if found else 404, canonical.encode(answer))

    def exists(self, *, job_id: str) -> bool:
        """Look whether the row or the folder of a job is still there."""
        try:
            pk = uuid.UUID(job_id)
        except ValueError:
            return False
        return _folder(pk).exists() or LocalVideoJob.objects.filter(pk=pk).exists()

    def find(self, *, body: bytes) -> list[str] | None:
        """Name the jobs of exactly this request."""
        wanted = _read(body)
        jobs = LocalVideoJob.objects.order_by("created_at")
        return [str(job.pk) for job in jobs if job.request == wanted]

    def keeps_nothing(self) -> bool:
        """Nothing leaves this machine, and there is no account."""
        return True

    def check(self) -> str:
        """Return the empty text if the studio's folder can be written."""
        home = settings.HOME / "vendor"
        try:
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
            probe = home / f".probe-{os.getpid()}"
            probe.touch()
            probe.unlink()
        except OSError:
            return "The folder `vendor` in SEALCAST_HOME cannot be written. Give it back to us."
        return ""


def _read(body: bytes) -> dict[str, Any]:
    try:
        request = json.loads(body)
        whole = request["language"] and request["width"] and request["height"]
        shaped = all(_shaped(item) for item in request["items"])
    except (ValueError, KeyError, TypeError):
        raise ProviderError("permanent", "request_rejected") from None
    if not (whole and shaped and request["items"]):
        raise ProviderError("permanent", "request_rejected")
    return dict(request)


def _shaped(item: dict[str, Any]) -> bool:
    return set(item) == {"speech"} or set(item) == {"slot", "ms"}


def _folder(pk: uuid.UUID) -> Path:
    return Path(settings.HOME) / "vendor" / pk.hex


def _job(job_id: str) -> LocalVideoJob:
    try:
        return LocalVideoJob.objects.get(pk=uuid.UUID(job_id))
    except (LocalVideoJob.DoesNotExist, ValueError):
        raise NotFound from None


def _start(folder: Path) -> None:
    # The child inherits a locked file: whether it still lives can be seen from any process, and
    # a number that was given to another process since cannot be mistaken for it.
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        child = subprocess.Popen(  # noqa: S603 our own module, a path of our own making
            [sys.executable, "-m", "integrations.video.studio_worker", str(folder)],
            cwd=settings.BASE_DIR,
            env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(lock,),
            # A restart of the job cluster does not end a render that is nearly done.
            start_new_session=True,
        )
        (folder / "pid").write_text(str(child.pid))
    finally:
        os.close(lock)


def _works(folder: Path) -> bool:
    try:
        lock = os.open(folder / "lock", os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(lock)


def _end(folder: Path) -> None:
    deadline = time.monotonic() + END_SECONDS
    if _works(folder):
        os.kill(int((folder / "pid").read_text()), signal.SIGKILL)
    while _works(folder) and time.monotonic() < deadline:
        time.sleep(0.02)


def _result(folder: Path) -> dict[str, Any] | None:
    try:
        return dict(json.loads((folder / "result.json").read_bytes()))
    except FileNotFoundError:
        return None
