"""Which jobs bring campaigns forward? Each takes ids only; the rows are the queue."""

import uuid

from django.conf import settings
from django_q.models import OrmQ
from django_q.tasks import async_task

from config.lib import clock
from videos import campaigns, delivery, jobs
from videos.models import Campaign, Recipient

# A round also ends by the clock (`consent.outbox`): where the provider is slow, before these. Many,
# since at the end of each round all wait for the slowest call.
DISPATCHED_AT_ONCE = 2000


def work_campaign(campaign_id: str) -> None:
    """Go one step on with a campaign and queue the next step."""
    campaign = Campaign.objects.get(pk=uuid.UUID(campaign_id))
    # A base video that is done or has failed calls this job; until then there is nothing to do.
    now = campaigns.settle_renders(campaign=campaign, at=clock.now())
    if now.state == Campaign.State.SENDING:
        _send(now)


def work_recipient(recipient_id: str) -> None:
    """Bring one person to an outcome, as the API asked."""
    delivery.work_one(recipient_id=uuid.UUID(recipient_id), at=clock.now())
    dispatch_due()


def dispatch_due() -> None:
    """Hand over what is due; again at once while there is more."""
    now = clock.now()
    done = delivery.dispatch(at=now, limit=DISPATCHED_AT_ONCE, now=clock.now)
    for campaign in Campaign.objects.filter(state=Campaign.State.SENDING):
        campaigns.finish(campaign=campaign, at=now)
    if done.total >= 100:
        async_task("videos.delivery_jobs.dispatch_due")


def reconcile() -> None:
    """Queue again whatever waits: a lost queue costs minutes and nobody's message."""
    delivery.recover(at=clock.now())
    jobs.requeue_renders()
    for campaign in campaigns.without_job(at=clock.now(), idle=_has_room()):
        campaigns.work_later(campaign)
    alone = Recipient.objects.filter(
        state=Recipient.State.WAITING,
        campaign__state__in=[Campaign.State.READY, Campaign.State.DONE],
    )
    for recipient_id in alone.values_list("pk", flat=True)[:500]:
        async_task("videos.delivery_jobs.work_recipient", str(recipient_id))


def _has_room() -> bool:
    # Jobs that wait find no free worker, and another would only make the others wait longer.
    return bool(OrmQ.objects.count() < settings.Q_CLUSTER["workers"])


def _send(campaign: Campaign) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(worked_at=clock.now())
    worked = delivery.work(campaign_id=campaign.pk, at=clock.now())
    dispatch_due()
    if worked.total:
        campaigns.work_later(campaign)
