"""How does one person's video come about? On this machine, from the base that everybody shares.

The name is drawn and spoken here and nowhere else. What is the person's own is sealed under a key
of this one video, which stands under the person's key: either's end makes it unreadable.
"""

import hashlib
import io
import threading
import uuid
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from accounts import audit, keys
from accounts.audit import Actor
from accounts.models import DataKey
from config.lib import speech, turns
from config.lib.inventory import DEFAULT_DAYS
from consent import contacts
from consent.models import Contact
from videos import (
    anonymisation,
    base_media,
    captions,
    compositing,
    marks,
    presenters,
    rendering,
    vault,
)
from videos.anonymisation import SlotMissing
from videos.compositing import Composite, Part, Stage
from videos.models import Asset, Campaign, Extent, Render, Script, SealedObject
from videos.namecard import NameCard

# How long a video stays readable after its link has ended.
KEPT_AFTER_LINK = timedelta(days=DEFAULT_DAYS["asset"])
MOST_ATTEMPTS = 5
# Decoded pictures of this many bytes are kept for the next person of the same render.
STAGES_BYTES = 512 << 20


class NotPersonalised(Exception):
    """No video could be made for this person; `code` says why."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True)
class _Making:
    """One person's video in the making."""

    asset: Asset
    contact: Contact
    render: Render
    at: datetime


class _Stages:
    """The stages used last, so that the base is opened and decoded once for many people."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[uuid.UUID, Stage] = OrderedDict()

    def of(self, render: Render, at: datetime) -> Stage:
        with self._lock:
            stage = self._kept.get(render.pk)
            if stage is not None:
                self._kept.move_to_end(render.pk)
                return stage
        stage = compositing.prepare(base=base_media.opened(render=render, at=at))
        with self._lock:
            self._kept[render.pk] = stage
            while len(self._kept) > 1 and sum(map(_size, self._kept.values())) > STAGES_BYTES:
                self._kept.popitem(last=False)
        return stage


_stages = _Stages()


def personalise(*, campaign: Campaign, contact: Contact, at: datetime) -> Asset:
    """Make a person's video of a campaign, or return the one that is there and still fits.

    What cannot be made leaves a row that says why.
    :raises SlotMissing: the person has no value for a slot, and the script no fallback.
    :raises KeyRefused: the person's data or the campaign's video no longer opens.
    :raises NotPersonalised: the base video is not there, or this one cannot be made.
    Law: EU AI Act Art. 50(2) and (4), marked for machines, labelled from the first frame.
    """
    render, script = _source(campaign, contact, at)
    ready = _still_fitting(campaign, contact, render, script, at)
    if ready is not None:
        return ready
    begun = _begin(campaign, contact, render, script, at)
    making = _Making(begun, contact, render, at)
    try:
        return _make(making, script)
    except SlotMissing as missing:
        _fail(making, f"slot_missing:{missing.slot}")
        raise
    except keys.KeyRefused:
        _fail(making, "key_refused")
        raise
    except NotPersonalised as problem:
        _fail(making, problem.code)
        raise


def preview(*, campaign: Campaign, contact: Contact, at: datetime, staff: Actor) -> Asset:
    """Make one chosen person's real video for a marketer to look at; sending uses it later.

    :raises SlotMissing: as `personalise`.
    :raises KeyRefused: as `personalise`.
    :raises NotPersonalised: as `personalise`.
    """
    asset = personalise(campaign=campaign, contact=contact, at=at)
    _record(asset, "videos.preview.made", at, staff)
    return asset


def script_for(*, campaign: Campaign, language: str) -> Script | None:
    """Return the script for a reader of a language: theirs, its parent's, or the campaign's own."""
    rows = Script.objects.filter(campaign=campaign).exclude(text="")
    written = {row.language: row for row in rows}
    wanted = (language, language.partition("-")[0], campaign.default_language)
    return next((written[tag] for tag in wanted if tag in written), None)


def _source(campaign: Campaign, contact: Contact, at: datetime) -> tuple[Render, Script]:
    script = script_for(campaign=campaign, language=contact.language)
    if script is None:
        raise NotPersonalised("no_script")
    render = rendering.current(campaign=campaign, language=script.language)
    if render is None or render.state != Render.State.DONE:
        raise NotPersonalised("not_rendered")
    try:
        presenters.require_of(render=render, campaign=campaign, at=at)
    except presenters.NotReleased as refused:
        raise NotPersonalised(refused.code) from None
    return render, script


def _still_fitting(
    campaign: Campaign, contact: Contact, render: Render, script: Script, at: datetime
) -> Asset | None:
    found = Asset.objects.select_related("campaign", "contact", "render", "key__parent")
    asset = found.filter(campaign=campaign, contact=contact, render=render).first()
    if asset is None or asset.state != Asset.State.READY or asset.key is None:
        return None
    # The words or the person's name may have changed since it was made.
    fits = max(script.updated_at, contact.updated_at) <= asset.created_at
    whole = asset.delete_at > at + timedelta(hours=campaign.link_ttl_hours)
    return asset if fits and whole and keys.opens(key=asset.key, at=at) else None


@transaction.atomic
def _begin(
    campaign: Campaign, contact: Contact, render: Render, script: Script, at: datetime
) -> Asset:
    """Take the person's row; counted before the work, so that no video is tried for ever."""
    ends = at + timedelta(hours=campaign.link_ttl_hours) + KEPT_AFTER_LINK
    facts = {"render": render, "created_at": at, "delete_at": ends}
    held = Asset.objects.select_for_update(of=("self",))
    asset, _ = held.get_or_create(campaign=campaign, contact=contact, defaults=facts)
    if max(script.updated_at, contact.updated_at) > asset.created_at:
        asset.attempts = 0
    if asset.attempts >= MOST_ATTEMPTS:
        raise NotPersonalised(asset.problem or "gave_up")
    for name, value in facts.items():
        setattr(asset, name, value)
    asset.attempts += 1
    asset.state, asset.problem, asset.deleted_at = Asset.State.MAKING, "", None
    asset.save()
    return asset


def _make(making: _Making, script: Script) -> Asset:
    person = contacts.opened(contact=making.contact, at=making.at)
    values = {**person.attributes, "name": person.name}
    lines = anonymisation.personal_lines(script_text=script.text, values=values)
    composite = _marked(making, _compose(making, name=person.name, lines=lines))
    key = _new_key(making)
    head = vault.store(key=key, data=io.BytesIO(composite.head), at=making.at)
    making.asset.mark_name = _read_mark(making, head)
    return _finish(making, key=key, head=head, composite=composite, lines=lines)


def _compose(making: _Making, *, name: str, lines: list[str]) -> Composite:
    render = making.render
    # A stage that is kept in memory must not outlive the key of its campaign.
    if not base_media.is_open(render=render, at=making.at):
        raise NotPersonalised("campaign_closed")
    try:
        parts = _parts(making, name=name, lines=lines)
        # However many workers and previews there are: as many encoders as there are cores.
        with turns.taken(folder=settings.HOME / "tmp", places=turns.cores()):
            composite = _stages.of(render, making.at).personalise(parts=parts)
    except (compositing.NotComposable, speech.SpeechFailed, vault.NotReadable) as problem:
        raise NotPersonalised(_code_of(problem)) from problem
    # A person's head is of use with exactly the tail that is stored.
    if render.tail is None or composite.tail_sha256 != render.tail.sha256:
        raise NotPersonalised("tail_differs")
    return composite


def _parts(making: _Making, *, name: str, lines: list[str]) -> list[Part]:
    """Show the name with the greeting and what is said in the slots after it; speak all of it."""
    cards = [NameCard(name=name, line=making.asset.campaign.sender_name)]
    cards += [NameCard(name=line) for line in lines[1:]]
    language, own = making.render.language, making.contact.language
    spoken = (
        speech.speak(text=line, language=language, name=name, name_language=own) for line in lines
    )
    return [Part(*each) for each in zip(cards, spoken, strict=True)]


def _marked(making: _Making, composite: Composite) -> Composite:
    try:
        return marks.signed(composite=composite, render=making.render, at=making.at)
    except marks.NotMarked:
        raise NotPersonalised("not_marked") from None


def _read_mark(making: _Making, head: SealedObject) -> str:
    """Read what was stored, as a recipient will: an unmarked video is nobody's."""
    try:
        return marks.read_stored(head=head, tail=making.render.tail, at=making.at)
    except marks.NotMarked:
        vault.remove(sealed_object=head, at=making.at)
        raise NotPersonalised("not_marked") from None


@transaction.atomic
def _new_key(making: _Making) -> DataKey:
    asset = _held(making)
    if asset.key is not None:
        keys.destroy(key=asset.key, at=making.at)
    asset.key = keys.create(
        scope=DataKey.Scope.ASSET,
        owner_id=asset.pk,
        at=making.at,
        delete_at=asset.delete_at,
        parent=making.contact.key,
    )
    asset.save(update_fields=["key"])
    return asset.key


@transaction.atomic
def _finish(
    making: _Making, *, key: DataKey, head: SealedObject, composite: Composite, lines: list[str]
) -> Asset:
    asset, at, render = _held(making), making.at, making.render
    former = Extent.objects.filter(asset=asset, number=0).select_related("sealed_object").first()
    for number, part in enumerate([head, render.tail]):
        if part is not None:
            Extent.objects.update_or_create(
                asset=asset,
                number=number,
                defaults={"sealed_object": part, "size_bytes": part.size_bytes},
            )
    if former is not None:
        vault.remove(sealed_object=former.sealed_object, at=at)
    whole = hashlib.sha256(composite.head)
    whole.update(composite.tail)
    asset.captions_sealed = keys.seal(
        key=key,
        plaintext=_captions(render, lines).encode(),
        context=f"videos_asset.captions:{asset.pk}",
        at=at,
    )
    asset.size_bytes, asset.content_sha256 = (
        head.size_bytes + len(composite.tail),
        whole.hexdigest(),
    )
    asset.mark_name, asset.mark_read_at = making.asset.mark_name, at
    asset.state, asset.labelled_ai, asset.attempts = Asset.State.READY, True, 0
    asset.save()
    _record(asset, "videos.asset.made", at, audit.SYSTEM)
    return asset


def _captions(render: Render, lines: list[str]) -> str:
    return captions.for_person(
        base_vtt=render.captions,
        slots=base_media.seconds_of(render.slots_ms),
        lines=lines,
        language=render.language,
    )


def _held(making: _Making) -> Asset:
    """Lock the row again; another worker may have begun anew in the meantime."""
    rows = Asset.objects.select_for_update(of=("self",)).select_related(
        "campaign", "key", "contact"
    )
    asset = rows.get(pk=making.asset.pk)
    if asset.attempts != making.asset.attempts or asset.state != Asset.State.MAKING:
        raise NotPersonalised("taken_over")
    return asset


def _fail(making: _Making, code: str) -> None:
    with transaction.atomic():
        mine = Asset.objects.filter(
            pk=making.asset.pk, attempts=making.asset.attempts, state=Asset.State.MAKING
        )
        if mine.update(state=Asset.State.FAILED, problem=code[:80]):
            _record(making.asset, "videos.asset.failed", making.at, audit.SYSTEM, problem=code)


def _record(asset: Asset, action: str, at: datetime, actor: Actor, **details: str) -> None:
    audit.record(
        action=action,
        at=at,
        actor=actor,
        subject_id=asset.contact_id,
        object_type="videos.asset",
        object_id=str(asset.pk),
        details={"render": str(asset.render_id), **details},
    )


def _code_of(problem: Exception) -> str:
    if isinstance(problem, vault.NotReadable):
        return "base_unreadable"
    return "speech_failed" if isinstance(problem, speech.SpeechFailed) else "not_composable"


def _size(stage: Stage) -> int:
    held = sum(picture.nbytes for take in stage.pictures for picture in take)
    return held + len(stage.base.data) + len(stage.tail)
