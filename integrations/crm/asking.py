"""How is a CRM's API asked? With the connection's token; an answer becomes facts or an error."""

import json
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from config.lib import http
from integrations import tokens, verdicts
from integrations.crm.base import CrmError
from integrations.tokens import Now
from integrations.verdicts import Verdict

# Where a provider asks us to wait and does not say how long.
BUSY_SECONDS = 10.0
WAIT_MAX_SECONDS = 3600.0
WORD = re.compile(r"[^A-Za-z0-9_]")


class Asker:
    """Asks for one connection. It knows tokens and verdicts, and nothing of contacts."""

    def __init__(
        self,
        *,
        connection_id: uuid.UUID,
        provider: str,
        now: Now,
        leaving: Callable[[], object] | None = None,
    ) -> None:
        self._id, self._provider, self._now = connection_id, provider, now
        self._leaving = leaving

    def ask(
        self,
        purpose: str,
        method: str,
        path: str,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        once: bool = False,
    ) -> http.Answer:
        """Return an answer that says yes.

        `once`: done twice it would stand there twice, so a server's fault leaves it unknown.
        :raises CrmError: anything else; `told` is the provider's own word for it.
        """
        sent = None if body is None else json.dumps(body).encode()
        kind = {} if body is None else {"Content-Type": "application/json"}
        try:
            verdict, answer = tokens.call(
                connection_id=self._id,
                purpose=purpose,
                method=method,
                path=path,
                body=sent,
                headers={**kind, **(headers or {})},
                now=self._now,
                leaving=self._leaving,
            )
        except tokens.NotConnected:
            raise CrmError("permanent", "not_connected") from None
        except tokens.TokenUnavailable as busy:
            raise CrmError("transient", "no_token", wait_seconds=BUSY_SECONDS) from busy
        except http.Refused:
            raise CrmError("permanent", "host_refused") from None
        except http.CallFailed as failed:
            raise CrmError(failed.outcome, "no_answer") from None
        _require_done(verdict, answer, once=once)
        return answer


def read(answer: http.Answer) -> Any:
    """Return the JSON of an answer.

    :raises CrmError: it is none.
    """
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        raise CrmError("unknown", "unreadable") from None


def members(found: Any, name: str) -> list[dict[str, Any]]:
    """Return the list of objects under a name.

    :raises CrmError: there is no such list.
    """
    rows = found.get(name) if isinstance(found, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise CrmError("unknown", "unreadable")
    return rows


def header(answer: http.Answer, name: str) -> str:
    """Return a header, whatever its letters; empty if there is none."""
    wanted = name.lower()
    return next((value for key, value in answer.headers.items() if key.lower() == wanted), "")


def number(text: object) -> float | None:
    """Return a number that stands in a text, if it is one."""
    try:
        found = float(str(text))
    except ValueError:
        return None
    return found if 0 <= found < 1e12 else None


def word(told: object) -> str:
    """Return a provider's word for something, fit for a page."""
    return WORD.sub("_", str(told or ""))[:40]


def _require_done(verdict: Verdict, answer: http.Answer, *, once: bool) -> None:
    if verdict.cause == "ok":
        return
    wait = 0.0
    if verdict.outcome == "transient":
        told = number(header(answer, "Retry-After"))
        wait = min(told if told is not None else BUSY_SECONDS, WAIT_MAX_SECONDS)
    outcome = "permanent" if verdict.outcome == "done" else verdict.outcome
    if once and verdict.cause == "down":
        outcome = "unknown"
    told_word = verdicts.word(body=answer.body) or verdict.code
    raise CrmError(outcome, verdict.cause, told=told_word, wait_seconds=wait)
