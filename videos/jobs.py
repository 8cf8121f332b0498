"""Which jobs do videos need? Edges that ask the clock and call one function; ids only."""

import time
from uuid import UUID

from django_q.tasks import async_task

from config.lib import clock, logs
from videos import rendering, uploads, vault
from videos.models import Render

# A worker waits this long for a vendor before it makes room for other jobs.
WATCH_SECONDS = 20
POLL_SECONDS = 1.0

log = logs.get(__name__)


def render_step(render_id: str) -> None:
    render = Render.objects.get(pk=UUID(render_id))
    ends = time.monotonic() + WATCH_SECONDS
    while not rendering.is_finished(render) and time.monotonic() < ends:
        before = render.state
        render = rendering.advance(render=render, at=clock.now())
        if render.state == before:
            time.sleep(POLL_SECONDS)
    if not rendering.is_finished(render):
        async_task("videos.jobs.render_step", render_id)
        return
    async_task("videos.delivery_jobs.work_campaign", str(render.campaign_id))


def vendor_news(connection_id: str, job_id: str) -> None:
    # One step only: the job that watches the render takes the others.
    named = Render.objects.filter(connection=UUID(connection_id), vendor_job_id=job_id)
    for render in named.filter(state=Render.State.SUBMITTED):
        rendering.advance(render=render, at=clock.now(), is_woken=True)


def upload_step(render_id: str) -> None:
    render = Render.objects.get(pk=UUID(render_id))
    render = uploads.advance(render=render, at=clock.now())
    if rendering.is_finished(render):
        async_task("videos.delivery_jobs.work_campaign", str(render.campaign_id))


def requeue_renders() -> None:
    for render in rendering.waiting(at=clock.now()).only("pk", "made_by"):
        is_ordered = render.made_by == Render.MadeBy.VENDOR
        step = "render_step" if is_ordered else "upload_step"
        async_task(f"videos.jobs.{step}", str(render.pk))


def observe_again() -> None:
    rendering.observe_again(at=clock.now())


def sweep_orphans() -> None:
    removed = vault.sweep(at=clock.now())
    if removed:
        log.info("videos.objects.swept", count=removed)
