"""What does a provider's answer mean? Read from tables: the status alone says too little.

Zoho refuses a dead token with 200; Salesforce says with 401 both "refresh" and "never".
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Literal

from config.lib.http import Outcome

Cause = Literal[
    "ok", "dead", "client", "request", "busy", "down", "unreadable", "expired", "forbidden"
]


@dataclass(frozen=True)
class Verdict:
    """`outcome` says whether to try again, `cause` what to do, `code` what the provider called it.

    dead: the person has to connect again. client: the app's id or secret is wrong; the person is
    not to blame. expired: refresh, and ask once more. The rest mends itself or is our fault.
    """

    outcome: Outcome | Literal["done"]
    cause: Cause
    code: str = ""


DONE = Verdict("done", "ok")
NO_ANSWER = Verdict("unknown", "unreadable", "no_json")
Meaning = tuple[Outcome, Cause]
DEAD: Meaning = ("permanent", "dead")
CLIENT: Meaning = ("permanent", "client")
REQUEST: Meaning = ("permanent", "request")
BUSY: Meaning = ("transient", "busy")
DOWN: Meaning = ("transient", "down")

# Of the token endpoint, by the provider's word; first of one provider, then of all.
TOKEN_WORDS: dict[tuple[str, str], Meaning] = {
    ("hubspot", "BAD_REFRESH_TOKEN"): DEAD,
    ("hubspot", "BAD_AUTH_CODE"): DEAD,
    ("hubspot", "BAD_CLIENT_ID"): CLIENT,
    ("hubspot", "BAD_CLIENT_SECRET"): CLIENT,
    ("salesforce", "inactive_user"): DEAD,
    ("salesforce", "inactive_org"): DEAD,
    ("salesforce", "invalid_client_id"): CLIENT,
    ("salesforce", "invalid_client_credentials"): CLIENT,
    ("salesforce", "rate_limit_exceeded"): BUSY,
    ("zoho", "invalid_code"): DEAD,
    ("zoho", "invalid_client_secret"): CLIENT,
    # Ten refreshes in ten minutes, then nothing for the rest of them.
    ("zoho", "Access Denied"): BUSY,
    ("", "invalid_grant"): DEAD,
    ("", "invalid_client"): CLIENT,
    ("", "unauthorized_client"): CLIENT,
    ("", "invalid_request"): REQUEST,
    ("", "invalid_scope"): REQUEST,
    ("", "invalid_redirect_uri"): REQUEST,
    ("", "redirect_uri_mismatch"): REQUEST,
    ("", "unsupported_grant_type"): REQUEST,
    ("", "temporarily_unavailable"): DOWN,
    ("", "server_error"): DOWN,
    ("", "slow_down"): BUSY,
}

# Of the API, where the word decides and not the status.
API_WORDS: dict[tuple[str, str], Meaning] = {
    ("salesforce", "INVALID_SESSION_ID"): ("permanent", "expired"),
    ("salesforce", "REQUEST_LIMIT_EXCEEDED"): BUSY,
    ("salesforce", "API_DISABLED_FOR_ORG"): ("permanent", "forbidden"),
    ("hubspot", "EXPIRED_AUTHENTICATION"): ("permanent", "expired"),
    ("hubspot", "INVALID_AUTHENTICATION"): ("permanent", "expired"),
    ("hubspot", "MISSING_SCOPES"): ("permanent", "forbidden"),
    ("zoho", "INVALID_TOKEN"): ("permanent", "expired"),
    ("zoho", "OAUTH_SCOPE_MISMATCH"): ("permanent", "forbidden"),
    ("zoho", "TOO_MANY_REQUESTS"): BUSY,
}
# What is said of a token that cannot be revoked because it is no more.
GONE = {"invalid_token", "invalid_code", "invalid_grant", "BAD_REFRESH_TOKEN"}
HIDDEN = re.compile(r"[^!-~]")
# Salesforce says these with 401 too; a new token would be refused again, for ever.
NEVER = ("Connected app is not attached to Agent", "not valid for use with the REST API")


def of_token(*, provider: str, status: int, body: bytes) -> Verdict:
    """Judge the answer of a token endpoint to a code or to a refresh token."""
    found = _read(body)
    words = _words(found)
    # What a struggling server says of a token is not believed: a wrong "dead" stops the work.
    for word in words if status < 500 and status != 429 else []:
        known = TOKEN_WORDS.get((provider, word)) or TOKEN_WORDS.get(("", word))
        if known is not None:
            return Verdict(known[0], known[1], _code(word))
    if status >= 400:
        return _by_status(status)
    if words:
        return Verdict("unknown", "unreadable", _code(words[0]))
    if status == 200 and isinstance(found, dict) and _is_token(found.get("access_token")):
        return DONE
    return Verdict("unknown", "unreadable", "not_a_token")


def of_revocation(*, provider: str, status: int, body: bytes) -> Verdict:
    """Judge the answer to a revocation: `ok` or `dead` both mean that the token is gone."""
    words = _words(_read(body))
    if any(word in GONE for word in words):
        return Verdict("permanent", "dead", "gone")
    # RFC 7009: 200 and nothing to read. Zoho says "success", or an error with 200.
    bad = [word for word in words if word.lower() not in {"success", "ok"}]
    if 200 <= status < 300:
        return Verdict("unknown", "unreadable", _code(bad[0])) if bad else DONE
    return _by_status(status)


def of_api(*, provider: str, status: int, body: bytes) -> Verdict:
    """Judge the answer of an API, for what it says of the token and of trying again."""
    if any(never.encode() in body for never in NEVER):
        return Verdict("permanent", "forbidden", "not_for_the_api")
    for word in _words(_read(body)):
        known = API_WORDS.get((provider, word))
        if known is not None:
            return Verdict(known[0], known[1], _code(word))
    if 200 <= status < 300:
        return DONE
    return Verdict("permanent", "expired", "401") if status == 401 else _by_status(status)


def says_something(*, body: bytes) -> bool:
    """Say whether a success is one by its body too: an object, and no error in it."""
    found = _read(body)
    is_error = isinstance(found, dict) and (
        found.get("status") == "error" or not {"error", "errorCode"}.isdisjoint(found)
    )
    return isinstance(found, dict) and not is_error


def word(*, body: bytes) -> str:
    """Return what the provider called it, fit for a page; empty if it did not say."""
    found = _read(body)
    told = found if isinstance(found, dict) else {}
    names = ("errorCode", "category", "code", "errorType", "error", "status")
    return next((_code(told[name]) for name in names if isinstance(told.get(name), str)), "")


def _by_status(status: int) -> Verdict:
    code = str(status)
    if status == 429:
        return Verdict(*BUSY, code)
    if status == 408 or status >= 500:
        return Verdict(*DOWN, code)
    if status == 403:
        return Verdict("permanent", "forbidden", code)
    if 400 <= status < 500:
        return Verdict("permanent", "request", code)
    return Verdict("unknown", "unreadable", code)


def _read(body: bytes) -> Any:
    try:
        found = json.loads(body)
    # A document of ten thousand brackets is a fault of theirs, not of ours.
    except (ValueError, RecursionError):
        return None
    # Salesforce's API answers with a list of errors.
    return found[0] if isinstance(found, list) and found else found


def _words(found: Any) -> list[str]:
    """Return what may name an error, the most telling first."""
    if not isinstance(found, dict):
        return []
    if _is_token(found.get("access_token")) and "error" not in found:
        return []
    names = ("status", "error", "errorCode", "category", "code")
    told = [found.get(name) for name in names]
    # HeyGen's error is an object with a code.
    plain = [one.get("code") if isinstance(one, dict) else one for one in told]
    return [one for one in plain if isinstance(one, str) and one]


def _is_token(value: object) -> bool:
    # What is sent in a header must not be able to end it.
    return isinstance(value, str) and 0 < len(value) <= 4096 and not HIDDEN.search(value)


def _code(word: str) -> str:
    # The provider's own text goes to the trail and to a page: letters only, and not many.
    return "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in word)[:40]
