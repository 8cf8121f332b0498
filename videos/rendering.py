"""The door to AI: the only module that calls a video vendor (promises 2 and 3).

It takes nothing but an `AnonymousScript`, writes the manifest before the socket opens, brings the
video home, has the vendor's copy deleted and looks that it is gone. Called by campaigns and jobs;
`advance` takes one step and may be called again after any crash.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django_q.tasks import async_task

from accounts import keys
from accounts.audit import Actor
from config.lib import logs
from integrations import connections
from integrations.models import Connection
from integrations.video.base import Moved, NotFound, ProviderError, VideoProvider
from integrations.video.providers import NoSuchProvider, provider_for
from videos import (
    agreements,
    anonymisation,
    base_media,
    egress,
    incidents,
    presenters,
    vendor_terms,
)
from videos.anonymisation import AnonymousScript, NotAnonymous, ScriptRefused
from videos.base_media import Delivery, NotAsOrdered
from videos.models import Campaign, DeletionReceipt, EgressManifest, Render, Script
from videos.presenters import NotReleased
from videos.vendor_terms import VendorNotAllowed

__all__ = ["NoScript", "NoVendor", "NotReleased", "ScriptRefused", "VendorNotAllowed"]

State = Render.State
UNFINISHED = (State.WAITING, State.SUBMITTED, State.FETCHED)
# A step that took longer than this has died with its process.
LEASE = timedelta(minutes=5)
# Jobs watch a render every second; one that nobody watched for so long has lost its job.
QUIET = timedelta(minutes=2)
MOST_ATTEMPTS = 5
# A vendor that fails is asked ever more rarely; less than QUIET, so that its job is not lost.
LONGEST_PAUSE = timedelta(seconds=100)
GIVE_UP_AFTER = timedelta(hours=24)
# When the vendor is asked again whether its copy is gone, counted from the deletion.
LOOK_AGAIN_AFTER = (timedelta(hours=1), timedelta(hours=24))
TRANSIENT, PERMANENT = "transient:", "permanent:"

log = logs.get(__name__)


class NoVendor(Exception):
    """No AI video provider is connected and in use."""


class NoScript(Exception):
    """The campaign has no script in this language."""


@transaction.atomic
def start(*, campaign: Campaign, language: str, at: datetime, actor: Actor) -> Render:
    """Order the base video of a campaign in one language; once ordered, the same row comes back.

    A failed one is ordered again. Nothing leaves here: a job does the rest.
    :raises NoScript: there is none in this language.
    :raises ScriptRefused: something personal stands in its fixed text.
    :raises NoVendor: no provider is connected.
    :raises VendorNotAllowed: its agreement does not cover this.
    :raises NotReleased: the presenter's release does not cover this.
    Law: GDPR Art. 25 and 28(3); BIPA 740 ILCS 14/15(b).
    """
    script = _script_of(campaign, language, searched_at=at)
    presenters.require(
        presenter_code=campaign.presenter_code,
        language=language,
        purpose_code=campaign.purpose_code,
        at=at,
    )
    own = uploaded(campaign=campaign, language=language)
    if own is not None:
        return own
    connection = connections.usable(kind=Connection.Kind.VIDEO).first()
    if connection is None:
        raise NoVendor
    vendor = _provider(connection)
    vendor_terms.require(connection=connection, vendor=vendor, at=at, is_order=True)
    render, is_new = Render.objects.get_or_create(
        campaign=campaign,
        language=language,
        script_sha256=script.sha256,
        presenter_code=campaign.presenter_code,
        defaults={"connection": connection, "created_at": at},
    )
    if is_new or _order_again(render, connection, at):
        egress.note(render, "ordered", at, actor, script=script.sha256, language=language)
        async_task("videos.jobs.render_step", str(render.pk))
    return render


def advance(*, render: Render, at: datetime, is_woken: bool = False) -> Render:
    """Take the next step of a render, if nobody else is taking it; not inside a transaction.

    A vendor is asked at its own pace, unless it has woken us itself (`is_woken`).
    Law: GDPR Art. 28(3)(g), deletion by the processor.
    """
    claimed = _claim(render, at) if is_woken or _is_time(render, at) else None
    if claimed is not None:
        try:
            _STEPS[claimed.state](claimed, _vendor_of(claimed), at)
        except ProviderError as error:
            _note_moved(claimed, error, at)
            _note_failure(claimed, error.outcome, error.code, at)
        except (VendorNotAllowed, NotReleased) as refused:
            _note_failure(claimed, "permanent", refused.code, at)
    render.refresh_from_db()
    return render


def observe_again(*, at: datetime) -> int:
    """Look again, an hour and a day after each deletion, whether the copy is gone; return how many.

    A copy that came back, or that nobody could look for, opens an incident. What nobody looked for
    in time, since no worker ran, is looked for late.
    """
    rows = DeletionReceipt.objects.select_related("render__connection", "manifest")
    due = rows.filter(deleted_at__lte=at - LOOK_AGAIN_AFTER[0])
    seen = DeletionReceipt.objects.filter(
        manifest=OuterRef("manifest"),
        deleted_at=OuterRef("deleted_at"),
        observed_at__gte=OuterRef("deleted_at") + LOOK_AGAIN_AFTER[-1],
    )
    firsts = due.filter(~Exists(seen), observed_at=F("deleted_at"), observed_absent=True)
    return sum(_observe(first, at) for first in list(firsts) if _is_look_due(first, at))


def copy_exists(*, render: Render) -> bool | None:
    """Ask the vendor now whether it still holds anything of a render's calls; None: no answer."""
    try:
        vendor = _vendor_of(render)
        return any(vendor.exists(job_id=job_id) for job_id in render.vendor_jobs.values())
    except (ProviderError, VendorNotAllowed):
        return None


def uploaded(*, campaign: Campaign, language: str) -> Render | None:
    """Return the newest uploaded video of a language that was not refused or taken back."""
    own = Render.objects.exclude(made_by=Render.MadeBy.VENDOR).exclude(state=State.FAILED)
    rows = own.select_related("campaign__key", "base__key", "tail__key")
    return rows.filter(campaign=campaign, language=language).order_by("created_at", "id").last()


def vendor_of(connection: Connection) -> VideoProvider | None:
    """Return the provider of an account, to say what it is; None without an adapter."""
    try:
        return _provider(connection)
    except VendorNotAllowed:
        return None


def order_of(*, script: AnonymousScript) -> tuple[str, str] | None:
    """Return who would make it, and the order in that vendor's own shape; nothing leaves here.

    None where the request leaves as it is, or nobody is connected.
    """
    connection = connections.usable(kind=Connection.Kind.VIDEO).first()
    vendor = vendor_of(connection) if connection else None
    text = vendor.shown(body=script.body) if vendor else ""
    return (connection.label, text) if connection and text else None


def current(*, campaign: Campaign, language: str) -> Render | None:
    """Return what a language's base video is: an uploaded one, or that of the present words."""
    own = uploaded(campaign=campaign, language=language)
    if own is not None:
        return own
    try:
        script = _script_of(campaign, language)
    except (NoScript, ScriptRefused):
        return None
    rows = Render.objects.select_related("campaign__key", "base__key", "tail__key")
    return rows.filter(
        campaign=campaign,
        language=language,
        script_sha256=script.sha256,
        presenter_code=campaign.presenter_code,
    ).first()


def waiting(*, at: datetime) -> QuerySet[Render]:
    """Return the unfinished renders, uploads too, at which nobody has worked for some minutes."""
    quiet = Q(stepped_at=None, created_at__lte=at - QUIET) | Q(stepped_at__lte=at - QUIET)
    free = Q(claimed_at=None) | Q(claimed_at__lte=at - LEASE)
    return Render.objects.filter(quiet, free, state__in=UNFINISHED)


def is_finished(render: Render) -> bool:
    """Say whether no step is left."""
    return render.state not in UNFINISHED


def _script_of(
    campaign: Campaign, language: str, *, searched_at: datetime | None = None
) -> AnonymousScript:
    row = Script.objects.filter(campaign=campaign, language=language).exclude(text="").first()
    if row is None:
        raise NoScript(language)
    everybody = searched_at and anonymisation.Everybody(campaign.partner, searched_at)
    return anonymisation.anonymise(script_text=row.text, language=language, known=everybody or None)


def _account_of(render: Render) -> Connection:
    # An uploaded video has none: it is never sent to anybody.
    if render.connection is None:
        raise VendorNotAllowed("uploaded")
    return render.connection


def _vendor_of(render: Render) -> VideoProvider:
    return _provider(_account_of(render))


def _provider(connection: Connection) -> VideoProvider:
    try:
        return provider_for(connection)
    except NoSuchProvider:
        raise VendorNotAllowed("no_such_provider") from None


def _order_again(render: Render, connection: Connection, at: datetime) -> bool:
    again = Render.objects.filter(pk=render.pk, state=State.FAILED).update(
        state=State.WAITING,
        connection=connection,
        vendor_job_id="",
        attempts=0,
        claimed_at=None,
        problem="",
        stepped_at=None,
        created_at=at,
        finished_at=None,
    )
    render.refresh_from_db()
    return bool(again)


def _is_time(render: Render, at: datetime) -> bool:
    vendor = vendor_of(render.connection) if render.connection else None
    if vendor is None or render.stepped_at is None:
        return True
    asks = render.state == State.SUBMITTED or render.attempts > 0
    pause = timedelta(seconds=vendor.poll_seconds * 2 ** min(render.attempts, 8) if asks else 0)
    return at >= render.stepped_at + min(pause, LONGEST_PAUSE)


def _claim(render: Render, at: datetime) -> Render | None:
    # Counted before the work: a step that kills its process is not begun for ever.
    free = Q(claimed_at=None) | Q(claimed_at__lte=at - LEASE)
    made_there = Render.objects.filter(made_by=Render.MadeBy.VENDOR, state__in=UNFINISHED)
    taken = made_there.filter(free, pk=render.pk).update(claimed_at=at, attempts=F("attempts") + 1)
    if not taken:
        return None
    return Render.objects.select_related("campaign__key", "connection").get(pk=render.pk)


def _submit(render: Render, provider: VideoProvider, at: datetime) -> None:
    """Send the anonymous script, unless a crash hides that it was sent already."""
    try:
        # Searched again: who was added since the order is not named either.
        script = _script_of(render.campaign, render.language, searched_at=at)
    except ScriptRefused as refused:
        if refused.must_wait:
            return egress.step_done(render)
        return egress.fail(render=render, problem="script_refused", at=at)
    except NoScript:
        return egress.fail(render=render, problem="script_changed", at=at)
    if script.sha256 != render.script_sha256:
        return egress.fail(render=render, problem="script_changed", at=at)
    manifest = egress.unanswered(render)
    if manifest is not None and _take_found(render, provider, script, manifest, at):
        return None
    if render.attempts > MOST_ATTEMPTS or render.problem.startswith(PERMANENT):
        return egress.fail(render=render, problem=render.problem or "gave_up", at=at)
    presenters.require_of(render=render, campaign=render.campaign, at=at)
    account = _account_of(render)
    vendor_terms.read_setting(connection=account, vendor=provider, at=at)
    allowed = vendor_terms.require(connection=account, vendor=provider, at=at)
    manifest = egress.declare(render=render, vendor=provider, script=script, allowed=allowed, at=at)
    job_id = _create(provider, script)
    return egress.note_submitted(render=render, manifest=manifest, job_id=job_id, at=at)


def _create(provider: VideoProvider, script: AnonymousScript) -> str:
    """Open the socket: the one place from which anything leaves for an AI."""
    may_leave = isinstance(script, AnonymousScript) and script.searched
    if not may_leave or hashlib.sha256(script.body).hexdigest() != script.sha256:
        raise NotAnonymous("only what videos.anonymisation made may leave")
    return provider.create(body=script.body)


def _take_found(
    render: Render,
    provider: VideoProvider,
    script: AnonymousScript,
    manifest: EgressManifest,
    at: datetime,
) -> bool:
    """Settle a call whose answer was lost: take over its job, or have an officer look for it."""
    found = provider.find(body=script.body)
    # Where a vendor cannot say, its answer that it took nothing has to be believed.
    if found is None and not render.problem.startswith((TRANSIENT, PERMANENT)):
        kind, place = egress.COPY_UNKNOWN, egress.MANIFEST
        incidents.open_once(kind=kind, object_type=place, object_id=manifest.pk, at=at)
        egress.fail(render=render, problem=egress.COPY_UNKNOWN, at=at)
        return True
    taken = Render.objects.filter(connection=render.connection, vendor_job_id__in=found or [])
    others = set(taken.values_list("vendor_job_id", flat=True))
    own = [job for job in found or [] if job not in others]
    if own:
        egress.note_submitted(render=render, manifest=manifest, job_id=own[0], at=at)
    return bool(own)


def _collect(render: Render, provider: VideoProvider, at: datetime) -> None:
    """Bring the finished video home; what cannot be used is deleted at the vendor all the same."""
    if render.attempts > MOST_ATTEMPTS or at > render.created_at + GIVE_UP_AFTER:
        return egress.note_fetched(render=render, at=at, problem=render.problem or "gave_up")
    try:
        status = provider.poll(job_id=render.vendor_job_id)
        if status.state == "done":
            return _fetch(render, provider, at)
    except NotFound:
        return egress.note_fetched(render=render, at=at, problem="vendor_lost_job")
    if status.state == "failed":
        return egress.note_fetched(render=render, at=at, problem="vendor_failed")
    return egress.step_done(render)


def _fetch(render: Render, provider: VideoProvider, at: datetime) -> None:
    came = provider.fetch(job_id=render.vendor_job_id, body=egress.ordered_body(render))
    delivery = Delivery(came.video, came.captions_vtt, came.slots_ms, came.duration_ms)
    try:
        base_media.check(delivery=delivery, slots_ms=egress.ordered_slots_ms(render))
        base, tail = base_media.seal(
            delivery=delivery, language=render.language, key=render.campaign.key, at=at
        )
    except NotAsOrdered as refused:
        problem = f"not_as_ordered:{refused.code}"
        return egress.note_fetched(render=render, at=at, problem=problem)
    except keys.KeyRefused:
        return egress.note_fetched(render=render, at=at, problem="campaign_closed")
    return egress.note_fetched(
        render=render,
        at=at,
        base=base,
        tail=tail,
        captions=delivery.captions_vtt,
        slots_ms=delivery.slots_ms,
        duration_ms=delivery.duration_ms,
    )


def _delete(render: Render, provider: VideoProvider, at: datetime) -> None:
    """Have the vendor's copy deleted and look that it is gone."""
    deletion = provider.delete(job_id=render.vendor_job_id)
    absent = not provider.exists(job_id=render.vendor_job_id)
    egress.note_deletion(render=render, vendor=provider, deletion=deletion, absent=absent, at=at)


def _note_moved(render: Render, error: ProviderError, at: datetime) -> None:
    about = render.connection_id
    if isinstance(error, Moved) and about is not None:
        incidents.open_once(
            kind=vendor_terms.MOVED, object_type=agreements.CONNECTION, object_id=about, at=at
        )


def _note_failure(render: Render, outcome: str, code: str, at: datetime) -> None:
    problem = f"{outcome}:{re.sub(r'[^a-z0-9_.]', '_', code.lower())[:80]}"
    log.warning("videos.render.step_failed", render_id=str(render.pk), problem=problem)
    nothing_left = render.state == State.WAITING and egress.unanswered(render) is None
    if outcome == "permanent" and nothing_left:
        return egress.fail(render=render, problem=problem, at=at)
    if outcome == "permanent" and render.state == State.SUBMITTED:
        return egress.note_fetched(render=render, at=at, problem=problem)
    if render.state == State.FETCHED:
        # Why the video cannot be used, if so, stays; the copy is what an officer must see.
        egress.open_incident(egress.DELETE_FAILED, render, at)
        problem = render.problem
    Render.objects.filter(pk=render.pk).update(claimed_at=None, stepped_at=at, problem=problem)
    return None


def _is_look_due(first: DeletionReceipt, at: datetime) -> bool:
    looks = DeletionReceipt.objects.filter(manifest=first.manifest, deleted_at=first.deleted_at)
    last_look = max(looks.values_list("observed_at", flat=True))
    return any(last_look < first.deleted_at + delay <= at for delay in LOOK_AGAIN_AFTER)


def _observe(first: DeletionReceipt, at: datetime) -> bool:
    job_id = first.render.vendor_jobs.get(str(first.manifest_id), "")
    try:
        absent = not _vendor_of(first.render).exists(job_id=job_id)
    except (ProviderError, VendorNotAllowed):
        log.warning("videos.copy.not_observed", render_id=str(first.render_id))
        if at > first.deleted_at + LOOK_AGAIN_AFTER[-1] + LOOK_AGAIN_AFTER[0]:
            egress.open_incident(egress.NOT_OBSERVED, first.render, at)
        return False
    egress.note_look(first=first, absent=absent, at=at)
    return True


_STEPS: Mapping[str, Callable[[Render, VideoProvider, datetime], None]] = {
    State.WAITING: _submit,
    State.SUBMITTED: _collect,
    State.FETCHED: _delete,
}
