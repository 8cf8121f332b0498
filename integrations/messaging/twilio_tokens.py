"""How does an account at Twilio show that it may call? By a token for its OAuth app, an hour each.

Client credentials only: no person signs in, nothing is refreshed, and a new token does not end the
one before it. So each process asks for its own and keeps it in memory: none is ever at rest. The
auth token stays what Twilio signs its posts with; an app does not replace it.
"""

import hashlib
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from integrations.messaging.base import ProviderError
from integrations.messaging.wire import Reply, Wire, text

PATH = "/v2/token"
# Asked for anew while the one before it still holds for so long, for calls that are under way.
EARLY_SECONDS = 60.0
USUAL_SECONDS, LONGEST_SECONDS = 3600, 30 * 24 * 3600
# A token so young is not at fault for a refusal: a new one would be refused as well.
YOUNG_SECONDS = 30.0
REFUSED = frozenset({400, 401, 403})
# What stands in a header may hold no blank and no line break.
_TOKEN = re.compile(r"[\x21-\x7e]{1,8000}")


@dataclass(frozen=True)
class _Token:
    value: str
    asked_at: float
    good_until: float


class Tokens:
    """The token of one app, for all threads of this process: one asks, the others wait for it."""

    def __init__(self, ask: Callable[[], Reply], now: Callable[[], float] = time.monotonic) -> None:
        self._ask, self._now = ask, now
        self._lock = threading.Lock()
        self._held: _Token | None = None

    def current(self, *, refused: str = "") -> str:
        """Return a token that holds; `refused`: one that Twilio took no more.

        :raises ProviderError: no token came; nothing has left. The code is `account_refused` where
            the app's id or secret is wrong.
        """
        with self._lock:
            held, now = self._held, self._now()
            if held and now < held.good_until and not self._is_worn(held, refused, now):
                return held.value
            self._held = self._new(now)
            return self._held.value

    def _is_worn(self, held: _Token, refused: str, now: float) -> bool:
        return held.value == refused and now - held.asked_at > YOUNG_SECONDS

    def _new(self, now: float) -> _Token:
        try:
            reply = self._ask()
        except ProviderError:
            # Whatever became of this request, no message has left.
            raise ProviderError("transient", "no_answer") from None
        value = text(reply.body, "access_token")
        if reply.is_good and _TOKEN.fullmatch(value):
            return _Token(value, now, now + _good_for(reply))
        code = "account_refused" if reply.status in REFUSED else f"http_{reply.status}"
        raise ProviderError("transient", code)


def of(*, wire: Wire, client_id: str, client_secret: str) -> Tokens:
    """Return the tokens of an app, the same ones for all who ask in this process."""
    name = hashlib.sha256(f"{wire.origin}\n{client_id}\n{client_secret}".encode()).hexdigest()
    fields = {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_secret": client_secret,
    }
    # An app whose secret was changed leaves a few bytes behind until the process ends.
    return _KEPT.setdefault(name, Tokens(lambda: wire.form(PATH, fields)))


def _good_for(reply: Reply) -> float:
    told = text(reply.body, "expires_in")
    seconds = int(told) if told.isascii() and told.isdigit() else USUAL_SECONDS
    seconds = min(seconds, LONGEST_SECONDS)
    # The console allows a minute: of that, half.
    return max(seconds - EARLY_SECONDS, seconds / 2)


_KEPT: dict[str, Tokens] = {}
