"""A stand-in that a person can use: the vendor's API by its host names, and a page of its own.

The page says that it is a stand-in, takes the address of our webhook as a vendor's settings would,
and shows what came in. A message is reported delivered a moment after it was taken, and a film is
made by the studio on this machine; each post is signed as the vendor signs.
"""

import re
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from integrations.video import studio
from tests.simulators import server
from tests.simulators.base import Asked
from tests.simulators.front import MOODS, TAKEN, Front
from tests.simulators.heygen_sign_in import HeyGenSignIn
from tests.simulators.server import Answer, Call, Simulator
from tests.simulators.studios import KEY, Job, StudioSimulator
from tests.simulators.tellers import Taken, Teller

REPORT_SECONDS = 2.0
MARK = re.compile(r'<break time="(?P<length>[\d.]+)(?P<unit>m?s)"/>')
SIGNING_SECRET = "signing-of-nobody"


class Desk(Front):
    """A stand-in that keys open, and its page."""

    def __init__(self, title: str, vendor: Simulator, *, public_url: str, keys: Mapping[str, str]):
        super().__init__(title, vendor, public_url=public_url, keys=keys)
        self.later: Callable[[float, Callable[[], None]], None] = later
        vendor.unplug()
        # Above what an earlier start can have used: what came before is remembered by Sealcast.
        vendor.begun = int(time.time())
        self.origin = ""
        self._server: ThreadingHTTPServer | None = None

    def start(self, port: int = 0) -> str:
        """Listen on loopback and return the address."""
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        return self.origin

    def stop(self) -> None:
        self.vendor.released.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def api(self, host: str, call: Call) -> Answer | None:
        """Answer as the vendor's host of that name would; None: the connection is treated badly."""
        found: Answer | None = self.vendor.answer(call)
        if found is not None:
            self.happened(call, found)
        return found

    def happened(self, call: Call, answer: Answer) -> None:
        """Look at what was answered: something may follow by itself."""


class MessageDesk(Desk):
    """A stand-in of who takes messages."""

    moods = {**MOODS, TAKEN: "nothing, although it takes the message"}

    def __init__(self, title: str, vendor: Simulator, teller: Teller, **facts: Any) -> None:
        super().__init__(title, vendor, **facts)
        self.teller, self.taken = teller, list[Taken]()
        self.note = (
            f"{title} signs what it posts: Sealcast believes a delivery."
            if teller.signs
            else f"{title} signs nothing: Sealcast takes a stop from it, and believes no delivery."
        )

    def behave(self, mood: str) -> None:
        super().behave(mood)
        self.vendor.takes = mood == TAKEN

    def happened(self, call: Call, answer: Answer) -> None:
        if found := self.teller.taken(call, answer):
            self.taken.append(found)
            self.later(REPORT_SECONDS, lambda: self.report(found))

    def report(self, taken: Taken) -> None:
        """Tell that a message arrived."""
        hooks = self.teller.delivered(taken, self.webhook)
        statuses = [self.tell(hook) for hook in hooks]
        told = {0: "no webhook address", 200: "delivered, told"}
        taken.reported = told.get(statuses[-1], f"delivered, refused by Sealcast ({statuses[-1]})")

    def done(self, form: Mapping[str, str]) -> None:
        super().done(form)
        row = form.get("row", "")
        if row.isdigit() and int(row) < len(self.taken):
            taken = self.taken[int(row)]
            hook = self.teller.said(taken, self.webhook, form.get("words", "STOP")[:500])
            self.told(self.tell(hook), "the answer")

    def rows(self) -> list[tuple[str, ...]]:
        rows = [(one.to, one.words, one.name, one.reported) for one in self.taken]
        return [("To", "What it says", "Name of the message", "State"), *rows]

    def acts(self) -> list[tuple[str, ...]]:
        return [(self.teller.answer,) for _ in self.taken]


class FilmDesk(Desk):
    """A stand-in of who makes films: the studio on this machine makes them."""

    note = "Films are made by the studio on this machine, from the script with its slots empty."

    def __init__(self, title: str, vendor: StudioSimulator, film_host: str, **facts: Any) -> None:
        super().__init__(title, vendor, **facts)
        self.studio, self.film_host = vendor, film_host
        self.studio.waits = True
        self.ended: list[str] = []

    def start(self, port: int = 0) -> str:
        origin = super().start(port)
        self.studio.film_host = f"{origin}/{self.film_host}"
        return origin

    def happened(self, call: Call, answer: Answer) -> None:
        is_order = call.method == "POST" and call.path.partition("?")[0] == self.studio.order_path
        if is_order and answer[0] in (200, 201):
            job = list(self.studio.jobs.values())[-1]
            self.later(0, lambda: self.make(job))
        elif call.method == "DELETE" and answer[0] in (200, 204):
            self.ended.append(call.path.partition("?")[0].rpartition("/")[2])

    def make(self, job: Job) -> None:
        """Make the film of a job, and tell that it is there."""
        self.studio.finish(job, film_of(job["order"]))
        url = job["order"].get("callback_url") or job["order"].get("webhook") or self.webhook
        self.tell(self.studio.hook(url, job, int(time.time()), SIGNING_SECRET))

    def rows(self) -> list[tuple[str, ...]]:
        held = [(name, self.studio.state(job)) for name, job in self.studio.jobs.items()]
        gone = [(name, "deleted: nothing of it is held") for name in self.ended]
        return [("Job", "State"), *held, *gone]


class HeyGenDesk(FilmDesk):
    """HeyGen's stand-in also lets people sign in (OAuth)."""

    def __init__(self, *args: Any, sign_in: HeyGenSignIn, **facts: Any) -> None:
        super().__init__(*args, **facts)
        self.sign_in = sign_in

    def api(self, host: str, call: Call) -> Answer | None:
        if host in (*self.sign_in.login_hosts, *self.sign_in.token_hosts):
            return self.signing_in(host, call)
        asked = asked_of(host, call)
        found = self.sign_in.access.get(self.sign_in.bearer(asked))
        if found is None or found[0].revoked or self.sign_in.now() >= found[1]:
            # Without a token that works, by key or not at all.
            return super().api(host, call)
        headers = {**call.headers, "X-Api-Key": KEY}
        return super().api(host, Call(call.method, call.path, headers, call.body))

    def signing_in(self, host: str, call: Call) -> Answer:
        found = self.sign_in.answer(asked_of(host, call))
        return found.status, server.Page(found.body, found.kind, found.location)


def asked_of(host: str, call: Call) -> Asked:
    """Return a call in the shape of the stand-ins that sign people in."""
    parts = urlsplit(call.path)
    query, form = dict(parse_qsl(parts.query)), dict(parse_qsl(call.body.decode(errors="replace")))
    return Asked(call.method, host, parts.path, query, form, call.headers, call.body)


def film_of(order: Mapping[str, Any]) -> bytes:
    """Make the film of an order in whatever vendor's shape: its longest text is the script."""
    size = order.get("dimension") or {"width": 1280, "height": 720}
    request = studio.StudioRequest("en", items_of(max(_texts(order), key=len)), **size)
    return studio.produce(request=request).data


def items_of(script: str) -> list[studio.Slot | studio.Speech]:
    """Read a script with marks of silence; marks side by side are one silence."""
    items: list[studio.Slot | studio.Speech] = []
    at = 0
    for mark in MARK.finditer(script):
        if words := script[at : mark.start()].strip():
            items.append(studio.Speech(words))
        seconds = float(mark["length"]) / (1000 if mark["unit"] == "ms" else 1)
        items.append(studio.Slot(f"s{len(items)}", seconds))
        at = mark.end()
    if words := script[at:].strip():
        items.append(studio.Speech(words))
    return items


def _texts(found: Any) -> list[str]:
    if isinstance(found, Mapping):
        return [text for value in found.values() for text in _texts(value)]
    # Addresses are no script, however long.
    return [found] if isinstance(found, str) and not found.startswith("http") else []


def later(seconds: float, act: Callable[[], None]) -> None:
    """Do something in a while, on a thread of its own."""
    timer = threading.Timer(seconds, act)
    timer.daemon = True
    timer.start()


def _handler(desk: Desk) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            # Whoever asked may have gone: nothing for the terminal.
            with suppress(ConnectionError):
                self.handle_one()

        def handle_one(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            host, _, path = self.path.removeprefix("/").partition("/")
            self.close_connection = True
            if host == "favicon.ico":
                # What every browser asks for by itself.
                server.send(self, 204, b"")
            elif "." in host:
                call = Call(self.command, f"/{path}", dict(self.headers), body)
                _send(self, desk.api(host, call), desk.vendor)
            elif host:
                server.send(self, 404, b"")
            elif self.command == "POST":
                desk.done(dict(parse_qsl(body.decode(errors="replace"))))
                server.send(self, 303, server.Page(b"", "text/html", "/"))
            else:
                page = desk.page().encode()
                server.send(self, 200, server.Page(page, "text/html; charset=utf-8"))

        do_GET = do_POST = do_DELETE = handle_any  # noqa: N815 the names that the base looks for

        def log_message(self, *_args: object) -> None:
            return

    return Handler


def _send(to: BaseHTTPRequestHandler, answer: Answer | None, vendor: Simulator) -> None:
    if answer is None:
        server.BROKEN[vendor.mode](to, vendor)
    else:
        server.send(to, answer[0], answer[1], **vendor.headers)
