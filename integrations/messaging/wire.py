"""How does a messaging provider's answer become one of three outcomes? Written once for all.

A request that may have arrived is `unknown`, whatever broke afterwards: too large an answer, a
page of HTML, a server that failed. A second message to a person is worse than a parked one.
"""

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

from config.lib import http
from integrations import inbox
from integrations import wire as calls
from integrations.messaging.base import ProviderError
from integrations.models import Connection

# The one host that each provider is called on; a connection cannot name another.
ORIGINS = {
    "twilio": "https://api.twilio.com",
    "twilio_content": "https://content.twilio.com",
    "twilio_oauth": "https://oauth.twilio.com",
    "wati": "https://live-mt-server.wati.io",
    "gupshup": "https://api.gupshup.io",
    "sendgrid": "https://api.sendgrid.com",
    "sendgrid_eu": "https://api.eu.sendgrid.com",
}
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
# Of Meta, whichever provider passes it on: the person stopped marketing from this sender.
STOPPED_CODES = frozenset({"21610", "131050"})
# Not taken, and tomorrow it may be: queues, rates and balances.
BUSY_CODES = frozenset({"20429", "21611", "63038", "471", "131048", "130429", "1003"})
OUTSIDE_WINDOW_CODES = frozenset({"63016", "131047", "470"})
ACCOUNT_STATUSES = frozenset({401, 403})
RATE_STATUS, TIMEOUT_STATUS, UNAUTHORIZED_STATUS = 429, 408, 401
# Shorter than any server we know keeps a connection without a word.
KEPT_SECONDS = 1.0
FASTEST = 1_000_000.0
# Messages a second of one sender where nobody has said what the account may; the vendors publish
# none for all accounts, so that these are on the safe side.
PER_SECOND = {"twilio": 10.0, "wati": 5.0, "gupshup": 10.0, "sendgrid": 50.0, "smtp": 5.0}


def per_second(*, provider: str, held: Mapping[str, str]) -> float:
    """Return how many messages a second a vendor takes of an account, as typed or as is safe."""
    try:
        return pace_of(held.get("per_second") or "")
    except ValueError:
        return PER_SECOND[provider]


def pace_of(typed: str) -> float:
    """Read how many messages a second somebody typed.

    :raises ValueError: it is no such number.
    """
    try:
        found = float(typed)
    except ValueError:
        found = 0.0
    if not 0 < found < FASTEST:
        raise ValueError("Enter a number of messages, such as 10 or 0.5.")
    return found


@dataclass(frozen=True)
class Reply:
    """What a provider answered: a status, and its body where that is a JSON object."""

    status: int
    body: Mapping[str, Any] | None = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300


class KeepsTokens(Protocol):
    """What shows a token instead of a key."""

    def current(self, *, refused: str = "") -> str:
        """Return a token that holds; `refused`: one that was taken no more.

        :raises ProviderError: none came, and nothing has left.
        """


class Wire:
    """The calls of one connection to its provider's one host."""

    def __init__(
        self,
        connection: Connection,
        headers: Mapping[str, str],
        *,
        place: str = "",
        tokens: KeepsTokens | None = None,
    ) -> None:
        # `place` names the host where a provider has several, one for each region.
        origin = ORIGINS[place or connection.provider]
        self.origin = calls.shown(provider=connection.provider, url=origin)
        self._headers, self._tokens = dict(headers), tokens
        # One a thread: a session is not made for several.
        self._own = threading.local()

    def form(self, path: str, fields: Mapping[str, str]) -> Reply:
        """Post a form that acts.

        :raises ProviderError: no answer, with its outcome.
        """
        return self._post(path, urlencode(fields).encode(), FORM)

    def json(self, path: str, body: Mapping[str, object]) -> Reply:
        """Post JSON that acts.

        :raises ProviderError: no answer, with its outcome.
        """
        return self._post(path, json.dumps(body).encode(), JSON)

    def get(self, path: str, fields: Mapping[str, str]) -> Reply:
        """Read what changes nothing: every failure is transient.

        :raises ProviderError: no answer.
        """
        try:
            return self._call("GET", f"{path}?{urlencode(fields)}", None, self._headers)
        except ProviderError as failed:
            code = "account_refused" if failed.code == "account_refused" else "no_answer"
            raise ProviderError("transient", code) from None

    def _post(self, path: str, body: bytes, content_type: str) -> Reply:
        return self._call("POST", path, body, {**self._headers, "Content-Type": content_type})

    def _client(self) -> http.Client:
        """Return this thread's client, without a connection that has been idle for long.

        One that the other side has closed would break after the request left, and its message would
        have to be parked as unknown.
        """
        idle_seconds = time.monotonic() - getattr(self._own, "used_at", 0.0)
        if idle_seconds > KEPT_SECONDS:
            parts = urlsplit(self.origin)
            loopback = parts.scheme == "http"
            self._own.client = http.Client(hosts=[parts.hostname or ""], loopback=loopback)
        client: http.Client = self._own.client
        return client

    def _call(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Reply:
        if self._tokens is None:
            return self._once(method, path, body, headers)
        token = self._tokens.current()
        reply = self._once(method, path, body, {**headers, "Authorization": f"Bearer {token}"})
        if reply.status != UNAUTHORIZED_STATUS:
            return reply
        # Who is not let in was not heard: the same request again is no second message.
        again = self._tokens.current(refused=token)
        if again == token:
            return reply
        return self._once(method, path, body, {**headers, "Authorization": f"Bearer {again}"})

    def _once(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Reply:
        client = self._client()
        try:
            answer = client.call(
                method, f"{self.origin}{path}", headers={**headers, "Accept": JSON}, body=body
            )
        except http.Refused:
            raise ProviderError("transient", "host_refused") from None
        except http.CallFailed as failed:
            # An answer too large is an answer: the request was read.
            left = failed.outcome != "transient"
            raise ProviderError(
                "unknown" if left else "transient", "no_answer" if left else "no_connection"
            ) from None
        finally:
            self._own.used_at = time.monotonic()
        return Reply(answer.status, _object(answer.body), answer.headers)


def refusal(reply: Reply, code: str) -> ProviderError:
    """Return what a reply without success means; `code` is the provider's own, empty if none."""
    if code in STOPPED_CODES:
        return ProviderError("permanent", inbox.OPTED_OUT)
    if code in OUTSIDE_WINDOW_CODES:
        return ProviderError("permanent", "outside_whatsapp_window")
    if reply.status == RATE_STATUS or code in BUSY_CODES:
        return ProviderError("transient", code or "busy")
    if reply.status in ACCOUNT_STATUSES:
        # Our key is wrong, not the person's number: the message waits for whoever mends it.
        return ProviderError("transient", "account_refused")
    if 400 <= reply.status < 500 and reply.status != TIMEOUT_STATUS:
        return ProviderError("permanent", code or f"http_{reply.status}")
    if reply.is_good and code:
        return ProviderError("permanent", code)
    # A failing server, a redirect, or a success without the name of the message.
    return ProviderError("unknown", code or f"http_{reply.status}")


def text(body: Mapping[str, Any] | None, *path: str | int) -> str:
    """Return a text or number at a place in a provider's JSON; empty if there is none."""
    found: Any = body
    for step in path:
        try:
            found = found[step]
        except (KeyError, IndexError, TypeError):
            return ""
    if isinstance(found, bool) or not isinstance(found, str | int):
        return ""
    return str(found)


def _object(body: bytes) -> Mapping[str, Any] | None:
    # RecursionError: a body of brackets only is a known way to break a reader.
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
