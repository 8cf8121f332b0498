from datetime import timedelta

import pytest
from django.conf import settings
from django_q.models import OrmQ

from accounts import audit
from config.lib import clock
from consent.models import Message
from integrations import connections
from tests.videos import stage
from videos import campaigns, delivery_jobs
from videos.models import Campaign, Recipient

pytestmark = pytest.mark.django_db


@pytest.fixture
def begun() -> Campaign:
    now = clock.now()
    connections.ensure_local(at=now)
    who = stage.agreed(stage.person(at=now), at=now)
    made = stage.campaign()
    stage.asset(who, made, at=clock.now())
    return campaigns.start(campaign=made, at=now, actor=audit.SYSTEM)


def test_the_job_of_a_campaign_makes_sends_and_finishes(begun: Campaign) -> None:
    delivery_jobs.work_campaign(str(begun.pk))
    assert Message.objects.get().state == "sent"
    assert Campaign.objects.get().state == "done"


def test_the_same_job_twice_does_nothing_twice(begun: Campaign) -> None:
    for _ in range(3):
        delivery_jobs.work_campaign(str(begun.pk))
    assert Message.objects.count() == 1


def test_a_paused_campaign_is_left_alone(begun: Campaign) -> None:
    campaigns.pause(campaign=begun, at=clock.now(), actor=audit.SYSTEM)
    delivery_jobs.work_campaign(str(begun.pk))
    assert not Message.objects.exists()


def test_a_lost_queue_loses_nobody(begun: Campaign) -> None:
    Recipient.objects.update(state="making", claimed_at=clock.now() - timedelta(hours=1))
    OrmQ.objects.all().delete()
    delivery_jobs.reconcile()
    assert OrmQ.objects.count() == 1
    assert Recipient.objects.get().state == "waiting"


def test_somebody_whom_the_api_added_is_found_again(begun: Campaign) -> None:
    Campaign.objects.update(state="ready", started_at=None)
    OrmQ.objects.all().delete()
    delivery_jobs.reconcile()
    assert OrmQ.objects.count() == 1
    delivery_jobs.work_recipient(str(Recipient.objects.get().pk))
    assert Message.objects.get().state == "sent"


def test_tasks_carry_ids_only(begun: Campaign) -> None:
    task = OrmQ.objects.get().task
    assert task["args"] == (str(begun.pk),)


def test_a_campaign_gets_no_more_jobs_than_there_are_workers(begun: Campaign) -> None:
    Campaign.objects.update(worked_at=clock.now())
    for _ in range(5):
        delivery_jobs.reconcile()
    assert OrmQ.objects.count() == settings.Q_CLUSTER["workers"]


def test_a_quiet_campaign_gets_its_job_back_though_the_queue_is_full(begun: Campaign) -> None:
    for _ in range(4):
        campaigns.work_later(begun)
    Campaign.objects.update(worked_at=clock.now() - timedelta(minutes=11))
    before = OrmQ.objects.count()
    delivery_jobs.reconcile()
    assert OrmQ.objects.count() == before + 1
