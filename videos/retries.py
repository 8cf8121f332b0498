"""Which of those who did not get their video may be tried again, and how? One cause at a time."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from accounts import audit
from accounts.audit import Actor
from consent.models import Message
from videos import campaigns
from videos.models import Asset, Campaign, Recipient

State = Campaign.State
BEFORE = (Recipient.State.SKIPPED, Recipient.State.FAILED)
# What certainly did not arrive. A message without an answer may have: it is never sent again.
AFTER = (Message.State.FAILED, Message.State.REFUSED, Message.State.CANCELLED)
# Ended on purpose, or taken back by a pause and waiting already.
ENDED = {campaigns.CANCELLED, campaigns.PAUSED}


def again(*, campaign: Campaign, code: str) -> QuerySet[Recipient]:
    """Return the people whom one cause kept from their message, and who can be tried again."""
    rows = Recipient.objects.filter(campaign=campaign)
    if code in ENDED or not code:
        return rows.none()
    return rows.filter(state__in=BEFORE, reason_code=code, message=None) | rows.filter(
        message__state__in=AFTER, message__problem=code
    )


@transaction.atomic
def retry(*, campaign: Campaign, code: str, at: datetime, actor: Actor) -> int:
    """Let the people of one cause wait for their turn again; return how many.

    Each is judged by the gate anew and gets a new link; what they had is ended.
    :raises NotNow: the campaign has not been started, or is cancelled.
    """
    held = campaigns.locked(campaign, State.SENDING, State.PAUSED, State.DONE)
    if held.started_at is None:
        raise campaigns.NotNow("This campaign has not been started.")
    rows = again(campaign=held, code=code)
    # A video that was given up is tried as often as a new one.
    owners = rows.values("contact")
    Asset.objects.filter(campaign=held, state=Asset.State.FAILED, contact__in=owners).update(
        attempts=0
    )
    count = campaigns.wait_again(rows=rows, at=at, actor=actor)
    if count:
        _go_on(held)
        _note(held, code, count, at, actor)
    return count


def _go_on(held: Campaign) -> None:
    if held.state == State.DONE:
        held.state, held.finished_at = State.SENDING, None
        held.save(update_fields=["state", "finished_at"])
    if held.state == State.SENDING:
        campaigns.work_later(held)


def _note(held: Campaign, code: str, count: int, at: datetime, actor: Actor) -> None:
    audit.record(
        action="videos.campaign.retried",
        at=at,
        actor=actor,
        object_type="videos.campaign",
        object_id=str(held.pk),
        details={"cause": code, "people": str(count)},
    )
