"""Does a video end by itself, and does a hold keep it? From the last byte to the certificate."""

from datetime import datetime, timedelta

import pytest
from django.core.files.storage import default_storage

from retention import holds, runs, verification
from retention.models import Certificate, RunItem
from tests.retention import story
from videos import links, playback, vault
from videos.links import NotWatchable
from videos.models import Asset, Link, SealedObject

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)


def watched(link: Link, at: datetime) -> bytes:
    served = playback.serve(asset=link.asset, range_header="", if_range="", at=at)
    return b"".join(served.chunks)


def fresh(link: Link) -> Link:
    return links.with_keys().get(pk=link.pk)


def test_past_its_time_a_video_does_not_open_though_no_worker_ran() -> None:
    _, link = story.whole()
    ends = link.asset.delete_at
    assert watched(fresh(link), ends - DAY)
    with pytest.raises(NotWatchable):
        watched(fresh(link), ends)
    assert not links.is_live(link=fresh(link), at=ends)


def test_the_run_reclaims_the_space_and_certifies_it() -> None:
    _, link = story.whole()
    own = link.asset.extents.get(number=0).sealed_object
    at = link.asset.delete_at + timedelta(hours=1)
    run = runs.execute(run=runs.plan(at=at, trigger="schedule"), at=at)
    assert run.items.get(record_class="asset").state == RunItem.State.ERASED
    assert not default_storage.exists(own.name)
    assert SealedObject.objects.get(pk=own.pk).state == "deleted"
    certificate = Certificate.objects.get(run=run)
    assert certificate.document["stores"]["asset"] == 1
    assert verification.verify(at=at)[5].is_kept


def test_a_hold_keeps_the_video_readable_and_its_release_lets_it_go() -> None:
    _, link = story.whole()
    at = link.asset.delete_at + DAY
    hold = holds.place(
        record_class="asset", object_id=link.asset_id, reason="complaint", at=story.AT, staff=None
    )
    run = runs.execute(run=runs.plan(at=at, trigger="schedule"), at=at)
    assert run.items.get(record_class="asset").state == RunItem.State.HELD
    assert watched(fresh(link), at)
    assert not links.is_live(link=fresh(link), at=at), "a link ends although a hold keeps the video"
    holds.release(hold=hold, at=at, staff=None)
    with pytest.raises(NotWatchable):
        watched(fresh(link), at)
    runs.execute(run=runs.plan(at=at, trigger="schedule"), at=at)
    assert Asset.objects.get(pk=link.asset_id).state == Asset.State.DELETED


def test_a_person_past_their_time_goes_whole() -> None:
    person, _ = story.whole()
    at = person.key.delete_at
    assert at is not None
    run = runs.execute(run=runs.plan(at=at, trigger="schedule"), at=at)
    assert run.state == "done"
    person.refresh_from_db()
    assert person.erased_at == at
    vault.sweep(at=at)
    reports = verification.verify(at=at)
    broken = [check.first for report in reports for check in report.checks if check.faults]
    assert not broken, broken
