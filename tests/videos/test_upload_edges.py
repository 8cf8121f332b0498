"""The page and the API of one's own video: thin, and plain when they refuse."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import Partner
from config.lib import clock
from tests.accounts.staff import browser, caller, partner
from tests.videos import hostile, stage
from tests.videos import vendor as played
from videos import upload_views, uploads
from videos.models import Campaign, Render, Script

pytestmark = pytest.mark.django_db(transaction=True)
CAPTIONS = b"WEBVTT\n\n00:04.000 --> 00:06.000\nSpring is here\n"


@pytest.fixture
def ours() -> Partner:
    return partner("Ours")


@pytest.fixture
def made(ours: Partner) -> Campaign:
    found = stage.campaign(state="draft", partner=ours)
    Script.objects.create(campaign=found, language="en", text=played.TEXT, updated_at=clock.now())
    return found


@pytest.fixture
def marketer() -> Client:
    return browser("marketer")


@pytest.fixture
def machine(ours: Partner) -> Client:
    return caller("messages.write", "messages.read", of=ours)


def form(video: bytes, **changes: object) -> dict[str, object]:
    return {
        "language": "en",
        "video": SimpleUploadedFile("IMG 0042 Zoe.mp4", video, "video/mp4"),
        "captions": SimpleUploadedFile("x.vtt", CAPTIONS, "text/vtt"),
        "made_by": "human",
        **changes,
    }


def page(marketer: Client, made: Campaign, video: bytes, **changes: object) -> Any:
    fields = form(video, **{"slot_seconds": "3", **changes})
    return marketer.post(f"/campaigns/{made.pk}/upload/", fields, follow=True)


def api(machine: Client, made: Campaign, video: bytes, **changes: object) -> Any:
    fields = form(video, slot_ms="3000", **changes)
    return machine.post(f"/api/v1/campaigns/{made.public_id}/video", fields)


def test_a_marketer_brings_a_video_and_takes_it_back(marketer: Client, made: Campaign) -> None:
    answer = page(marketer, made, hostile.good())
    assert answer.status_code == 200
    assert "recorded by people" in answer.content.decode()
    render = Render.objects.get()
    assert (render.slots_ms, render.made_by) == ([[0, 3000]], "human")
    assert "Spring is here" in render.captions
    uploads.advance(render=render, at=clock.now())
    back = marketer.post(f"/campaigns/{made.pk}/upload/take-back/", {"language": "en"}, follow=True)
    assert "taken back" in back.content.decode()


def test_the_page_says_plainly_why_a_file_is_refused(marketer: Client, made: Campaign) -> None:
    answer = page(marketer, made, hostile.FILES["HEVC in an MP4"][0]())
    assert answer.status_code == 400
    assert "must be H.264" in answer.content.decode()
    assert "Nothing was changed" in answer.content.decode()
    assert not Render.objects.exists()


def test_a_slot_longer_than_the_video_is_told_at_its_field(
    marketer: Client, made: Campaign
) -> None:
    answer = page(marketer, made, hostile.good(), slot_seconds="14")
    assert "1 to 15 seconds" in str(answer.context["form"].errors["slot_seconds"])


def test_a_file_that_is_too_large_is_not_held(
    marketer: Client, made: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "LARGEST_BYTES", 0)
    monkeypatch.setattr(upload_views, "BESIDES_BYTES", 1000)
    answer = page(marketer, made, hostile.good())
    assert answer.status_code == 400
    assert "larger than" in answer.content.decode()


def test_the_page_wants_its_token(made: Campaign) -> None:
    strict = browser("marketer")
    strict.handler.enforce_csrf_checks = True
    assert page(strict, made, hostile.good()).status_code == 403
    assert not Render.objects.exists()


def test_a_partner_brings_a_video_and_asks_how_far_it_is(machine: Client, made: Campaign) -> None:
    answer = api(machine, made, hostile.good(), made_by="ai")
    assert (answer.status_code, answer.json()["state"]) == (202, "waiting")
    uploads.advance(render=Render.objects.get(), at=clock.now())
    (told,) = machine.get(f"/api/v1/campaigns/{made.public_id}/video").json()["items"]
    assert (told["state"], told["made_by"], told["problem"]) == ("done", "ai", "")
    assert told["duration_ms"] > 3000


def test_a_partner_is_told_why_a_file_is_refused(machine: Client, made: Campaign) -> None:
    answer = api(machine, made, hostile.FILES["two pictures"][0]())
    assert answer.status_code == 400
    assert "more than one picture track" in answer.content.decode()


def test_anothers_campaign_is_not_there(made: Campaign) -> None:
    stranger = caller("messages.write", "messages.read", of=partner("Theirs"))
    assert api(stranger, made, hostile.good()).status_code == 404
    assert stranger.get(f"/api/v1/campaigns/{made.public_id}/video").status_code == 404


def test_a_campaign_that_was_started_is_a_conflict(machine: Client, made: Campaign) -> None:
    Campaign.objects.filter(pk=made.pk).update(state="sending")
    assert api(machine, made, hostile.good()).status_code == 409
