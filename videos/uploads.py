"""May a video of our own be the base, in place of one an AI made? Judged before it is decoded.

`receive` walks the file's boxes and seals it; a job (`advance`) has a confined child decode it and
code it again, so that no byte of the original reaches a recipient or a decoder of ours. What comes
of that goes the way of every base video. Nothing of it leaves for a vendor. It says by whom it was
made; the greeting is spoken by a machine in either case, so that the label "Made with AI" stays.
"""

import html
import io
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django_q.tasks import async_task

from accounts import audit, keys
from accounts.audit import Actor
from config.lib import mp4_gate, reencoding, webvtt
from videos import anonymisation, base_media, campaigns, languages, presenters, vault
from videos.base_media import Delivery, NotAsOrdered
from videos.campaigns import EDITABLE, NotNow
from videos.models import Campaign, Render, SealedObject

State, MadeBy = Render.State, Render.MadeBy
SHORTEST_SLOT_MS, LONGEST_SLOT_MS = 1_000, 15_000
LARGEST_CAPTIONS_SIGNS = 60_000
# Captions are searched in pieces that overlap by half.
SCANNED_SIGNS = 4_000
LARGEST_BYTES = mp4_gate.LARGEST_BYTES
# A step that took longer than this has died with its process.
LEASE = timedelta(minutes=6)
MOST_ATTEMPTS = 3
TAKEN_BACK = "taken_back"

WORDS = {
    "no_script": "Write the script of this language first: its first sentence greets each person.",
    "bad_language": "Choose a language of the campaign.",
    "bad_slot": "The greeting takes 1 to 15 seconds at the start, and ends before the video does.",
    "bad_kind": "Say whether people recorded the video or an AI made it.",
    "bad_captions": "The captions must be a WebVTT file of up to 60,000 signs.",
    "personal_captions": "The captions name somebody. They are shown to everybody: take it out.",
    "campaign_closed": "The campaign has been closed.",
    "too_slow": "The video took too long to decode. Export it smaller.",
    "broke": "The video could not be decoded.",
    "not_decodable": "The video could not be decoded.",
    "no_picture": "There is no picture in the file.",
    TAKEN_BACK: "The video was taken back.",
    **mp4_gate.WORDS,
}

_CUE = re.compile(
    r"(?:(\d{1,2}):)?(\d{2}):(\d{2})\.(\d{3}) +--> +(?:(\d{1,2}):)?(\d{2}):(\d{2})\.(\d{3})[^\n]*\n"
    r"((?:[^\n]+\n?)+)"
)
_TAG = re.compile(r"<[^>]{0,200}>")


class NotAnUpload(Exception):
    """The video is not taken; `code` says why, `words` say it plainly."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.words = WORDS[code]
        super().__init__(code)


@dataclass(frozen=True)
class Upload:
    """What came: a file, its captions ("" for none), by whom it was made.

    The first `slot_ms` milliseconds are each person's.
    """

    video: bytes
    captions_vtt: str
    slot_ms: int
    made_by: str


def receive(
    *, campaign: Campaign, language: str, upload: Upload, at: datetime, actor: Actor
) -> Render:
    """Take a video of our own as the base of a campaign in one language; a job decodes it.

    Not inside a transaction.
    :raises NotAnUpload: its boxes, its slot, its captions or what is said of it do not do.
    :raises NotReleased: the presenter's release does not cover this language or purpose.
    :raises NotNow: the campaign has been started.
    :raises KeyRefused: the campaign's key is gone.
    Law: EU AI Act Art. 50(4); BIPA 740 ILCS 14/15(b).
    """
    captions = _judged(campaign, language, upload)
    presenters.require(
        presenter_code=campaign.presenter_code,
        language=language,
        purpose_code=campaign.purpose_code,
        at=at,
    )
    if campaign.state not in EDITABLE:
        raise NotNow("An upload is over once a campaign has been started. Nothing was changed.")
    stored = vault.store(key=campaign.key, data=io.BytesIO(upload.video), at=at)
    return _keep(
        Render(
            campaign=campaign,
            language=language,
            # It is no script's: each upload is one of its own.
            script_sha256=f"upload:{stored.pk}"[:64],
            presenter_code=campaign.presenter_code,
            made_by=upload.made_by,
            base=stored,
            captions=captions,
            slots_ms=[[0, upload.slot_ms]],
            created_at=at,
        ),
        at,
        actor,
    )


def advance(*, render: Render, at: datetime) -> Render:
    """Have an upload decoded and sealed, if nobody else is at it; not inside a transaction."""
    claimed = _claim(render, at)
    if claimed is not None and claimed.base is not None:
        try:
            _finish(claimed, _delivery(claimed, at), at)
        except (reencoding.NotDecodable, NotAsOrdered, mp4_gate.Refused) as refused:
            _fail(claimed, refused.code, at)
        except (keys.KeyRefused, vault.NotReadable):
            _fail(claimed, "campaign_closed", at)
    render.refresh_from_db()
    return render


@transaction.atomic
def take_back(*, campaign: Campaign, language: str, at: datetime, actor: Actor) -> int:
    """Let the AI make a language's base again, in place of the uploads; return how many there were.

    :raises NotNow: the campaign has been started.
    """
    held = campaigns.locked(campaign, *EDITABLE)
    rows = Render.objects.exclude(made_by=MadeBy.VENDOR).exclude(state=State.FAILED)
    taken = rows.filter(campaign=held, language=language).update(
        state=State.FAILED, problem=TAKEN_BACK, finished_at=at
    )
    if taken:
        held.state = campaigns.State.DRAFT
        held.save(update_fields=["state"])
        _note(held, "taken_back", at, actor, language=language)
    return taken


def latest(*, campaign: Campaign) -> list[Render]:
    """Return the newest upload of each language, refused or not."""
    rows = Render.objects.exclude(made_by=MadeBy.VENDOR).filter(campaign=campaign)
    newest = {row.language: row for row in rows.order_by("created_at", "id")}
    return [newest[language] for language in sorted(newest)]


def words_of(*, render: Render) -> str:
    """Say plainly why an upload was refused; "" if it was not."""
    return WORDS.get(render.problem, "The video cannot be used.") if render.problem else ""


def _judged(campaign: Campaign, language: str, upload: Upload) -> str:
    """Judge what can be judged without decoding; return the captions as they are kept."""
    if upload.made_by not in {MadeBy.AI, MadeBy.HUMAN}:
        raise NotAnUpload("bad_kind")
    if language not in languages.NAMES:
        raise NotAnUpload("bad_language")
    if language not in campaigns.scripts(campaign):
        raise NotAnUpload("no_script")
    if not SHORTEST_SLOT_MS <= upload.slot_ms <= LONGEST_SLOT_MS:
        raise NotAnUpload("bad_slot")
    try:
        shape = mp4_gate.look(data=upload.video)
    except mp4_gate.Refused as refused:
        raise NotAnUpload(refused.code) from None
    if upload.slot_ms > shape.duration_seconds * 1000:
        raise NotAnUpload("bad_slot")
    return _captions(upload.captions_vtt, language)


def _captions(text: str, language: str) -> str:
    """Write a stranger's captions anew: times and words come through, and nothing else."""
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if not plain.strip():
        return "WEBVTT\n\n"
    if not plain.startswith("WEBVTT") or len(plain) > LARGEST_CAPTIONS_SIGNS:
        raise NotAnUpload("bad_captions")
    cues = []
    for found in _CUE.finditer(plain):
        start, end, words = (
            _seconds(found, 1),
            _seconds(found, 5),
            html.unescape(_TAG.sub("", found[9])),
        )
        cues.append((start, end, words))
    _require_nobody(" ".join(words for _, _, words in cues), language)
    written = (
        webvtt.cue(start_seconds=start, end_seconds=end, text=words) for start, end, words in cues
    )
    return "WEBVTT\n\n" + "".join(written)


def _seconds(found: re.Match[str], first: int) -> float:
    hours, minutes, seconds, thousandths = (int(found[first + n] or 0) for n in range(4))
    return hours * 3600 + minutes * 60 + seconds + thousandths / 1000


def _require_nobody(words: str, language: str) -> None:
    # They are stored and shown as everybody's, like the fixed part of a script.
    for start in range(0, len(words), SCANNED_SIGNS // 2):
        part = words[start : start + SCANNED_SIGNS].encode()
        if anonymisation.judge_body(body=part, language=language):
            raise NotAnUpload("personal_captions")


@transaction.atomic
def _keep(render: Render, at: datetime, actor: Actor) -> Render:
    held = campaigns.locked(render.campaign, *EDITABLE)
    render.save(force_insert=True)
    held.state = campaigns.State.DRAFT
    held.save(update_fields=["state"])
    _note(
        held,
        "received",
        at,
        actor,
        render=str(render.pk),
        language=render.language,
        made_by=render.made_by,
    )
    async_task("videos.jobs.upload_step", str(render.pk))
    return render


def _claim(render: Render, at: datetime) -> Render | None:
    # Counted before the work: a file that kills its process is not tried for ever.
    free = Q(claimed_at=None) | Q(claimed_at__lte=at - LEASE)
    waiting = Render.objects.filter(pk=render.pk, state=State.WAITING)
    taken = waiting.exclude(made_by=MadeBy.VENDOR).filter(free)
    if not taken.update(claimed_at=at, attempts=F("attempts") + 1):
        return None
    row = Render.objects.select_related("campaign__key", "base__key__parent").get(pk=render.pk)
    if row.attempts > MOST_ATTEMPTS:
        _fail(row, "broke", at)
        return None
    return row


def _delivery(render: Render, at: datetime) -> Delivery:
    assert render.base is not None  # noqa: S101 for the type checker; `advance` looked
    raw = vault.read(sealed_object=render.base, at=at)
    mp4_gate.look(data=raw)
    slot_ms = render.slots_ms[0][1]
    clean = reencoding.reencode(data=raw, slot_ms=slot_ms)
    delivery = Delivery(clean.video, render.captions, render.slots_ms, clean.duration_ms)
    base_media.check(delivery=delivery, slots_ms=[slot_ms])
    return delivery


def _finish(render: Render, delivery: Delivery, at: datetime) -> None:
    raw = render.base
    base, tail = base_media.seal(
        delivery=delivery,
        language=render.language,
        key=render.campaign.key,
        at=at,
        # What people recorded must not be called an AI's; the greeting in it carries its own label.
        made_by_ai=render.made_by != Render.MadeBy.HUMAN,
    )
    with transaction.atomic(durable=True):
        # Somebody may have taken it back while it was decoded; then these are swept.
        mine = Render.objects.filter(pk=render.pk, state=State.WAITING, claimed_at=at)
        if not mine.update(
            state=State.DONE,
            base=base,
            tail=tail,
            duration_ms=delivery.duration_ms,
            claimed_at=None,
            stepped_at=at,
            finished_at=at,
        ):
            return
        _remove(raw, at)
        _note(render.campaign, "ready", at, audit.SYSTEM, render=str(render.pk))


@transaction.atomic(durable=True)
def _fail(render: Render, code: str, at: datetime) -> None:
    raw = render.base
    mine = Render.objects.filter(pk=render.pk, state=State.WAITING)
    if mine.update(
        state=State.FAILED, base=None, problem=code[:200], claimed_at=None, finished_at=at
    ):
        _remove(raw, at)
        _note(render.campaign, "refused", at, audit.SYSTEM, render=str(render.pk), problem=code)


def _remove(raw: SealedObject | None, at: datetime) -> None:
    if raw is not None:
        vault.remove(sealed_object=raw, at=at)


def _note(campaign: Campaign, what: str, at: datetime, actor: Actor, **details: str) -> None:
    audit.record(
        action=f"videos.upload.{what}",
        at=at,
        actor=actor,
        object_type="videos.campaign",
        object_id=str(campaign.pk),
        details=details,
    )
