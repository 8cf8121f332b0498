"""How does an AI vendor's answer become one of three outcomes? Written once for all of them.

Bodies may echo the script, so that none is ever logged, or kept beyond the code in it.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from config.lib import http
from integrations import providers
from integrations import wire as calls
from integrations.vendors import VideoVendor
from integrations.video.base import Moved, NotFound, ProviderError, refuse_redirect

JSON = "application/json"
LARGEST_FILM_BYTES = 300 << 20
# Less than the lease of a step (`videos.rendering`): two workers never fetch one film.
FILM_SECONDS = 240
# Instead of the vendor's own host, by its name; for stand-ins on this machine.
STAND_INS: dict[str, str] = {}
# Words for "not today" and "never", in whatever vendor's body they stand.
LATER_CODES = frozenset(
    "rate_limit_exceeded insufficient_credit quota_exceeded unauthorized forbidden "
    "authorizationerror permissionerror insufficientcreditserror toomanyrequestserror "
    "notreadyerror internal_error".split()
)
# Our key, our credit or their queue; 402 and 403 wait for whoever mends the account.
LATER_STATUSES = frozenset({401, 402, 403, 409, 425, 429})
REFUSED_STATUS, TIMEOUT_STATUS, GONE_STATUS = 401, 408, 404
JOB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")
_CODE = re.compile(r"[^a-z0-9_]+")


@dataclass(frozen=True)
class Reply:
    """What a vendor answered: a status, and its body where that is a JSON object."""

    status: int
    raw: bytes = field(repr=False)
    body: Mapping[str, Any] | None = field(repr=False)

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_absence(self) -> bool:
        # In the vendor's own words: the page of a proxy that is lost is no proof that a copy is.
        return self.status == GONE_STATUS and self.body is not None


class Opener(Protocol):
    """What opens an account: headers, and others where the first are no longer taken."""

    def headers(self) -> Mapping[str, str]:
        """Return what opens the account.

        :raises ProviderError: a person has to act first.
        """

    def renewed(self) -> Mapping[str, str] | None:
        """Return what opens it now that those were refused; None if there is nothing else."""


class Wire:
    """The calls of one account to its vendor's one host, and the one way to fetch a film."""

    def __init__(self, vendor: VideoVendor, opener: Opener) -> None:
        self._vendor, self._opener = vendor, opener
        shown = calls.shown(provider=vendor.slug, url=vendor.origin)
        self._origin = STAND_INS.get(vendor.slug, shown)
        parts = urlsplit(self._origin)
        self._host, self._is_stand_in = parts.hostname or "", parts.scheme == "http"

    def post(self, path: str, body: Mapping[str, object]) -> Reply:
        """Post what acts.

        :raises ProviderError: no answer, with its outcome.
        """
        return self._call("POST", path, json.dumps(body).encode())

    def get(self, path: str) -> Reply:
        """Read what changes nothing: every failure is transient.

        :raises ProviderError: no answer.
        """
        return self._again("GET", path)

    def delete(self, path: str) -> Reply:
        """Delete; a second time does no harm, so that every failure is transient.

        :raises ProviderError: no answer.
        """
        return self._again("DELETE", path)

    def film(self, url: str) -> bytes:
        """Fetch a finished film from one of the vendor's download hosts; the key stays at home.

        :raises Moved: it lies on another host, or its host sends us elsewhere.
        :raises NotFound: it is not there (any more).
        :raises ProviderError: no whole answer came, or it is too large.
        """
        known = [self._host] if self._is_stand_in else self._vendor.download_hosts
        host = (urlsplit(url).hostname or "") if self._is_stand_in else providers.host_of(url)
        if host not in known:
            raise Moved("other_download_host")
        client = http.Client(hosts=known, loopback=self._is_stand_in)
        try:
            answer = _answered(client, "GET", url, LARGEST_FILM_BYTES)
        except Moved:
            raise
        except ProviderError as failed:
            raise ProviderError("transient", failed.code) from None
        if answer.status == GONE_STATUS:
            raise NotFound
        if answer.status != 200:
            raise ProviderError("transient", f"film_http_{answer.status}")
        return answer.body

    def _again(self, method: str, path: str) -> Reply:
        try:
            return self._call(method, path, None)
        except Moved:
            raise
        except ProviderError as failed:
            raise ProviderError("transient", failed.code) from None

    def _call(self, method: str, path: str, body: bytes | None) -> Reply:
        reply = self._once(method, path, body, self._opener.headers())
        renewed = self._opener.renewed() if reply.status == REFUSED_STATUS else None
        # Who is not let in has ordered nothing: the one case in which an order is sent again.
        return reply if renewed is None else self._once(method, path, body, renewed)

    def _once(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Reply:
        client = http.Client(hosts=[self._host], loopback=self._is_stand_in)
        url, kind = f"{self._origin}{path}", {"Content-Type": JSON} if body else {}
        told = {**headers, **kind, "Accept": JSON}
        answer = _answered(client, method, url, http.BODY_LIMIT_BYTES, body=body, headers=told)
        return Reply(answer.status, answer.body, _object(answer.body))


def refusal(reply: Reply, code: str) -> ProviderError:
    """Return what an order without a job means; `code` is the vendor's own, empty if none."""
    code = _CODE.sub("_", code.lower()).strip("_")[:40]
    if reply.status in LATER_STATUSES or code in LATER_CODES:
        return ProviderError("transient", code or f"http_{reply.status}")
    if 400 <= reply.status < 500 and reply.status != TIMEOUT_STATUS:
        return ProviderError("permanent", code or f"http_{reply.status}")
    if reply.is_good and code:
        return ProviderError("permanent", code)
    # A failing server, or a success without the name of a job: there may be one.
    return ProviderError("unknown", code or f"http_{reply.status}")


def text(body: object, *path: str | int) -> str:
    """Return a text or number at a place in a vendor's JSON; empty if there is none."""
    found: Any = body
    for step in path:
        try:
            found = found[step]
        except (KeyError, IndexError, TypeError):
            return ""
    if isinstance(found, bool) or not isinstance(found, str | int):
        return ""
    return str(found)


def rows(body: object, name: str) -> list[Mapping[str, Any]] | None:
    """Return the objects of a list in a vendor's JSON; None if there is no such list."""
    found = body.get(name) if isinstance(body, Mapping) else None
    if not isinstance(found, list):
        return None
    return [row for row in found if isinstance(row, dict)]


def _answered(
    client: http.Client,
    method: str,
    url: str,
    limit_bytes: int,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> http.Answer:
    is_film = limit_bytes == LARGEST_FILM_BYTES
    try:
        answer = client.call(
            method,
            url,
            headers=headers,
            body=body,
            limit_bytes=limit_bytes,
            whole_seconds=FILM_SECONDS if is_film else 0,
        )
    except http.Refused:
        raise Moved("host_refused") from None
    except http.CallFailed as failed:
        # An answer that is too large is an answer: the request was read.
        if failed.outcome == "transient":
            raise ProviderError("transient", "no_connection") from None
        raise ProviderError("unknown", "no_answer") from None
    refuse_redirect(answer.status)
    return answer


def _object(body: bytes) -> Mapping[str, Any] | None:
    # RecursionError: a body of brackets only is a known way to break a reader.
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
