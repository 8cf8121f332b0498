import pytest
from django.http import HttpResponse
from django.test import Client

from accounts import audit
from config.lib import clock
from consent import preferences
from consent.models import Contact
from tests.videos import stage
from tests.videos.stage import CAPTIONS, TAP, WHOLE
from videos import links
from videos.models import Link

pytestmark = pytest.mark.django_db
# As a browser that came from elsewhere: no cookie, no referrer, the checks of CSRF in force.
Page = HttpResponse


@pytest.fixture
def client() -> Client:
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def ours() -> tuple[Link, str]:
    return stage.link(at=clock.now())


def body(response: object) -> bytes:
    return b"".join(response.streaming_content)  # type: ignore[attr-defined]


def play(client: Client, token: str) -> None:
    response = client.post(f"/v/{token}/play", TAP, headers={"Origin": "null"})
    assert (response.status_code, response["Location"]) == (303, f"/v/{token}/watch")


def test_from_the_page_to_the_bytes(client: Client, ours: tuple[Link, str]) -> None:
    link, token = ours
    page = client.get(f"/v/{token}")
    assert page.status_code == 200
    assert "Aurora Travel" in page.content.decode()
    play(client, token)
    watch = client.get(f"/v/{token}/watch").content.decode()
    address = f"/watch/{link.public_id}/video.mp4"
    assert f'src="{address}"' in watch
    part = client.get(address, headers={"Range": "bytes=100-199"})
    assert (part.status_code, body(part)) == (206, WHOLE[100:200])
    assert part["Content-Range"] == f"bytes 100-199/{len(WHOLE)}"


def test_the_page_names_nobody_before_and_after_the_gesture(
    client: Client, ours: tuple[Link, str]
) -> None:
    _, token = ours
    pages = [client.get(f"/v/{token}")]
    play(client, token)
    pages.append(client.get(f"/v/{token}/watch"))
    for page in pages:
        text = page.content.decode()
        assert "Zoë" not in text
        assert "Made with AI for Aurora Travel." in text
        assert "Stop messages like this" in text


def test_a_whole_file_a_head_and_a_range_outside(client: Client, ours: tuple[Link, str]) -> None:
    link, token = ours
    play(client, token)
    address = f"/watch/{link.public_id}/video.mp4"
    whole, head = client.get(address), client.head(address)
    assert (whole.status_code, body(whole)) == (200, WHOLE)
    assert head["Content-Length"] == str(len(WHOLE))
    assert head["ETag"] == whole["ETag"]
    assert client.head(address, headers={"Range": "bytes=0-1"}).status_code == 206
    outside = client.get(address, headers={"Range": "bytes=999999999-"})
    assert (outside.status_code, outside["Content-Range"]) == (416, f"bytes */{len(WHOLE)}")


@pytest.mark.parametrize("leaf", ["video.mp4", "captions.vtt"])
def test_bytes_carry_closed_headers(client: Client, ours: tuple[Link, str], leaf: str) -> None:
    link, token = ours
    play(client, token)
    response = client.get(f"/watch/{link.public_id}/{leaf}")
    assert response["Cache-Control"] == "private, no-store"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "no-referrer"
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"


def test_captions_are_served(client: Client, ours: tuple[Link, str]) -> None:
    link, token = ours
    play(client, token)
    response = client.get(f"/watch/{link.public_id}/captions.vtt")
    assert response.content.decode() == CAPTIONS
    assert response["Content-Type"] == "text/vtt; charset=utf-8"


def test_no_byte_without_a_gesture(client: Client, ours: tuple[Link, str]) -> None:
    link, token = ours
    client.get(f"/v/{token}")
    assert client.get(f"/watch/{link.public_id}/video.mp4").status_code == 404
    assert client.get(f"/v/{token}/watch")["Location"] == f"/v/{token}"


def test_every_answer_of_a_link_is_closed(client: Client, ours: tuple[Link, str]) -> None:
    _, token = ours
    for path in (f"/v/{token}", f"/v/{'A' * 43}", f"/v/{token}/receipt"):
        response = client.get(path)
        assert response["Referrer-Policy"] == "no-referrer"
        assert response["X-Robots-Tag"] == "noindex, noarchive"
        assert response["Cache-Control"] == "private, no-store"
        assert "frame-ancestors 'none'" in response["Content-Security-Policy"]


def test_cookies_are_bound_to_their_paths(client: Client, ours: tuple[Link, str]) -> None:
    link, token = ours
    play(client, token)
    paths = {cookie["path"] for cookie in client.cookies.values()}
    assert paths == {f"/v/{token}", f"/watch/{link.public_id}"}
    for cookie in client.cookies.values():
        assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
        lasting = cookie.key == "sealcast-device"
        assert (cookie["max-age"] == 1800) != lasting


def revoke(link: Link) -> None:
    links.revoke(link=link, at=clock.now(), actor=audit.SYSTEM)


def without_token(content: bytes, token: str) -> str:
    """Leave out of a page what only repeats the address it was asked at."""
    return content.decode().replace(token, "").replace(preferences.token_behind(token), "")


def test_stop_is_one_post_and_the_next_byte_is_refused(
    client: Client, ours: tuple[Link, str]
) -> None:
    link, token = ours
    play(client, token)
    address = f"/watch/{link.public_id}/video.mp4"
    assert client.get(address, headers={"Range": "bytes=0-9"}).status_code == 206
    done = client.post(f"/v/{token}/stop", TAP).content.decode()
    assert "Aurora Travel" in done
    assert client.get(address, headers={"Range": "bytes=10-19"}).status_code == 404
    assert Contact.objects.get(pk=link.contact_id).stopped_at is not None


def test_stop_on_a_dead_and_an_unknown_link_says_the_same(
    client: Client, ours: tuple[Link, str]
) -> None:
    link, token = ours
    revoke(link)
    dead = client.post(f"/v/{token}/stop", {"List-Unsubscribe": "One-Click"})
    other = "D" * 43
    unknown = client.post(f"/v/{other}/stop", TAP)
    assert without_token(dead.content, token) == without_token(unknown.content, other)
    assert Contact.objects.get(pk=link.contact_id).stopped_at is not None


def test_a_person_takes_their_receipt(client: Client, ours: tuple[Link, str]) -> None:
    link, token = ours
    stage.agreed(link.contact)
    response = client.get(f"/v/{token}/receipt")
    assert response["Content-Disposition"].startswith("attachment")
    assert response.json()["person"] == link.contact.public_id
    assert response.json()["signed"]["signature"]


def test_guessing_is_slowed_down_and_a_good_link_is_not(
    client: Client, ours: tuple[Link, str]
) -> None:
    answers = [client.get(f"/v/{number:043d}").status_code for number in range(61)]
    assert answers == [404] * 60 + [429]
    assert client.get(f"/v/{ours[1]}").status_code == 200


def test_a_used_up_link_goes_on_in_its_running_session(client: Client) -> None:
    _, token = stage.link(plays_allowed=1, at=clock.now())
    play(client, token)
    assert client.get(f"/v/{token}/watch").status_code == 200
    assert Client().get(f"/v/{token}").status_code == 404
    assert Client().post(f"/v/{token}/play", TAP).status_code == 404


@pytest.mark.parametrize("leaf", ["play", "stop"])
def test_acts_are_posts_only(client: Client, ours: tuple[Link, str], leaf: str) -> None:
    assert client.get(f"/v/{ours[1]}/{leaf}").status_code == 405
