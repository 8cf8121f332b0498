from datetime import timedelta

import pytest

from tests.videos import stage
from tests.videos.stage import AT
from videos import devices, playback
from videos.devices import Entry, NotThisDevice
from videos.models import Campaign, Device, Link, Play

pytestmark = pytest.mark.django_db
SOON = AT + timedelta(minutes=5)


def linked(*, allowed: int = 1, step_up: str = "never", content: list[str] | None = None) -> Link:
    link, _ = stage.link(plays_allowed=9)
    Campaign.objects.update(devices_allowed=allowed, step_up=step_up, content=content or [])
    return Link.objects.get(pk=link.pk)


def test_the_first_browser_gets_a_cookie_that_it_is_known_by() -> None:
    link = linked()
    device = playback.start_play(link=link, at=AT).device
    assert device is not None
    cookie = devices.cookie_of(device=device)
    assert devices.find(link=link, cookie=cookie) == device
    again = playback.start_play(link=link, at=AT + timedelta(hours=2), device=device)
    assert (again.device, Device.objects.count()) == (device, 1)


@pytest.mark.parametrize("cookie", ["", "1", "1.", "x.y", "1." + "0" * 64, "²." + "0" * 64])
def test_no_browser_chooses_its_cookie(cookie: str) -> None:
    link = linked()
    playback.start_play(link=link, at=AT)
    assert devices.find(link=link, cookie=cookie) is None


def test_a_cookie_of_another_link_says_nothing_here() -> None:
    mine = linked()
    device = playback.start_play(link=mine, at=AT).device
    assert device is not None
    other = stage.person(name="Ana", email="ana@example.org", phone="+4915112345679")
    theirs, _ = stage.link(contact=other)
    assert devices.find(link=theirs, cookie=devices.cookie_of(device=device)) is None


def test_a_second_browser_is_refused_and_its_play_is_not_counted() -> None:
    link = linked()
    playback.start_play(link=link, at=AT)
    with pytest.raises(NotThisDevice) as refused:
        playback.start_play(link=link, at=SOON)
    link.refresh_from_db()
    assert refused.value.entry == Entry.ELSEWHERE
    assert (link.plays, Play.objects.count(), Device.objects.count()) == (1, 1, 1)


def test_so_many_browsers_as_the_campaign_says() -> None:
    link = linked(allowed=3)
    for _ in range(3):
        playback.start_play(link=link, at=AT)
    assert devices.entry(link=link, device=None) == Entry.ELSEWHERE


def test_the_next_one_may_be_asked_for_a_code() -> None:
    link = linked(step_up="beyond")
    assert devices.entry(link=link, device=None) == Entry.OPEN
    playback.start_play(link=link, at=AT)
    assert devices.entry(link=link, device=None) == Entry.CODE


@pytest.mark.parametrize("content", ["health", "phi", "religion", "orientation", "biometrics"])
def test_special_data_asks_every_browser_whatever_the_campaign_says(content: str) -> None:
    link = linked(content=[content])
    with pytest.raises(NotThisDevice) as refused:
        playback.start_play(link=link, at=AT)
    assert refused.value.entry == Entry.CODE


def test_words_for_children_are_no_special_data() -> None:
    link = linked(content=["child_directed"])
    assert devices.entry(link=link, device=None) == Entry.OPEN


def test_a_browser_let_in_before_is_asked_once_the_words_are_special() -> None:
    link = linked()
    device = playback.start_play(link=link, at=AT).device
    Campaign.objects.update(content=["health"])
    link = Link.objects.get(pk=link.pk)
    assert devices.entry(link=link, device=device) == Entry.CODE
    Device.objects.update(proved_at=SOON)
    assert devices.entry(link=link, device=Device.objects.get()) == Entry.OPEN
