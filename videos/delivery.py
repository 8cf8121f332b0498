"""Who gets their video next? Judged first, then made, then queued; one row holds each outcome.

Nothing is made for a person whom the gate refuses. A crash at any point leaves a row that says
where it was, and doing it again does nothing twice.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django_q.tasks import async_task

from accounts import audit, keys
from accounts.audit import Actor
from config.lib import logs
from consent import contacts, gate, outbox, preferences
from consent.models import Contact, Decision, Message
from consent.outbox import Dispatched
from integrations.models import Connection
from videos import campaigns, codes, contents, devices, links, personalising, presenters, wording
from videos.anonymisation import SlotMissing
from videos.checks import connection_for
from videos.models import Asset, Campaign, Recipient
from videos.wording import Wording

log = logs.get(__name__)
State = Recipient.State
BATCH = 20
# Longer than any video takes to make: whoever claimed the person is gone.
STALE_SECONDS = 900
# A campaign in these states sends; one person at a time may be sent by the API in these too.
GOT_NOTHING = {State.REFUSED, State.SKIPPED, State.FAILED}
CONTENT_CHANGED = "content_changed"
NO_SECOND_ADDRESS = "no_second_address"
SENDS_ONE = {Campaign.State.READY, Campaign.State.SENDING, Campaign.State.DONE}


class NotSendable(Exception):
    """The campaign cannot send to anybody now."""


class RequestKeyReused(Exception):
    """The key of a request named another campaign or person before."""


class _ChangedMind(Exception):
    """The gate refused a moment ago and now allows: undo, and begin again."""


@dataclass(frozen=True)
class Worked:
    """What one round came to: people by their new state."""

    states: Mapping[str, int]

    @property
    def total(self) -> int:
        """Return how many people were taken."""
        return sum(self.states.values())


@dataclass(frozen=True)
class _Turn:
    """One person's turn in a campaign."""

    recipient: Recipient
    campaign: Campaign
    contact: Contact
    connection: Connection
    at: datetime

    def settle(self, state: str, code: str = "") -> str:
        return _settle(self.recipient, state, code, self.at)


def work(*, campaign_id: UUID, at: datetime, limit: int = BATCH) -> Worked:
    """Take the next people of a campaign, one after the other, and bring each to an outcome.

    A pause or a cancellation holds from the next person on, and keeps this one from being queued.
    """
    campaign = Campaign.objects.select_related("partner", "key").get(pk=campaign_id)
    states: Counter[str] = Counter()
    for recipient in _turns(campaign, at, limit):
        states[_deliver(recipient, campaign, at)] += 1
    return Worked(states)


def work_one(*, recipient_id: UUID, at: datetime) -> str:
    """Bring one person to an outcome, as the API asks; return the state of their row."""
    recipient = Recipient.objects.select_related("campaign__partner", "campaign__key").get(
        pk=recipient_id
    )
    if recipient.campaign.state not in SENDS_ONE or not _take(recipient, at):
        return str(recipient.state)
    return _deliver(recipient, recipient.campaign, at)


def send_one(
    *, campaign: Campaign, contact: Contact, at: datetime, actor: Actor, request_key: str = ""
) -> Recipient:
    """Have a campaign's video made for one person and sent; a second time is the first.

    Who got nothing, such as a person whom the gate refused, is judged again when asked again.

    :raises NotReleased: the presenter's release does not cover the campaign, or not any more.
    :raises NotSendable: the campaign's base videos are not there, or it is paused or cancelled.
    :raises RequestKeyReused: the actor gave this key to another request.
    """
    index = keys.token_index(kind="videos.request", token=f"{actor.id}:{request_key}")
    before = Recipient.objects.filter(request_index=index).first() if request_key else None
    if before is not None:
        if (before.campaign_id, before.contact_id) != (campaign.pk, contact.pk):
            raise RequestKeyReused
        return before
    if campaign.state not in SENDS_ONE:
        raise NotSendable
    for refused in presenters.refusals(campaign=campaign, at=at).values():
        raise refused
    with transaction.atomic():
        recipient, created = Recipient.objects.get_or_create(
            campaign=campaign,
            contact=contact,
            defaults={"created_at": at, "request_index": index if request_key else None},
        )
        if created or _ask_again(recipient):
            _note(recipient, at, actor)
            async_task("videos.delivery_jobs.work_recipient", str(recipient.pk))
    return recipient


def _ask_again(recipient: Recipient) -> bool:
    got_nothing = Recipient.objects.filter(pk=recipient.pk, state__in=GOT_NOTHING, message=None)
    if not got_nothing.update(state=State.WAITING, reason_code="", settled_at=None):
        return False
    recipient.refresh_from_db()
    return True


def dispatch(
    *, at: datetime, limit: int = 100, now: Callable[[], datetime] | None = None
) -> Dispatched:
    """Hand over what is due, of campaigns and of all others, looking again at each link.

    `now` tells the instant of each message, as in `outbox.dispatch`.
    """
    return outbox.dispatch(at=at, still_valid=still_valid, limit=limit, now=now)


def still_valid(message: Message, at: datetime) -> str | None:
    """Say why a message may not leave any more, as a code; None if its link leads somewhere."""
    if message.context_type == codes.CONTEXT:
        return codes.still_valid(message=message, at=at)
    if message.context_type != campaigns.CONTEXT:
        return None
    link = links.with_keys().filter(message=message).first()
    if link is None:
        return "link_missing"
    state = link.asset.campaign.state
    if state == Campaign.State.PAUSED:
        return campaigns.PAUSED
    if state == Campaign.State.CANCELLED:
        return campaigns.CANCELLED
    if not links.is_live(link=link, at=at):
        return "link_dead"
    return _outgrown(message, link.asset, at)


def recover(*, at: datetime) -> int:
    """Let those wait again whose worker died while their video was made; return how many."""
    stale = at - timedelta(seconds=STALE_SECONDS)
    rows = Recipient.objects.filter(state=State.MAKING, claimed_at__lt=stale)
    # When it was claimed stays: they come after the others.
    return rows.update(state=State.WAITING)


def _outgrown(message: Message, asset: Asset, at: datetime) -> str | None:
    """Say what became known since a message was queued that keeps it from leaving."""
    if set(contents.of(asset.campaign)) - set(message.content):
        return CONTENT_CHANGED
    try:
        presenters.require_of(render=asset.render, campaign=asset.campaign, at=at)
    except presenters.NotReleased as refused:
        return refused.code
    return None


def _turns(campaign: Campaign, at: datetime, limit: int) -> Iterator[Recipient]:
    """Claim each person when it is their turn: a crash leaves one claimed, and not a batch."""
    sending = Campaign.objects.filter(pk=campaign.pk, state=Campaign.State.SENDING)
    for row in _next(campaign, limit):
        if not sending.exists():
            return
        # Two workers may read the same rows; the conditional UPDATE gives each row to one of them.
        if _take(row, at):
            yield row


def _next(campaign: Campaign, limit: int) -> list[Recipient]:
    """Return who comes next; last, those at whose turn a worker died, lest they stop the others."""
    waiting = Recipient.objects.filter(campaign=campaign, state=State.WAITING).order_by("pk")
    rows = list(waiting.filter(claimed_at=None)[:limit])
    return rows or list(waiting.order_by("claimed_at", "pk")[:limit])


def _take(recipient: Recipient, at: datetime) -> bool:
    taken = Recipient.objects.filter(pk=recipient.pk, state=State.WAITING).update(
        state=State.MAKING, claimed_at=at
    )
    return bool(taken)


def _deliver(recipient: Recipient, campaign: Campaign, at: datetime) -> str:
    contact = Contact.objects.select_related("key", "partner").get(pk=recipient.contact_id)
    connection = connection_for(campaign)
    if connection is None:
        return _settle(recipient, State.FAILED, "no_connection", at)
    turn = _Turn(recipient, campaign, contact, connection, at)
    verdict = gate.judge(
        contact=contact,
        purpose_code=campaign.purpose_code,
        channel=campaign.channel,
        content=contents.of(campaign),
        at=at,
    )
    if verdict.verdict == gate.REFUSE:
        return _refuse(turn)
    asks = devices.step_up(campaign=campaign) == Campaign.StepUp.ALWAYS
    if asks and not codes.reaches(contact=contact, campaign=campaign):
        # No video is made for somebody who could not open it.
        return turn.settle(State.SKIPPED, NO_SECOND_ADDRESS)
    return _make(turn)


def _make(turn: _Turn) -> str:
    try:
        asset = personalising.personalise(campaign=turn.campaign, contact=turn.contact, at=turn.at)
        return _queue(turn, asset)
    except SlotMissing as missing:
        return turn.settle(State.SKIPPED, f"slot_missing:{missing.slot}")
    except keys.KeyRefused:
        return turn.settle(State.SKIPPED, "key_refused")
    except personalising.NotPersonalised as failed:
        log.warning("videos.recipient.not_made", recipient_id=str(turn.recipient.pk))
        return turn.settle(State.FAILED, failed.code)


def _refuse(turn: _Turn) -> str:
    try:
        return _keep_refusal(turn)
    except _ChangedMind:
        return turn.settle(State.WAITING)


@transaction.atomic
def _keep_refusal(turn: _Turn) -> str:
    decision, message = _put(turn, Wording("", ""), "")
    if message is not None:
        raise _ChangedMind
    return turn.settle(State.REFUSED, decision.reasons[0]["code"])


@transaction.atomic
def _queue(turn: _Turn, asset: Asset) -> str:
    # The campaign may have been paused or cancelled while the video was made.
    campaign = Campaign.objects.select_for_update(of=("self",)).get(pk=turn.campaign.pk)
    if campaign.state == Campaign.State.CANCELLED:
        return turn.settle(State.SKIPPED, campaigns.CANCELLED)
    if campaign.state not in SENDS_ONE:
        return turn.settle(State.WAITING)
    token = links.new_token()
    address = links.address(token)
    choices = preferences.address(preferences.token_behind(token))
    decision, message = _put(turn, _words(turn, address, choices), token)
    if message is None:
        return turn.settle(State.REFUSED, decision.reasons[0]["code"])
    links.mint(
        asset=asset,
        contact=turn.contact,
        message=message,
        token=token,
        not_before=message.not_before,
        expires_at=message.not_before + timedelta(hours=campaign.link_ttl_hours),
        plays_allowed=campaign.plays_allowed,
        at=turn.at,
    )
    turn.recipient.message = message
    if decision.verdict == gate.DEFER:
        return turn.settle(State.DEFERRED, decision.reasons[0]["code"])
    return turn.settle(State.QUEUED)


def _words(turn: _Turn, address: str, choices: str) -> Wording:
    return wording.message(
        channel=turn.campaign.channel,
        language=turn.contact.language,
        sender=turn.campaign.sender_name,
        name=contacts.opened(contact=turn.contact, at=turn.at).name,
        url=address,
        choices=choices,
    )


def _put(turn: _Turn, words: Wording, token: str) -> tuple[Decision, Message | None]:
    campaign, recipient = turn.campaign, turn.recipient
    return outbox.queue(
        contact=turn.contact,
        connection=turn.connection,
        purpose_code=campaign.purpose_code,
        channel=campaign.channel,
        context_type=campaigns.CONTEXT,
        context_id=campaign.pk,
        idempotency_key=f"recipient:{recipient.pk.hex}:{recipient.attempts}",
        subject=words.subject,
        text=words.text,
        content=contents.of(campaign),
        at=turn.at,
        actor=audit.SYSTEM,
        # Whoever holds the link of a video comes to their choices by it, and long after its end.
        behind=token,
    )


def _settle(recipient: Recipient, state: str, code: str, at: datetime) -> str:
    recipient.state, recipient.reason_code = state, code[:80]
    recipient.settled_at = None if state == State.WAITING else at
    recipient.claimed_at = None if state == State.WAITING else recipient.claimed_at
    recipient.save(update_fields=["state", "reason_code", "settled_at", "claimed_at", "message"])
    return state


def _note(recipient: Recipient, at: datetime, actor: Actor) -> None:
    audit.record(
        action="videos.recipient.added",
        at=at,
        actor=actor,
        subject_id=recipient.contact_id,
        object_type="videos.campaign",
        object_id=str(recipient.campaign_id),
    )
