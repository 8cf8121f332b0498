"""What do all simulated vendors share? A real OAuth server on loopback, and a way to be nasty.

The first part of a path names the vendor's host that is meant, because one server stands for
several. PKCE is checked, a code works once (a second use ends what it brought), access tokens
expire, refresh tokens rotate where the vendor does that, and a spent one ends its whole family.
"""

import base64
import hashlib
import html
import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.simulators import desk_page, server

CODE_SECONDS = 600
# No status: the connection is treated badly.
BROKEN = -1
ELSEWHERE = "http://127.0.0.1:9/elsewhere"
JSON = "application/json"


@dataclass
class Answer:
    status: int
    body: bytes = b""
    kind: str = JSON
    location: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Asked:
    method: str
    host: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else {}


@dataclass
class Family:
    """What one permission of one person brought: one chain of tokens."""

    client_id: str
    scope: str
    host: str
    revoked: bool = False
    refresh: str = ""
    spent: set[str] = field(default_factory=set)


@dataclass
class Code:
    asked: dict[str, str]
    host: str
    issued: float
    family: Family | None = None


def json_answer(status: int, found: object, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, json.dumps(found).encode(), headers=named)


class Simulator:
    """One vendor. Its ways differ from another's in what the subclasses override."""

    name = ""
    authorize_path = token_path = revoke_path = ""
    login_hosts: tuple[str, ...] = ()
    token_hosts: tuple[str, ...] = ()
    expires_seconds = 3600
    rotates = False
    scope_joint = " "
    app_hosts: tuple[str, ...] = ()
    app_scope = ""
    # In the vendor's own shape: 429, 403, 400, 200_with_error and wrong_members.
    faults: Mapping[str, tuple[int, object]] = {}

    def __init__(self, *, client_id: str, secret: str, redirect_uri: str) -> None:
        self.client_id, self.secret, self.redirect_uri = client_id, secret, redirect_uri
        self.codes: dict[str, Code] = {}
        self.families: list[Family] = []
        self.access: dict[str, tuple[Family, float]] = {}
        self.tally: Counter[str] = Counter()
        self.calls: list[Asked] = []
        # Answers to give instead, by the end of the path: taken once, in their order.
        self.planted: list[tuple[str, Answer | Callable[[], None]]] = []
        self.skipped = self.latency_seconds = 0.0
        self.loses_rotation, self.runs_as = False, True
        # How the API misbehaves (tests.simulators.server), and in answer to which methods.
        self.mode, self.acts = "", frozenset({"GET", "POST", "PATCH", "PUT", "DELETE"})
        # Which one call misbehaves, by its method and its path, wherever it stands; none: the API.
        self.only: server.OneCall | None = None
        # Its page, where it has one (tests.simulators.crm_desk): of no host.
        self.front: Callable[[Asked], Answer] | None = None
        self.released = threading.Event()
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None

    # Time and mischief, for tests.
    def now(self) -> float:
        return time.monotonic() + self.skipped

    def skip(self, seconds: float) -> None:
        self.skipped += seconds

    def plant(self, path_end: str, answer: Answer) -> None:
        self.planted.append((path_end, answer))

    def end_all(self) -> None:
        """What an administrator at the vendor does: take the permission back."""
        for family in self.families:
            family.revoked = True

    # The vendor's own ways.
    def told_back(self, asked: Asked) -> dict[str, str]:
        """Return what the vendor adds to the callback."""
        return {}

    def token_answer(self, family: Family, access: str) -> dict[str, object]:
        raise NotImplementedError

    def refusal(self, reason: str) -> Answer:
        """Return a refusal of the token endpoint: dead, client, request or grant_type."""
        raise NotImplementedError

    def api(self, asked: Asked, family: Family) -> Answer:
        raise NotImplementedError

    def api_expired(self) -> Answer:
        raise NotImplementedError

    def bearer(self, asked: Asked) -> str:
        kind, _, token = asked.headers.get("Authorization", "").partition(" ")
        return token if kind == "Bearer" else ""

    # The server.
    def answer(self, asked: Asked) -> Answer:
        with self._lock:
            self.calls.append(asked)
            for place, (end, planted) in enumerate(self.planted):
                if asked.path.endswith(end) and isinstance(planted, Answer):
                    del self.planted[place]
                    return planted
        if self.mode and self.only and self.only.is_this(asked.method, asked.path):
            return self.misbehaving()
        if asked.host == "favicon.ico":
            # What every browser asks for by itself.
            return Answer(204)
        if asked.host in self.login_hosts and asked.path == self.authorize_path:
            return self.authorize(asked)
        if asked.method == "POST" and asked.path == self.token_path:
            time.sleep(self.latency_seconds)
            with self._lock:
                return self.token(asked)
        if asked.method == "POST" and asked.path == self.revoke_path:
            with self._lock:
                return self.revoke(asked)
        return self.granted_api(asked)

    def granted_api(self, asked: Asked) -> Answer:
        with self._lock:
            found = self.access.get(self.bearer(asked))
        if found is None or found[0].revoked or self.now() >= found[1]:
            return self.api_expired()
        if self.mode and not self.only and asked.method in self.acts:
            return self.misbehaving()
        return self.api(asked, found[0])

    def misbehaving(self) -> Answer:
        """Return the answer of a bad day; its connection may be treated badly instead."""
        if self.mode == "401":
            return self.api_expired()
        if self.mode in self.faults:
            return json_answer(*self.faults[self.mode])
        status, body = server.PLAIN.get(self.mode, (BROKEN, b""))
        return Answer(status, body, location=ELSEWHERE if status == 302 else "")

    def authorize(self, asked: Asked) -> Answer:
        told = asked.form if asked.method == "POST" else asked.query
        fault = self.fault_of(told)
        if fault:
            # Never back to an address that is not registered.
            return Answer(400, f"<h1>{html.escape(fault)}</h1>".encode(), "text/html")
        if asked.method == "GET":
            return Answer(200, self.page(told).encode(), "text/html; charset=utf-8")
        if told.get("decision") != "allow":
            back = {"error": "access_denied", "state": told.get("state", "")}
            return Answer(302, location=f"{self.redirect_uri}?{urlencode(back)}")
        code = secrets.token_urlsafe(24)
        self.codes[code] = Code(told, asked.host, self.now())
        back = {"code": code, "state": told.get("state", ""), **self.told_back(asked)}
        return Answer(302, location=f"{self.redirect_uri}?{urlencode(back)}")

    def fault_of(self, told: Mapping[str, str]) -> str:
        if told.get("client_id") != self.client_id:
            return "This app is not known."
        if told.get("redirect_uri") != self.redirect_uri:
            return "The redirect address is not the registered one."
        if told.get("response_type") != "code" or not told.get("scope"):
            return "The request lacks response_type or scope."
        if told.get("code_challenge_method") != "S256" or len(told.get("code_challenge", "")) != 43:
            return "PKCE with S256 is required."
        return ""

    def page(self, told: Mapping[str, str]) -> str:
        hidden = "".join(
            f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
            for name, value in told.items()
        )
        scopes = "".join(
            f"<li><code>{html.escape(scope)}</code></li>"
            for scope in told["scope"].split(self.scope_joint)
        )
        inside = (
            f"{desk_page.banner(self.name)}<p>Sealcast asks to:</p>"
            f'<ul>{scopes}</ul><form method="post" action="?">{hidden}'
            '<button name="decision" value="allow">Allow</button> '
            '<button name="decision" value="deny">Deny</button></form>'
        )
        return desk_page.whole(f"Stand-in of {self.name}", inside)

    def token(self, asked: Asked) -> Answer:
        told = asked.form
        if told.get("client_id") != self.client_id or told.get("client_secret") != self.secret:
            return self.refusal("client")
        if told.get("grant_type") == "authorization_code":
            return self.exchange(asked)
        if told.get("grant_type") == "refresh_token":
            return self.refresh(asked)
        if told.get("grant_type") == "client_credentials" and self.app_hosts:
            return self.as_app(asked)
        return self.refusal("grant_type")

    def as_app(self, asked: Asked) -> Answer:
        if asked.host not in self.app_hosts or not self.runs_as:
            return self.refusal("no_user")
        family = Family(self.client_id, self.app_scope, asked.host)
        self.families.append(family)
        self.tally["as app"] += 1
        return self.granted(family, with_refresh=False)

    def exchange(self, asked: Asked) -> Answer:
        told, code = asked.form, self.codes.get(asked.form.get("code", ""))
        if code is None or self.now() > code.issued + CODE_SECONDS:
            return self.refusal("dead")
        if code.family is not None:
            # A code that comes twice was stolen: what it brought is ended (RFC 6749, 4.1.2).
            code.family.revoked = True
            return self.refusal("dead")
        digest = hashlib.sha256(told.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        same = told.get("redirect_uri") == code.asked["redirect_uri"]
        if challenge != code.asked["code_challenge"] or not same:
            return self.refusal("dead")
        host = self.token_hosts[0] if self.token_hosts else asked.host
        code.family = Family(self.client_id, code.asked["scope"], host)
        code.family.refresh = f"r-{secrets.token_urlsafe(24)}"
        self.families.append(code.family)
        self.tally["exchanged"] += 1
        return self.granted(code.family, with_refresh=True)

    def refresh(self, asked: Asked) -> Answer:
        token = asked.form.get("refresh_token", "")
        found = next((f for f in self.families if token in {f.refresh, *f.spent}), None)
        if found is None or found.revoked:
            self.tally["refused"] += 1
            return self.refusal("dead")
        if token in found.spent:
            self.tally["families revoked"] += not found.revoked
            found.revoked = True
            return self.refusal("dead")
        self.tally["refreshed"] += 1
        if self.loses_rotation:
            # It answers with a new one, and forgets that it did.
            self.loses_rotation = False
            lost = Family(found.client_id, found.scope, found.host, refresh="r-lost")
            return self.granted(lost, with_refresh=True)
        if self.rotates:
            found.spent.add(token)
            found.refresh = f"r-{secrets.token_urlsafe(24)}"
        return self.granted(found, with_refresh=self.rotates)

    def granted(self, family: Family, *, with_refresh: bool) -> Answer:
        access = f"a-{secrets.token_urlsafe(24)}"
        self.access[access] = (family, self.now() + self.expires_seconds)
        found = self.token_answer(family, access)
        if with_refresh:
            found["refresh_token"] = family.refresh
        return json_answer(200, found)

    def revoke(self, asked: Asked) -> Answer:
        token = asked.form.get("token") or asked.query.get("token", "")
        found = next((f for f in self.families if token in {f.refresh, *f.spent}), None)
        by_access = self.access.get(token)
        family = found or (by_access[0] if by_access else None)
        if family is not None:
            family.revoked = True
        self.tally["revoked on request"] += family is not None
        return self.revoked(known=family is not None)

    def revoked(self, *, known: bool) -> Answer:
        return Answer(200)

    def start(self, port: int = 0) -> str:
        """Listen on loopback and return the address."""
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.005,), daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self.released.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


@contextmanager
def running(simulator: Simulator) -> Iterator[str]:
    address = simulator.start()
    try:
        yield address
    finally:
        simulator.stop()


def press(address: str, decision: str = "allow") -> str:
    """Press a button of the vendor's page, as a person does; return where it leads."""
    parts = urlsplit(address)
    told = {**dict(parse_qsl(parts.query)), "decision": decision}
    wire = HTTPConnection(parts.netloc, timeout=5)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    wire.request("POST", parts.path, urlencode(told), headers)
    answer = wire.getresponse()
    answer.read()
    wire.close()
    return answer.getheader("Location") or f"refused:{answer.status}"


def _whole(asked: BaseHTTPRequestHandler) -> bytes:
    if asked.headers.get("Transfer-Encoding", "").lower() != "chunked":
        return asked.rfile.read(int(asked.headers.get("Content-Length") or 0))
    # As JavaScript's clients send a form.
    parts = []
    while size := int(asked.rfile.readline().split(b";")[0], 16):
        parts.append(asked.rfile.read(size))
        asked.rfile.readline()
    asked.rfile.readline()
    return b"".join(parts)


def _handler(simulator: Simulator) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body go in two: held back, the second waits 40 ms for an acknowledgement.
        disable_nagle_algorithm = True

        def handle_any(self) -> None:
            parts = urlsplit(self.path)
            _, host, *rest = parts.path.split("/", 2)
            body = _whole(self)
            sent = (
                "" if self.headers.get("Content-Type") == JSON else body.decode("utf-8", "replace")
            )
            asked = Asked(
                self.command,
                host,
                "/" + "".join(rest),
                dict(parse_qsl(parts.query)),
                dict(parse_qsl(sent)),
                dict(self.headers),
                body,
            )
            front = None if host else simulator.front
            answer = front(asked) if front else simulator.answer(asked)
            if answer.status == BROKEN:
                self.close_connection = True
                with suppress(OSError):
                    server.BROKEN[simulator.mode](self, simulator)
            elif not answer.status:
                self.close_connection = True
                self.wfile.write(answer.body)
            else:
                self.reply(answer)

        def reply(self, answer: Answer) -> None:
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.kind)
            self.send_header("Content-Length", str(len(answer.body)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.location:
                self.send_header("Location", answer.location)
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handle_any  # noqa: N815 the names that the base class looks for

        def log_message(self, *_args: Any) -> None:
            return

    return Handler
