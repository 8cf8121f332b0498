"""Does a video of one's own become a base like any other, and a hostile one not?"""

import time
from datetime import timedelta

import pytest

from accounts import audit, keys
from accounts.models import TrailLeaf
from tests.videos import hostile, stage
from tests.videos import vendor as played
from tests.videos.vendor import Vendor
from videos import (
    base_media,
    campaigns,
    compositing,
    jobs,
    personalising,
    playback,
    rendering,
    uploads,
    vault,
)
from videos.models import Asset, Campaign, Render, Script, SealedObject
from videos.uploads import NotAnUpload, Upload

pytestmark = pytest.mark.django_db(transaction=True)
AT, LATER = stage.AT, stage.AT + timedelta(hours=2)
STAFF = audit.Actor("staff", "7")
CAPTIONS = "WEBVTT\n\n00:04.000 --> 00:06.000 line:0\n<v Ann><b>Spring</b> is &amp; here</v>\n"


@pytest.fixture
def campaign() -> Campaign:
    made = stage.campaign(state="draft")
    Script.objects.create(campaign=made, language="en", text=played.TEXT, updated_at=AT)
    return made


def received(campaign: Campaign, **changes: object) -> Render:
    facts = {"video": hostile.good(), "captions_vtt": CAPTIONS, "slot_ms": 3000, "made_by": "human"}
    language = str(changes.pop("language", "en"))
    upload = Upload(**{**facts, **changes})  # type: ignore[arg-type]
    return uploads.receive(campaign=campaign, language=language, upload=upload, at=AT, actor=STAFF)


def done(campaign: Campaign, **changes: object) -> Render:
    return uploads.advance(render=received(campaign, **changes), at=AT)


def test_an_upload_becomes_the_base_and_each_person_gets_a_video(campaign: Campaign) -> None:
    render = done(campaign)
    assert (render.state, render.problem, render.connection) == (Render.State.DONE, "", None)
    assert campaigns.settle_renders(campaign=campaign, at=AT).state == Campaign.State.DRAFT
    person = stage.person()
    asset = personalising.personalise(campaign=campaign, contact=person, at=AT)
    assert (asset.state, asset.render_id) == (Asset.State.READY, render.pk)
    # The greeting is a machine's: the label stays, whoever recorded the rest.
    assert asset.labelled_ai
    whole = b"".join(playback.stream(asset=asset, start=0, end=asset.size_bytes, at=AT))
    assert compositing.probe(data=whole).duration_seconds * 1000 == pytest.approx(
        render.duration_ms, abs=50
    )
    captions = playback.captions(asset=asset, at=AT)
    assert "Made with AI" in captions
    assert "Spring is &amp; here" in captions


def test_a_campaign_of_uploads_needs_no_vendor(campaign: Campaign, vendor: Vendor) -> None:
    render = received(campaign)
    ordered = rendering.start(campaign=campaign, language="en", at=AT, actor=STAFF)
    assert ordered.pk == render.pk
    assert campaigns.prepare(campaign=campaign, at=AT, actor=STAFF).state == "rendering"
    uploads.advance(render=render, at=AT)
    assert campaigns.settle_renders(campaign=campaign, at=AT).state == "ready"
    assert vendor.sent == []


def test_an_upload_is_never_sent_to_a_vendor(campaign: Campaign, vendor: Vendor) -> None:
    render = rendering.advance(render=received(campaign), at=AT)
    assert render.state == Render.State.WAITING
    assert vendor.sent == []
    assert rendering.copy_exists(render=render) is None


def test_the_original_is_sealed_and_goes_once_it_is_decoded(campaign: Campaign) -> None:
    render = received(campaign)
    raw = render.base
    assert raw is not None
    assert vault.read(sealed_object=raw, at=AT) == hostile.good()
    uploads.advance(render=render, at=AT)
    raw.refresh_from_db()
    assert raw.state == SealedObject.State.DELETED
    assert list(vault.check_all(at=AT)) == []


def test_the_job_takes_it_and_a_lost_job_is_queued_again(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    render = received(campaign)
    assert list(rendering.waiting(at=LATER)) == [render]
    queued: list[tuple[str, ...]] = []
    monkeypatch.setattr(jobs, "async_task", lambda *task: queued.append(task))
    jobs.requeue_renders()
    assert ("videos.jobs.upload_step", str(render.pk)) in queued
    jobs.upload_step(str(render.pk))
    assert ("videos.delivery_jobs.work_campaign", str(campaign.pk)) in queued
    render.refresh_from_db()
    assert render.state == Render.State.DONE


def test_two_workers_decode_it_once(campaign: Campaign) -> None:
    render = received(campaign)
    assert uploads._claim(render, AT) is not None
    assert uploads._claim(render, AT + timedelta(minutes=1)) is None
    assert uploads._claim(render, AT + timedelta(minutes=7)) is not None


def test_one_that_kills_its_workers_is_given_up(campaign: Campaign) -> None:
    render = received(campaign)
    for _ in range(uploads.MOST_ATTEMPTS):
        Render.objects.filter(pk=render.pk).update(claimed_at=None)
        assert uploads._claim(render, AT) is not None
    after = uploads.advance(render=render, at=LATER)
    assert (after.state, after.problem) == (Render.State.FAILED, "broke")


def test_one_that_does_not_decode_is_refused_and_the_ai_may_go_on(campaign: Campaign) -> None:
    data = bytearray(hostile.good())
    at = data.index(b"mdat") + 4
    data[at:] = hostile.noise(len(data) - at)
    render = done(campaign, video=bytes(data))
    assert render.state == Render.State.FAILED
    assert uploads.words_of(render=render).endswith(".")
    assert render.base is None
    assert rendering.current(campaign=campaign, language="en") is None
    assert {row.state for row in SealedObject.objects.all()} == {SealedObject.State.DELETED}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"made_by": "vendor"}, "bad_kind"),
        ({"language": "xx"}, "bad_language"),
        ({"language": "de"}, "no_script"),
        ({"slot_ms": 0}, "bad_slot"),
        ({"slot_ms": 15_001}, "bad_slot"),
        ({"slot_ms": 14_000}, "bad_slot"),
        ({"captions_vtt": "1\n00:00:01,000 --> 00:00:02,000\nHi"}, "bad_captions"),
        ({"captions_vtt": "WEBVTT\n" * 9000}, "bad_captions"),
        (
            {"captions_vtt": "WEBVTT\n\n00:04.000 --> 00:05.000\nWrite to zoe@example.org\n"},
            "personal_captions",
        ),
        ({"video": b"GIF89a" * 1000}, "not_mp4"),
    ],
)
def test_what_does_not_do_is_refused(
    campaign: Campaign, changes: dict[str, object], code: str
) -> None:
    with pytest.raises(NotAnUpload, match=code) as refused:
        received(campaign, **changes)
    assert refused.value.words.endswith(".")
    assert not SealedObject.objects.exists()


def test_a_hostile_file_leaves_nothing_behind(campaign: Campaign) -> None:
    for make, code in list(hostile.FILES.values())[::9]:
        began, data = time.perf_counter(), make()
        with pytest.raises(NotAnUpload, match=code):
            received(campaign, video=data)
        assert time.perf_counter() - began < 4
    assert not SealedObject.objects.exists()
    assert not Render.objects.exists()


def test_a_campaign_that_was_started_takes_none(campaign: Campaign) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(state="sending")
    campaign.refresh_from_db()
    with pytest.raises(campaigns.NotNow):
        received(campaign)


def test_a_campaign_without_its_key_takes_none(campaign: Campaign) -> None:
    render = received(campaign)
    keys.destroy(key=campaign.key, at=AT)
    with pytest.raises(keys.KeyRefused):
        received(Campaign.objects.get())
    assert uploads.advance(render=render, at=AT).problem == "campaign_closed"


def test_a_presenter_without_a_release_is_not_shown(campaign: Campaign) -> None:
    campaign.presenter_code = "ann"
    with pytest.raises(rendering.NotReleased):
        received(campaign)


def test_one_taken_back_is_the_base_no_more(campaign: Campaign) -> None:
    done(campaign)
    assert uploads.take_back(campaign=campaign, language="en", at=AT, actor=STAFF) == 1
    assert uploads.take_back(campaign=campaign, language="en", at=AT, actor=STAFF) == 0
    assert rendering.current(campaign=campaign, language="en") is None
    (one,) = uploads.latest(campaign=campaign)
    assert uploads.words_of(render=one) == "The video was taken back."


def test_one_taken_back_while_it_is_decoded_stays_so(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal = base_media.seal

    def taken_meanwhile(**facts: object) -> object:
        uploads.take_back(campaign=campaign, language="en", at=AT, actor=STAFF)
        return seal(**facts)  # type: ignore[arg-type]

    monkeypatch.setattr(base_media, "seal", taken_meanwhile)
    assert done(campaign).problem == uploads.TAKEN_BACK


def test_the_newest_upload_counts(campaign: Campaign) -> None:
    first, second = received(campaign), received(campaign, slot_ms=2000)
    Render.objects.filter(pk=second.pk).update(created_at=LATER)
    assert first.pk != second.pk
    assert rendering.current(campaign=campaign, language="en") == second


def test_it_stands_in_the_trail_by_whom_it_was_made(campaign: Campaign) -> None:
    received(campaign, made_by="ai")
    entry = TrailLeaf.objects.get(action="videos.upload.received")
    assert entry.details["made_by"] == "ai"
    assert "video" not in entry.details
