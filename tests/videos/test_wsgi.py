import io
import sys
import time
from typing import Any
from unittest.mock import patch

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import DatabaseError, connection

from accounts import audit
from config.lib import clock
from tests.videos import stage
from tests.videos.stage import HEAD, WHOLE
from videos import links, lookups, playback, public_views, ranges, wsgi
from videos.models import Link

pytestmark = pytest.mark.django_db
DJANGO = WSGIHandler()
Answer = tuple[str, dict[str, str], bytes]


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    wsgi._house.cache_clear()
    # A test's connection is one transaction: neither application may give it back.
    monkeypatch.setattr(connection, "close_if_unusable_or_obsolete", lambda: None)


@pytest.fixture
def ours() -> tuple[Link, str]:
    link, _ = stage.link(at=clock.now())
    play = playback.start_play(link=link, at=clock.now())
    return link, playback.session_value(play=play)


def ask(application: Any, ours: tuple[Link, str], **more: str) -> Answer:
    link, session = ours
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": f"/watch/{link.public_id}/video.mp4",
        "QUERY_STRING": "",
        "HTTP_HOST": "localhost",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "443",
        "REMOTE_ADDR": "192.0.2.1",
        "HTTP_COOKIE": f"other=1; {public_views.BYTES_COOKIE}={session}",
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        **more,
    }
    told: list[Any] = []
    body = application(environ, lambda status, headers, *_: told.extend((status, headers)))
    data = b"".join(body)
    if hasattr(body, "close"):
        body.close()
    names = [name.lower() for name, _ in told[1]]
    assert len(names) == len(set(names))
    # The policy is a set of rules, which its middleware writes in any order.
    told_headers = {name.lower(): "; ".join(sorted(value.split("; "))) for name, value in told[1]}
    return told[0], told_headers, data


@pytest.mark.parametrize("header", ["", "bytes=0-", "bytes=5-99", "bytes=-7", "bytes=5-3", "x"])
def test_an_allowed_range_is_answered_as_the_view_answers(
    ours: tuple[Link, str], header: str
) -> None:
    asked = {"HTTP_RANGE": header} if header else {}
    with patch.object(wsgi, "django", side_effect=DJANGO) as handed_on:
        first = ask(wsgi.application, ours, **asked)
    assert [one.args[0]["PATH_INFO"] for one in handed_on.call_args_list] == ["/livez"]
    assert first == ask(WSGIHandler(), ours, **asked)


def test_a_player_that_reads_on_is_given_all_of_it(
    ours: tuple[Link, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranges, "PIECE_BYTES", 10)
    asked = {"HTTP_RANGE": "bytes=5-", "HTTP_ICY_METADATA": "1"}
    first = ask(wsgi.application, ours, **asked)
    assert first[2] == WHOLE[5:]
    assert first == ask(WSGIHandler(), ours, **asked)


def test_a_long_answer_is_walked(ours: tuple[Link, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wsgi, "AT_ONCE_BYTES", 10)
    assert ask(wsgi.application, ours)[2] == WHOLE


def refused(ours: tuple[Link, str], **more: str) -> str:
    with patch.object(wsgi, "django", return_value=[b"Django's own"]) as django:
        django.side_effect = lambda _, start: start("404 Not Found", []) or [b"Django's own"]
        wsgi._house.cache_clear()
        monkey = patch.object(wsgi, "_house", return_value={})
        with monkey:
            status, _, body = ask(wsgi.application, ours, **more)
    assert body == b"Django's own"
    return status


@pytest.mark.parametrize(
    "more",
    [
        {"HTTP_COOKIE": ""},
        {"HTTP_RANGE": "bytes=999999999-"},
        {"REQUEST_METHOD": "HEAD"},
        {"REQUEST_METHOD": "POST"},
        {"PATH_INFO": "/watch/lnk_1/video.mp4"},
        {"PATH_INFO": "/watch/lnk_1/captions.vtt"},
        {"PATH_INFO": "/livez"},
    ],
)
def test_all_else_is_django_s_to_answer(ours: tuple[Link, str], more: dict[str, str]) -> None:
    assert refused(ours, **more) == "404 Not Found"


def test_a_revoked_link_has_no_next_range(ours: tuple[Link, str]) -> None:
    asked = {"HTTP_RANGE": "bytes=0-9"}
    assert ask(wsgi.application, ours, **asked)[2] == HEAD[:10]
    links.revoke(link=ours[0], at=clock.now(), actor=audit.SYSTEM)
    assert ask(wsgi.application, ours, **asked)[0] == "404 Not Found"


def test_a_wrong_host_and_plain_http_are_django_s(
    ours: tuple[Link, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(wsgi.application, ours, HTTP_HOST="evil.example.org")[0] == "400 Bad Request"
    monkeypatch.setattr(settings, "SECURE_SSL_REDIRECT", True)
    monkeypatch.setattr(wsgi, "django", WSGIHandler())
    plain = ask(wsgi.application, ours, **{"wsgi.url_scheme": "http"})
    assert plain[0] == "301 Moved Permanently"


def test_a_lost_database_is_django_s_to_mend(
    ours: tuple[Link, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(**_: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(lookups, "playable", lost)
    assert refused(ours) == "404 Not Found"


def test_a_slow_viewer_gives_its_connection_back(
    ours: tuple[Link, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[bool] = []
    monkeypatch.setattr(connection, "close", lambda: closed.append(True))
    link, session = ours
    looked = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: looked[0] + 0.2)
    assert wsgi._goes_on(link.pk, session, looked)
    assert not closed
    monkeypatch.setattr(time, "monotonic", lambda: looked[0] + 1.2)
    assert wsgi._goes_on(link.pk, session, looked)
    assert closed


def test_a_piece_is_handed_over_at_once() -> None:
    assert wsgi.AT_ONCE_BYTES == ranges.PIECE_BYTES
