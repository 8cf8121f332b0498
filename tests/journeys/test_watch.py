"""Does the link play in a real browser, on a phone, with and without scripts, until it is ended?"""

import re

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts import audit
from config.lib import clock
from consent.models import Contact
from tests.browser import opened
from tests.journeys import real
from videos import links
from videos.models import Link, Play, Render

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PLAYED = """(video, to) => new Promise(done => {
  const look = () => video.currentTime > (to ?? 0.4) ? done(true) : requestAnimationFrame(look);
  look();
})"""
SEEK = """(video, to) => new Promise(done => {
  video.addEventListener("seeked", () => done(video.currentTime), {once: true});
  video.currentTime = to;
})"""
CUES = "video => [...video.textTracks[0].activeCues].map(cue => cue.text).join(' ')"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def size_of(page: Page) -> list[int]:
    found: list[int] = page.eval_on_selector("video", "v => [v.videoWidth, v.videoHeight]")
    return found


def test_one_tap_plays_and_seeks_over_each_splice_with_captions(
    phone: Page, live_server: LiveServer
) -> None:
    phone.goto(live_server.url + real.link_path(text=real.TWO_SLOTS))
    expect(phone.get_by_role("heading", name="A video for you from Aurora Travel")).to_be_visible()
    assert Play.objects.count() == 0
    phone.get_by_role("button", name="Play the video").tap()
    video = phone.locator("video")
    assert video.evaluate(PLAYED)
    assert size_of(phone)[0] >= 1280
    duration = float(video.evaluate("v => v.duration"))
    assert abs(float(video.evaluate(SEEK, duration - 1)) - (duration - 1)) < 0.5
    (_, first_ms), (second_ms, end_ms) = Render.objects.get().slots_ms
    for edge in (end_ms, second_ms, first_ms):
        video.evaluate(SEEK, edge / 1000 - 0.3)
        assert video.evaluate(PLAYED, edge / 1000 + 0.2)
    for start_ms, words in ((0, "Hello Zoë Ångström."), (second_ms, "Yes, Zoë Ångström, for you")):
        video.evaluate(SEEK, start_ms / 1000 + 0.5)
        assert words in str(video.evaluate(CUES))
    assert video.evaluate("v => [v.error, v.textTracks[0].mode]") == [None, "showing"]
    assert (Play.objects.count(), Link.objects.get().plays) == (1, 1)


def test_a_browser_that_runs_scripts_and_taps_nothing_plays_nothing(
    phone: Page, live_server: LiveServer
) -> None:
    phone.goto(live_server.url + real.link_path(), wait_until="networkidle")
    phone.evaluate("document.querySelector('form[data-play]').submit()")
    expect(phone.get_by_role("button", name="Play the video")).to_be_visible()
    assert (Play.objects.count(), Link.objects.get().plays) == (0, 0)


def test_it_works_without_scripts(chromium: Browser, live_server: LiveServer) -> None:
    path = real.link_path()
    with opened(chromium, java_script_enabled=False, **PHONE) as page:
        page.goto(live_server.url + path)
        page.get_by_role("button", name="Play the video").tap()
        page.wait_for_url(re.compile("/watch$"))
        expect(page.locator("video[controls] track[kind=captions][default]")).to_have_count(1)
        with page.expect_download() as receipt:
            page.get_by_role("link", name="Your consent receipt").tap()
        assert receipt.value.suggested_filename == "consent-receipt.json"
        page.get_by_role("button", name="Stop messages like this").tap()
        expect(page.get_by_role("heading", name="Done")).to_be_visible()
    assert Contact.objects.get().stopped_at is not None


def test_the_page_that_is_closed_by_a_revocation_plays_no_further(
    phone: Page, live_server: LiveServer
) -> None:
    phone.goto(live_server.url + real.link_path())
    phone.get_by_role("button", name="Play the video").tap()
    assert phone.locator("video").evaluate(PLAYED)
    # Asked by the same browser, with the same cookies, before and after.
    address = str(phone.locator("source").evaluate("source => source.src"))
    part = {"Range": "bytes=0-99"}
    assert phone.request.get(address, headers=part).status == 206
    links.revoke(link=Link.objects.get(), at=clock.now(), actor=audit.SYSTEM)
    assert phone.request.get(address, headers=part).status == 404


def test_a_stop_ends_the_link_and_an_old_link_still_stops(
    phone: Page, live_server: LiveServer
) -> None:
    address = live_server.url + real.link_path()
    phone.goto(address)
    phone.get_by_role("button", name="Stop messages like this").tap()
    expect(phone.get_by_text("Aurora Travel will send you no more messages")).to_be_visible()
    phone.goto(address)
    expect(phone.get_by_role("heading", name="This link does not work any more")).to_be_visible()
    phone.get_by_role("button", name="Stop messages like this").tap()
    expect(phone.get_by_role("heading", name="Done")).to_be_visible()


def test_nothing_is_asked_of_anybody_else(phone: Page, live_server: LiveServer) -> None:
    asked: list[str] = []
    phone.on("request", lambda request: asked.append(request.url))
    phone.goto(live_server.url + real.link_path())
    phone.get_by_role("button", name="Play the video").tap()
    assert phone.locator("video").evaluate(PLAYED)
    assert all(url.startswith(live_server.url) for url in asked), asked
