"""What may happen to a campaign, and when? From a draft to sent; each step in one transaction."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django_q.tasks import async_task

from accounts import audit, keys
from accounts.audit import Actor
from accounts.models import DataKey, Partner, User
from consent import outbox, purposes
from consent.models import Channel, Message
from videos import anonymisation, audiences, contents, links, rendering
from videos.audiences import audience
from videos.checks import Check, checks
from videos.models import Campaign, Recipient, Render, Script
from videos.progress import Progress, funnel, progress

__all__ = ["Check", "Progress", "audience", "checks", "funnel", "progress"]

State = Campaign.State
CONTEXT = "videos.campaign"
PAUSED, CANCELLED = "campaign_paused", "campaign_cancelled"
EDITABLE = {State.DRAFT, State.READY}
LINK_HOURS = (1, 24 * 90)
PLAYS = (1, 100)
DEVICES = (1, 20)
# A script is searched for the audience's own names; of a large audience, for so many of them.
ENLIST_BATCH = 1000
# The names are the models' own; every value is a parameter.
ENLIST = """INSERT INTO videos_recipient
    (id, campaign_id, contact_id, state, reason_code, attempts, created_at)
    SELECT {number}, %s, people.id, 'waiting', '', 0, %s FROM ({people}) people
    WHERE true ON CONFLICT DO NOTHING"""
NEW_ID = {"postgresql": "gen_random_uuid()", "sqlite": "lower(hex(randomblob(16)))"}
# A round of twenty people, at their slowest, and a place in the queue.
QUIET = timedelta(minutes=10)


class NotACampaign(ValueError):
    """A value that no campaign can have; `field` and `problem` say which and why."""

    def __init__(self, field: str, problem: str) -> None:
        self.field, self.problem = field, problem
        super().__init__(f"{field}: {problem}")


class NotNow(Exception):
    """The campaign's state does not allow this act; the text says what does."""


class NotReady(Exception):
    """A check is red; `checks` says which."""

    def __init__(self, failed: Sequence[Check]) -> None:
        self.checks = list(failed)
        super().__init__(", ".join(check.code for check in failed))


@transaction.atomic
def create(  # noqa: PLR0913  the facts of one row, all named by the caller
    *,
    name: str,
    sender_name: str,
    purpose_code: str,
    channel: str,
    at: datetime,
    actor: Actor,
    default_language: str = "en",
    partner: Partner | None = None,
    created_by: User | None = None,
    link_ttl_hours: int = 168,
    plays_allowed: int = 10,
    devices_allowed: int = 5,
    step_up: str = Campaign.StepUp.NEVER,
) -> Campaign:
    """Make a draft, with a key of its own for the bytes that all its videos share.

    :raises NotACampaign: a value is unusable.
    """
    number = uuid.uuid4()
    campaign = Campaign(
        id=number,
        partner=partner,
        purpose_code=purpose_code,
        default_language=default_language,
        created_by=created_by,
        created_at=at,
    )
    _set(
        campaign,
        name=name,
        sender_name=sender_name,
        channel=channel,
        link_ttl_hours=link_ttl_hours,
        plays_allowed=plays_allowed,
    )
    _set_devices(campaign, devices_allowed, step_up)
    _require_purpose(purpose_code, at)
    campaign.key = keys.create(scope=DataKey.Scope.CAMPAIGN, owner_id=number, at=at)
    campaign.save(force_insert=True)
    _note(campaign, "created", at, actor)
    return campaign


@transaction.atomic
def change(  # noqa: PLR0913  the facts of one row, all named by the caller
    *,
    campaign: Campaign,
    name: str,
    sender_name: str,
    purpose_code: str,
    channel: str,
    link_ttl_hours: int,
    plays_allowed: int,
    at: datetime,
    actor: Actor,
    devices_allowed: int | None = None,
    step_up: str = "",
) -> Campaign:
    """Change what a draft is called, from whom and what for, and how long its links live.

    :raises NotACampaign: a value is unusable.
    :raises NotNow: it is being rendered or has been started.
    """
    held = locked(campaign, *EDITABLE)
    _set(
        held,
        name=name,
        sender_name=sender_name,
        channel=channel,
        link_ttl_hours=link_ttl_hours,
        plays_allowed=plays_allowed,
    )
    allowed = held.devices_allowed if devices_allowed is None else devices_allowed
    _set_devices(held, allowed, step_up or held.step_up)
    _require_purpose(purpose_code, at)
    held.purpose_code = purpose_code
    held.save()
    _note(held, "changed", at, actor)
    return held


@transaction.atomic
def set_devices(
    *,
    campaign: Campaign,
    at: datetime,
    actor: Actor,
    devices_allowed: int | None = None,
    step_up: str | None = None,
) -> Campaign:
    """Choose on how many browsers a link opens by itself, and what the next one meets.

    What is not named stays. Words about special data ask for a code on each, whatever is chosen.
    :raises NotACampaign: a value is unusable.
    :raises NotNow: it is being rendered or has been started.
    """
    held = locked(campaign, *EDITABLE)
    _set_devices(
        held,
        held.devices_allowed if devices_allowed is None else devices_allowed,
        held.step_up if step_up is None else step_up,
    )
    held.save(update_fields=["devices_allowed", "step_up"])
    _note(held, "devices_changed", at, actor)
    return held


@transaction.atomic
def update_script(
    *, campaign: Campaign, language: str, text: str, at: datetime, actor: Actor
) -> Script:
    """Keep the script of one language; empty text takes the language out.

    :raises ScriptRefused: it has a fault of form or something personal; nothing is changed.
    :raises NotNow: the campaign is being rendered or has been started.
    """
    held = locked(campaign, *EDITABLE)
    text = text.replace("\r\n", "\n").strip()
    if text:
        everybody = anonymisation.Everybody(held.partner, at)
        anonymisation.anonymise(script_text=text, language=language, known=everybody)
    script, _ = Script.objects.update_or_create(
        campaign=held, language=language, defaults={"text": text, "updated_at": at}
    )
    # What was rendered belongs to the old words.
    held.state, held.content = State.DRAFT, list(contents.judged(held))
    held.save(update_fields=["state", "content"])
    campaign.content = held.content
    _note(held, "script_changed", at, actor, language=language)
    return script


@transaction.atomic
def set_audience(
    *, campaign: Campaign, filters: Mapping[str, Sequence[str]], at: datetime, actor: Actor
) -> Campaign:
    """Choose whom a campaign is for by `languages`, `countries` and `sources`; none is everyone.

    :raises NotNow: it has been started.
    """
    held = locked(campaign, *EDITABLE)
    held.audience = audiences.clean(filters)
    held.save(update_fields=["audience"])
    _note(held, "audience_changed", at, actor)
    return held


def scripts(campaign: Campaign) -> dict[str, Script]:
    """Return the scripts of a campaign by language, the default one first."""
    rows = Script.objects.filter(campaign=campaign).exclude(text="").order_by("language")
    ordered = sorted(rows, key=lambda row: row.language != campaign.default_language)
    return {row.language: row for row in ordered}


@transaction.atomic
def prepare(*, campaign: Campaign, at: datetime, actor: Actor) -> Campaign:
    """Have the base videos made, once a language, without sending anything.

    :raises NotNow: it has been started, or has no script.
    """
    held = locked(campaign, *EDITABLE)
    if not scripts(held):
        raise NotNow("Write the script first.")
    _render(held, at, actor)
    _note(held, "rendering_started", at, actor)
    return held


@transaction.atomic
def start(*, campaign: Campaign, at: datetime, actor: Actor) -> Campaign:
    """Send a campaign: its base videos are made if they are not there, then person by person.

    :raises NotReady: a check is red.
    :raises NotNow: it has been started before.
    """
    held = locked(campaign, *EDITABLE, State.RENDERING)
    if held.started_at is not None:
        raise NotNow("This campaign has been started already.")
    if failed := [check for check in checks(campaign=held, at=at) if check.state == "bad"]:
        raise NotReady(failed)
    enlist(campaign=held, at=at)
    held.started_at = at
    _render(held, at, actor)
    _note(held, "started", at, actor)
    return held


def enlist(*, campaign: Campaign, at: datetime) -> None:
    """Give everyone of the audience a row, by one statement; who has one keeps it."""
    people, values = audience(campaign).order_by().values("id").query.sql_with_params()
    owner = Campaign._meta.pk.get_db_prep_value(campaign.pk, connection)
    instant = connection.ops.adapt_datetimefield_value(at)
    statement = ENLIST.format(number=NEW_ID[connection.vendor], people=people)
    with connection.cursor() as cursor:
        cursor.execute(statement, [owner, instant, *values])


@transaction.atomic
def settle_renders(*, campaign: Campaign, at: datetime) -> Campaign:
    """Move a campaign on when all of its base videos are there, or back when one has failed."""
    held = Campaign.objects.select_for_update(of=("self",)).get(pk=campaign.pk)
    if held.state == State.RENDERING:
        held.state = _after_renders(held)
        held.save(update_fields=["state"])
    return held


def pause(*, campaign: Campaign, at: datetime, actor: Actor) -> Campaign:
    """Stop sending; what is queued comes back, and goes out with new links after `resume`.

    It holds before the first is taken back, which for many takes minutes: nothing of a paused
    campaign is handed off. What a crash leaves queued goes on after `resume`.
    :raises NotNow: it is not being sent.
    """
    with transaction.atomic():
        held = locked(campaign, State.SENDING, State.RENDERING)
        if held.started_at is None:
            raise NotNow("This campaign has not been started.")
        held.state = State.PAUSED
        held.save(update_fields=["state"])
        _note(held, "paused", at, actor)
    _take_back_queued(held, at, actor)
    return held


@transaction.atomic
def resume(*, campaign: Campaign, at: datetime, actor: Actor) -> Campaign:
    """Go on with a paused campaign where it stopped.

    :raises NotNow: it is not paused.
    """
    held = locked(campaign, State.PAUSED)
    take_back(campaign=held, at=at, actor=actor)
    _render(held, at, actor)
    _note(held, "resumed", at, actor)
    return held


def cancel(*, campaign: Campaign, at: datetime, actor: Actor) -> Campaign:
    """End a campaign: what has not left never leaves; what was sent stays as it is.

    It holds before the queue is emptied: nothing of a cancelled campaign is handed off.
    :raises NotNow: it is over already.
    """
    with transaction.atomic():
        held = locked(campaign, *set(State.values) - {State.DONE, State.CANCELLED})
        left = [Recipient.State.WAITING, Recipient.State.MAKING]
        Recipient.objects.filter(campaign=held, state__in=left).update(
            state=Recipient.State.SKIPPED, reason_code=CANCELLED, settled_at=at
        )
        held.state, held.finished_at = State.CANCELLED, at
        held.save(update_fields=["state", "finished_at"])
        _note(held, "cancelled", at, actor)
    _cancel_queued(held, at, actor)
    return held


@transaction.atomic
def finish(*, campaign: Campaign, at: datetime) -> bool:
    """Call a campaign sent once nobody waits any more; say whether it is."""
    held = Campaign.objects.select_for_update(of=("self",)).get(pk=campaign.pk)
    if held.state != State.SENDING or _has_work(held):
        return False
    held.state, held.finished_at = State.DONE, at
    held.save(update_fields=["state", "finished_at"])
    _note(held, "finished", at, audit.SYSTEM)
    return True


def take_back(*, campaign: Campaign, at: datetime, actor: Actor) -> int:
    """Let those wait again whose message a pause took back; their links never left and end."""
    rows = Recipient.objects.filter(
        campaign=campaign,
        message__problem=PAUSED,
        message__state__in=[Message.State.CANCELLED, Message.State.REFUSED],
    )
    return wait_again(rows=rows, at=at, actor=actor)


def wait_again(*, rows: QuerySet[Recipient], at: datetime, actor: Actor) -> int:
    """Let people wait for their turn anew, a thousand at a time; return how many.

    What they had been queued ends with its links, and what comes has a number of its own.
    """
    count, last = 0, uuid.UUID(int=0)
    while recipients := list(rows.filter(pk__gt=last).order_by("pk")[:ENLIST_BATCH]):
        for recipient in recipients:
            links.revoke_of_message(message_id=recipient.message_id, at=at, actor=actor)
            recipient.state, recipient.message = Recipient.State.WAITING, None
            recipient.reason_code = ""
            recipient.attempts += 1
            recipient.settled_at = recipient.claimed_at = None
        columns = ["state", "message", "reason_code", "attempts", "settled_at", "claimed_at"]
        Recipient.objects.bulk_update(recipients, columns, batch_size=500)
        count, last = count + len(recipients), recipients[-1].pk
    return count


def renders(campaign: Campaign) -> list[Render]:
    """Return the base videos of a campaign's present words, one a language."""
    current = (rendering.current(campaign=campaign, language=one) for one in scripts(campaign))
    return [render for render in current if render is not None]


def work_later(campaign: Campaign) -> None:
    """Have a job go on with the campaign, once the caller's transaction is there to see."""
    async_task("videos.delivery_jobs.work_campaign", str(campaign.pk))


def without_job(*, at: datetime, idle: bool) -> QuerySet[Campaign]:
    """Return the campaigns that a job should go on with: those that are quiet, or all if `idle`.

    One more job for each at every look would fill the queue until nothing else has a turn.
    """
    rows = Campaign.objects.filter(state__in=[State.RENDERING, State.SENDING])
    quiet = Q(worked_at=None) | Q(worked_at__lte=at - QUIET)
    return rows if idle else rows.filter(quiet)


def locked(campaign: Campaign, *states: str) -> Campaign:
    """Lock a campaign's row, so that two clicks are two acts, one after the other.

    :raises NotNow: it is in none of these states.
    """
    held = Campaign.objects.select_for_update(of=("self",)).select_related("partner", "key")
    row = held.get(pk=campaign.pk)
    if row.state not in states:
        word = row.get_state_display().lower()
        raise NotNow(f"This campaign is {word}: that cannot be done now. Nothing was changed.")
    return row


@transaction.atomic
def _take_back_queued(campaign: Campaign, at: datetime, actor: Actor) -> None:
    held = Campaign.objects.select_for_update(of=("self",)).get(pk=campaign.pk)
    # Somebody may have gone on with it, or cancelled it, in between.
    if held.state == State.PAUSED:
        outbox.cancel(context_type=CONTEXT, context_id=held.pk, at=at, actor=actor, reason=PAUSED)
        take_back(campaign=held, at=at, actor=actor)


@transaction.atomic
def _cancel_queued(held: Campaign, at: datetime, actor: Actor) -> None:
    outbox.cancel(context_type=CONTEXT, context_id=held.pk, at=at, actor=actor, reason=CANCELLED)
    for message_id in _messages(held, CANCELLED).iterator(chunk_size=ENLIST_BATCH):
        links.revoke_of_message(message_id=message_id, at=at, actor=actor)


def _messages(campaign: Campaign, problem: str) -> QuerySet[Message, uuid.UUID]:
    rows = Message.objects.filter(context_type=CONTEXT, context_id=campaign.pk, problem=problem)
    return rows.values_list("pk", flat=True)


def _has_work(campaign: Campaign) -> bool:
    # Two questions, each by an index: asked as one, it is a walk over everybody, for every batch.
    left = [Recipient.State.WAITING, Recipient.State.MAKING]
    if Recipient.objects.filter(campaign=campaign, state__in=left).exists():
        return True
    on_the_way = [Message.State.QUEUED, Message.State.HANDING_OFF]
    rows = Message.objects.filter(context_type=CONTEXT, context_id=campaign.pk)
    return rows.filter(state__in=on_the_way).exists()


def _render(held: Campaign, at: datetime, actor: Actor) -> None:
    try:
        for language in scripts(held):
            rendering.start(campaign=held, language=language, at=at, actor=actor)
    except rendering.ScriptRefused:
        raise NotNow("The script has something personal in it. Mend it first.") from None
    except (rendering.NoVendor, rendering.VendorNotAllowed):
        raise NotNow("No AI video provider may be used. Nothing was changed.") from None
    except rendering.NotReleased as refused:
        raise NotNow(f"{refused.words}. Nothing was changed.") from None
    held.state = _after_renders(held)
    # Read anew: the lists of words may have grown since the script was saved.
    held.content = list(contents.judged(held))
    held.save(update_fields=["state", "started_at", "content"])
    work_later(held)


def _after_renders(held: Campaign) -> State:
    made = renders(held)
    states = {render.state for render in made}
    if Render.State.FAILED in states:
        return State.PAUSED if held.started_at else State.DRAFT
    if states == {Render.State.DONE} and len(made) == len(scripts(held)):
        return State.SENDING if held.started_at else State.READY
    return State.RENDERING


def _set(
    campaign: Campaign,
    *,
    name: str,
    sender_name: str,
    channel: str,
    link_ttl_hours: int,
    plays_allowed: int,
) -> None:
    name, sender = " ".join(name.split()), " ".join(sender_name.split())
    if not 1 <= len(name) <= 120:
        raise NotACampaign("name", "Give the campaign a name of up to 120 letters.")
    if not 1 <= len(sender) <= 60 or set(sender) & set("<>{}"):
        raise NotACampaign("sender_name", "Say who sends it, in up to 60 letters.")
    if channel not in Channel.values:
        raise NotACampaign("channel", "Choose e-mail, SMS or WhatsApp.")
    if not LINK_HOURS[0] <= link_ttl_hours <= LINK_HOURS[1]:
        raise NotACampaign("link_ttl_hours", "A link lives between one hour and 90 days.")
    if not PLAYS[0] <= plays_allowed <= PLAYS[1]:
        raise NotACampaign("plays_allowed", "A link can be played between 1 and 100 times.")
    campaign.name, campaign.sender_name, campaign.channel = name, sender, channel
    campaign.link_ttl_hours, campaign.plays_allowed = link_ttl_hours, plays_allowed


def _set_devices(campaign: Campaign, devices_allowed: int, step_up: str) -> None:
    if not DEVICES[0] <= devices_allowed <= DEVICES[1]:
        raise NotACampaign("devices_allowed", "A link opens on 1 to 20 devices by itself.")
    if step_up not in Campaign.StepUp.values:
        raise NotACampaign("step_up", "Say what the next device meets.")
    campaign.devices_allowed, campaign.step_up = devices_allowed, step_up


def _require_purpose(code: str, at: datetime) -> None:
    try:
        purposes.current(code, at)
    except purposes.UnknownPurpose:
        raise NotACampaign("purpose_code", "Choose what the messages are for.") from None


def _note(campaign: Campaign, what: str, at: datetime, actor: Actor, **details: str) -> None:
    audit.record(
        action=f"videos.campaign.{what}",
        at=at,
        actor=actor,
        object_type="videos.campaign",
        object_id=str(campaign.pk),
        details=details,
    )
