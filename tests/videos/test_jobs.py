from datetime import timedelta

import pytest
from django_q.models import OrmQ

from config.lib import clock
from tests.videos import vendor as played
from tests.videos.vendor import Vendor
from videos import delivery_jobs, jobs
from videos.models import DeletionReceipt, Render


def queued() -> list[str]:
    return [str(row.func()) for row in OrmQ.objects.order_by("id")]


def test_one_task_takes_a_render_to_its_end(vendor: Vendor) -> None:
    render = played.ordered(at=clock.now())
    assert queued() == ["videos.jobs.render_step"]
    jobs.render_step(str(render.pk))
    render.refresh_from_db()
    assert render.state == Render.State.DONE
    assert queued()[1:] == ["videos.delivery_jobs.work_campaign"]


def test_a_slow_vendor_is_watched_and_then_left_to_the_next_task(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "WATCH_SECONDS", 0)
    render = played.ordered(at=clock.now())
    jobs.render_step(str(render.pk))
    assert queued() == ["videos.jobs.render_step"] * 2


def test_a_render_whose_task_was_lost_is_queued_again(vendor: Vendor) -> None:
    played.ordered(at=clock.now() - timedelta(minutes=3))
    OrmQ.objects.all().delete()
    delivery_jobs.reconcile()
    assert queued() == ["videos.jobs.render_step"]


def test_the_looks_after_a_deletion_have_a_job(vendor: Vendor) -> None:
    played.done(played.ordered(at=clock.now()), at=clock.now() - timedelta(hours=2))
    jobs.observe_again()
    assert DeletionReceipt.objects.count() == 2


def test_the_sweep_has_a_job(vendor: Vendor) -> None:
    jobs.sweep_orphans()
