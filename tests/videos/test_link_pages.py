"""What a browser meets on a link that is watched elsewhere, asks for a code, or is used up."""

import re

import pytest
from django.test import Client

from config.lib import clock
from integrations import connections
from integrations.models import SandboxMessage
from tests.videos import stage
from tests.videos.stage import TAP
from videos import delivery, misses
from videos.models import Campaign, Device, Incident, Link, Play

pytestmark = pytest.mark.django_db


@pytest.fixture
def ours() -> tuple[Link, str]:
    connections.ensure_local(at=clock.now())
    return stage.link(at=clock.now(), plays_allowed=2)


def policy(**changes: object) -> None:
    Campaign.objects.update(**changes)


def sent_code() -> str:
    delivery.dispatch(at=clock.now())
    row = SandboxMessage.objects.order_by("at").last()
    assert row is not None
    assert row.content_sealed is not None
    return str(re.findall(r"\b\d{6}\b", row.content_sealed["text"])[0])


def test_another_device_is_led_back_to_the_first(ours: tuple[Link, str]) -> None:
    policy(devices_allowed=1)
    first, other = Client(), Client()
    first.post(f"/v/{ours[1]}/play", TAP)
    answer = other.post(f"/v/{ours[1]}/play", TAP, follow=True)
    assert answer.status_code == 403
    assert "Open it where you opened it first" in answer.content.decode()
    assert first.get(f"/v/{ours[1]}").status_code == 200
    assert Play.objects.count() == 1


def test_a_code_from_the_other_phone_opens_the_page(ours: tuple[Link, str]) -> None:
    policy(step_up="always")
    client, page = Client(), f"/v/{ours[1]}"
    assert "Send me a code" in client.get(page).content.decode()
    assert client.post(f"{page}/play", TAP)["Location"] == page
    assert client.post(f"{page}/code", TAP)["Location"] == page
    assert 'autocomplete="one-time-code"' in client.get(page).content.decode()
    code = sent_code()
    wrong = client.post(f"{page}/code", {**TAP, "code": "000000" if code != "000000" else "1"})
    assert (wrong.status_code, "That is not the code" in wrong.content.decode()) == (422, True)
    assert client.post(f"{page}/code", {**TAP, "code": code}).status_code == 303
    assert "Play the video" in client.get(page).content.decode()
    assert client.post(f"{page}/play", TAP)["Location"] == f"{page}/watch"
    assert Client().post(f"{page}/play", TAP)["Location"] == page


def test_who_has_no_second_address_is_told_so(ours: tuple[Link, str]) -> None:
    policy(step_up="always")
    connections.usable(kind="messaging").update(scopes=["email"])
    answer = Client().post(f"/v/{ours[1]}/code", TAP)
    assert (answer.status_code, "No code can be sent" in answer.content.decode()) == (403, True)
    assert not Device.objects.exists()


def test_used_up_the_person_is_led_on_and_a_stranger_is_not(ours: tuple[Link, str]) -> None:
    client, page = Client(), f"/v/{ours[1]}"
    client.post(f"{page}/play", TAP)
    Link.objects.update(plays=2)
    del client.cookies["sealcast-page"]
    answer = client.get(page)
    assert (answer.status_code, "used up" in answer.content.decode()) == (410, True)
    assert Client().get(page).status_code == 404


def test_the_log_tells_this_device_from_another(ours: tuple[Link, str]) -> None:
    client, page = Client(), f"/v/{ours[1]}"
    Client().post(f"{page}/play", TAP)
    client.post(f"{page}/play", TAP)
    text = client.get(f"{page}/watch").content.decode()
    assert (text.count("on this device"), text.count("on another device")) == (1, 1)


def test_a_report_waits_for_the_officer_once(ours: tuple[Link, str]) -> None:
    for what in ("not_me", "not_me", "x" * 400):
        Client().post(f"/v/{ours[1]}/report", {**TAP, "what": what})
    kinds = list(Incident.objects.order_by("kind").values_list("kind", flat=True))
    assert kinds == ["reported_not_me", "reported_other"]


def test_misses_are_counted_for_all_processes_and_by_network() -> None:
    now = clock.now()
    near, far = "2001:db8:1:2::1", "2001:db8:1:2:ffff::9"
    counts = [misses.count(address=one, at=now) for one in (near, far, "192.0.2.7", "nonsense")]
    assert counts == [1, 2, 1, 1]


def test_over_the_limit_nothing_more_is_written() -> None:
    now = clock.now()
    told = [misses.count(address="192.0.2.7", at=now) for _ in range(misses.A_MINUTE + 5)]
    assert told[-5:] == [misses.A_MINUTE + 1] * 5


def test_the_script_gets_the_page_of_the_video_at_once_and_counts_one_play(
    ours: tuple[Link, str],
) -> None:
    client, page = Client(), f"/v/{ours[1]}"
    answer = client.post(f"{page}/play", {**TAP, "answer": "page"})
    assert (answer.status_code, answer["Content-Location"]) == (200, f"{page}/watch")
    assert answer.content == client.get(f"{page}/watch").content
    assert "It can be opened 1 more time." in answer.content.decode()
    assert client.get(f"/watch/{ours[0].public_id}/video.mp4").status_code == 200
    assert Play.objects.count() == 1


def test_asking_for_the_page_is_no_gesture(ours: tuple[Link, str]) -> None:
    page = f"/v/{ours[1]}"
    assert Client().post(f"{page}/play", {"answer": "page"})["Location"] == page
    assert Play.objects.count() == 0


def test_asking_for_the_page_opens_no_second_device(ours: tuple[Link, str]) -> None:
    policy(devices_allowed=1)
    page = f"/v/{ours[1]}"
    Client().post(f"{page}/play", TAP)
    refused = Client().post(f"{page}/play", {**TAP, "answer": "page"})
    assert (refused.status_code, refused["Location"]) == (303, page)
    assert Play.objects.count() == 1
