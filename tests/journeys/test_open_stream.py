"""A player that is in the middle of a video: does it get another megabyte after a no?"""

import hashlib
import http.client
import socket
from collections.abc import Callable
from datetime import timedelta
from typing import Self
from urllib.parse import urlsplit

import pytest
from pytest_django.live_server_helper import LiveServer

from accounts import audit
from config.lib import clock
from tests.videos import stage
from videos import links, playback
from videos.models import Link

pytestmark = pytest.mark.django_db(transaction=True)
SIZE = 16 << 20
READ = 128 << 10
# What the two ends of a connection on one machine may hold between them, and one look (1 MiB).
ON_THE_WAY = 9 << 20


def of_link(link: Link) -> None:
    links.revoke(link=link, at=clock.now(), actor=audit.SYSTEM)


def of_person(link: Link) -> None:
    links.revoke_all(contact=link.contact, at=clock.now(), actor=audit.SYSTEM)


def of_campaign(link: Link) -> None:
    links.revoke_all(campaign=link.asset.campaign, at=clock.now(), actor=audit.SYSTEM)


def playing() -> tuple[Link, str]:
    now = clock.now()
    who, head = stage.person(), hashlib.shake_256(b"head").digest(SIZE)
    video = stage.asset(who, stage.campaign(), head=head, at=now)
    ends = now + timedelta(days=1)
    link, _ = links.mint(
        asset=video, contact=who, not_before=now, expires_at=ends, plays_allowed=1, at=now
    )
    return link, playback.session_value(play=playback.start_play(link=link, at=now))


class Player:
    """A phone on a slow line: it takes in little at a time, so that the server waits for it."""

    def __init__(self, server: LiveServer, link: Link, session: str) -> None:
        at = urlsplit(server.url)
        wire = socket.socket()
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
        wire.settimeout(20)
        wire.connect((at.hostname, at.port))
        self.line = http.client.HTTPConnection(at.netloc)
        self.line.sock = self.wire = wire
        self.path = f"/watch/{link.public_id}/video.mp4"
        self.headers = {"Cookie": f"sealcast-video={session}", "Host": at.netloc}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.line.close()

    def ask(self, **headers: str) -> http.client.HTTPResponse:
        self.line.request("GET", self.path, headers={**self.headers, **headers})
        return self.line.getresponse()

    def rest(self, answer: http.client.HTTPResponse) -> int:
        came = 0
        self.wire.settimeout(2)
        try:
            while part := answer.read1(READ):
                came += len(part)
        except (TimeoutError, ConnectionError, http.client.IncompleteRead):
            # The server of the tests keeps a line open that a real one cuts.
            return came
        return came


@pytest.mark.parametrize("end", [of_link, of_person, of_campaign], ids=lambda end: end.__name__)
def test_an_open_stream_ends_and_the_next_range_is_refused(
    live_server: LiveServer, end: Callable[[Link], None]
) -> None:
    link, session = playing()
    with Player(live_server, link, session) as player:
        answer = player.ask()
        assert answer.status == 200
        assert len(answer.read(READ)) == READ
        end(link)
        came = READ + player.rest(answer)
    assert came <= ON_THE_WAY < link.asset.size_bytes, f"{came:,} bytes"
    with Player(live_server, link, session) as player:
        again = player.ask(Range="bytes=0-99")
        assert (again.status, again.read()) == (404, b"This video does not play any more.")


def test_a_stream_that_nobody_ended_is_whole(live_server: LiveServer) -> None:
    link, session = playing()
    with Player(live_server, link, session) as player:
        assert player.rest(player.ask()) == link.asset.size_bytes
