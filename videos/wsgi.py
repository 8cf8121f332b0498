"""The WSGI application that the web server runs: bytes and webhooks first, Django for the rest.

Sixteen layers of middleware cost more than a MiB does to open and to send, and none of them decides
anything about it. So a range that is allowed is answered here, by the same functions as the view's
(`playback.serve_link`, `bytes_views.head_of`) and with the headers that the house puts on every
answer. Whatever is not plainly allowed is handed on to Django, which decides again and refuses:
no refusal is written twice. What a provider posts goes the same way (`webhooks.take_early`).
Behind any other server `config.wsgi` gives the same answers.
"""

import io
import re
import time
import uuid
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from http import HTTPStatus
from typing import Any

from django.db import DatabaseError, connection
from django.http import parse_cookie

from config.lib import clock, ids, keyring
from config.wsgi import application as django_application
from integrations import webhooks
from videos import bytes_views, playback, ranges
from videos.public_views import BYTES_COOKIE

Environ = dict[str, Any]
Start = Callable[..., Any]
django: Callable[..., Iterable[bytes]] = django_application
VIDEO = re.compile(r"/watch/([^/]+)/video\.mp4")
HOOK = re.compile(r"/hooks/([^/]+)/")
# An answer up to this size is handed over as one value, and the thread is free while a slow phone
# reads it. What is longer is walked, and the link is looked at again on the way.
AT_ONCE_BYTES = ranges.PIECE_BYTES
# What the house says of its own page, and not of every answer.
OWN = {"content-type", "content-length"}
# What decides whether Django answers at all, and what it puts on an answer.
ASKED = ("wsgi.url_scheme", "HTTP_HOST", "HTTP_X_FORWARDED_PROTO", "SERVER_NAME", "SERVER_PORT")
REFUSED = (
    playback.NotWatchable,
    ranges.Unsatisfiable,
    ids.NotAnId,
    keyring.KeyringUnavailable,
    DatabaseError,
)


class NotHere(Exception):
    """Django would not answer such a request as it is: a wrong host, or plain http."""


def application(environ: Environ, start_response: Start) -> Iterable[bytes]:
    """Answer a request, as PEP 3333 has it."""
    path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
    if method == "POST" and (hook := HOOK.fullmatch(path)):
        return _keep(environ, start_response, hook[1])
    found = VIDEO.fullmatch(path)
    if found is None or method != "GET":
        return django(environ, start_response)
    try:
        house = _house_of(environ)
        status, headers, body = _answer(environ, found[1])
    except (*REFUSED, NotHere):
        return django(environ, start_response)
    line = f"{status} {HTTPStatus(status).phrase}"
    start_response(line, list({**house, **headers}.items()))
    return body


def _keep(environ: Environ, start_response: Start, secret: str) -> Iterable[bytes]:
    """Take an event of a provider; where anything is not plain, Django reads the same bytes."""
    size = int(environ.get("CONTENT_LENGTH") or 0)
    if not 0 < size <= webhooks.MOST_BYTES:
        return django(environ, start_response)
    posted = environ["wsgi.input"].read(size)
    try:
        house = _house_of(environ)
        connection.close_if_unusable_or_obsolete()
        # A look whether the wire to the database still stands costs as much as the INSERT does.
        # Where it does not, Django mends it and keeps the event.
        connection.health_check_done = True  # type: ignore[attr-defined]
        kind, text = webhooks.take_early({**environ, "wsgi.input": io.BytesIO(posted)}, secret)
    except (*REFUSED, NotHere, webhooks.NotPlain):
        return django({**environ, "wsgi.input": io.BytesIO(posted)}, start_response)
    body = text.encode()
    own = {"Content-Type": kind, "Content-Length": str(len(body))}
    start_response("200 OK", list({**house, **own}.items()))
    return [body]


def _house_of(environ: Environ) -> dict[str, str]:
    return _house(tuple(str(environ.get(name, "")) for name in ASKED))


def _answer(environ: Environ, name: str) -> tuple[int, dict[str, str], Iterable[bytes]]:
    # What Django does at the begin of a request; a connection that is dead is its to mend.
    connection.close_if_unusable_or_obsolete()
    link_id = ids.parse("lnk", name)
    session = parse_cookie(environ.get("HTTP_COOKIE", "")).get(BYTES_COOKIE, "")
    asked = ranges.meant(
        header=environ.get("HTTP_RANGE", ""), reads_on="HTTP_ICY_METADATA" in environ
    )
    served = playback.serve_link(
        link_id=link_id,
        session=session,
        range_header=asked,
        if_range=environ.get("HTTP_IF_RANGE", ""),
        at=clock.now(),
    )

    status, headers = bytes_views.head_of(served)
    if served.span.length <= AT_ONCE_BYTES:
        return status, headers, [b"".join(served.chunks)]
    still = partial(_goes_on, link_id, session, [time.monotonic()])
    return status, headers, playback.while_live(chunks=served.chunks, still=still)


def _goes_on(link_id: uuid.UUID, session: str, looked: list[float]) -> bool:
    answer = playback.goes_on(link_id=link_id, session=session, at=clock.now())
    before, looked[0] = looked[0], time.monotonic()
    if looked[0] - before >= playback.LOOK_SECONDS:
        # A slow phone holds this thread; it shall not hold one of PostgreSQL's connections too.
        connection.close()
    return answer


@lru_cache(maxsize=64)
def _house(asked: tuple[str, ...]) -> dict[str, str]:
    """Ask Django, with a page that says nothing, what it puts on an answer to such a request.

    :raises NotHere: it answers none.
    """
    told: dict[str, str] = {}
    seen: list[str] = []

    def start(status: str, headers: list[tuple[str, str]], *_: object) -> None:
        seen.append(status)
        told.update(headers)

    request = {"REQUEST_METHOD": "GET", "PATH_INFO": "/livez", "wsgi.input": io.BytesIO()}
    body: Any = django({**dict(zip(ASKED, asked, strict=True)), **request}, start)
    body.close()
    if not seen[0].startswith("200"):
        raise NotHere
    return {name: value for name, value in told.items() if name.lower() not in OWN}
