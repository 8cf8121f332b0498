"""A vendor's API on this machine: it keeps what it takes, and misbehaves when it is told to."""

import gzip
import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

BOMB = gzip.compress(b" " * (4 << 20))
JSON = "application/json"
STALL_SECONDS = 2


@dataclass(frozen=True)
class Call:
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class OneCall:
    """One call of a vendor: a method, and the form of its path."""

    method: str
    path: re.Pattern[str]

    def is_this(self, method: str, path: str) -> bool:
        return method == self.method and bool(self.path.fullmatch(path.partition("?")[0]))


@dataclass(frozen=True)
class Page:
    """An answer that is no JSON, or has headers of its own: a page, or the way to another."""

    body: bytes
    kind: str
    location: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Hook:
    """One post of the vendor to our webhook."""

    url: str
    body: bytes
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


Answer = tuple[int, object]
# What the templates of an account say.
WORDS = {"please_confirm": "Please confirm that you want our messages: {{1}}"}
OTHER_WORDS = "Your video is ready: {{1}}"


def worded(name: str, filled: object) -> str:
    """Return a template's words with what fills its place."""
    return WORDS.get(name, OTHER_WORDS).replace("{{1}}", str(filled))


# What each misbehaviour means for a message that was handed over. The request was read by then.
OUTCOMES = {
    "429": "transient",
    "401": "transient",
    "403": "transient",
    "400": "permanent",
    "400_html": "permanent",
    "200_with_error": "permanent",
    "408": "unknown",
    "500": "unknown",
    "502_html": "unknown",
    "503": "unknown",
    "504_empty": "unknown",
    "302": "unknown",
    "html": "unknown",
    "garbage_json": "unknown",
    "empty": "unknown",
    "wrong_type": "unknown",
    "wrong_members": "unknown",
    "brackets": "unknown",
    "not_utf8": "unknown",
    "gzip_bomb": "unknown",
    "bad_gzip": "unknown",
    "truncated": "unknown",
    "reset": "unknown",
    "closed": "unknown",
    "stall": "unknown",
    "drip": "unknown",
    "no_http": "unknown",
}
PLAIN: dict[str, tuple[int, bytes]] = {
    "400_html": (400, b"<html>bad</html>"),
    "408": (408, b""),
    "500": (500, b'{"message": "oops"}'),
    "502_html": (502, b"<html>bad gateway</html>"),
    "503": (503, b"{}"),
    "504_empty": (504, b""),
    "302": (302, b""),
    "html": (200, b"<!doctype html><title>Sign in</title>"),
    "garbage_json": (200, b'{"sid": "SM1", '),
    "empty": (200, b""),
    "wrong_type": (200, b'["sid", "messageId"]'),
    "brackets": (200, b"[" * 200_000),
    "not_utf8": (200, b'{"sid": "\xff\xfe"}'),
    "no_http": (0, b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
}


class Server(ThreadingHTTPServer):
    # Of many that call at once, five wait by default and the others are reset.
    request_queue_size = 128


class Simulator:
    """The server of one vendor; its subclasses know the vendor's paths and shapes."""

    # Vendor-shaped: an error with its status, the same inside of a success, and wrong members.
    errors: dict[str, Answer] = {}

    def __init__(self) -> None:
        self.mode = ""
        # Which calls misbehave.
        self.acts = frozenset({"POST"})
        # The one call that misbehaves, in place of all of these methods.
        self.only: OneCall | None = None
        # Whether a message is kept although its answer misbehaves.
        self.takes = False
        # What stands above every whole answer, in the vendor's own letters.
        self.headers: dict[str, str] = {}
        self.calls: list[Call] = []
        self.messages: list[dict[str, Any]] = []
        # Who wrote on WhatsApp within a day: WATI and Gupshup take words of one's own for these.
        self.open: set[str] = set()
        # Its names count on from here: one that is started again must not use them twice.
        self.begun = 0
        self.released = threading.Event()
        self._server = Server(("127.0.0.1", 0), _handler(self))
        self.origin = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def unplug(self) -> None:
        """Close the port of its own: another server asks it (`tests.simulators.desk`)."""
        self._server.server_close()

    def route(self, call: Call) -> Answer:
        raise NotImplementedError

    def answer(self, call: Call) -> Answer | None:
        """Return what is answered; None where the connection is treated badly instead."""
        self.calls.append(call)
        acts = call.method in self.acts
        if self.only:
            acts = self.only.is_this(call.method, call.path)
        if not self.mode or not acts:
            return self.route(call)
        if self.takes:
            self.route(call)
        if self.mode in self.errors:
            return self.errors[self.mode]
        return PLAIN.get(self.mode)


def _handler(simulator: Simulator) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            call = Call(self.command, self.path, dict(self.headers), body)
            answer = simulator.answer(call)
            self.close_connection = True
            if answer is None:
                with suppress(OSError):
                    BROKEN[simulator.mode](self, simulator)
            elif answer[0] == 0:
                self.wfile.write(bytes(answer[1]))  # type: ignore[call-overload]
            else:
                status, content = answer
                send(self, status, content, **simulator.headers)

        do_GET = do_POST = do_DELETE = handle_any  # noqa: N815 the names that the base looks for

        def log_message(self, *_args: object) -> None:
            return

    return Handler


def send(to: BaseHTTPRequestHandler, status: int, body: object, **headers: str) -> None:
    if isinstance(body, Page):
        led = {"Location": body.location} if body.location else {}
        headers, body = {**headers, "Content_Type": body.kind, **led, **body.headers}, body.body
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    to.send_response(status)
    if status == 302 and "Location" not in headers:
        to.send_header("Location", "http://127.0.0.1:9/elsewhere")
    for name, value in {"Content_Type": JSON, **headers}.items():
        to.send_header(name.replace("_", "-"), value)
    if "Content_Length" not in headers:
        to.send_header("Content-Length", str(len(content)))
    to.end_headers()
    to.wfile.write(content)


def _reset(to: BaseHTTPRequestHandler, _: object) -> None:
    # A linger of nothing closes by RST.
    to.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    to.connection.close()


def _drip(to: BaseHTTPRequestHandler, simulator: Any) -> None:
    # Each byte in time, the whole never: what holds a reader that only times its reads.
    send(to, 200, b"{", Content_Length="9999")
    while not simulator.released.wait(0.05):
        to.wfile.write(b" ")


BROKEN: dict[str, Callable[[BaseHTTPRequestHandler, Any], object]] = {
    "gzip_bomb": lambda to, _: send(to, 200, BOMB, Content_Encoding="gzip"),
    "bad_gzip": lambda to, _: send(to, 200, b"\x1f\x8bnot", Content_Encoding="gzip"),
    "truncated": lambda to, _: send(to, 200, b'{"sid":', Content_Length="999"),
    "reset": _reset,
    "closed": lambda to, _: None,
    "drip": _drip,
    "stall": lambda _, simulator: simulator.released.wait(STALL_SECONDS),
}
