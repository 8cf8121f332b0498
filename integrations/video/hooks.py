"""What may be believed of what an AI vendor posts? At most that it is time to ask.

Signed or not, a post only wakes a poll: state, address and words are always read again from the
API. Nothing of the body is kept but the name of a job; it may echo the script.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, runtime_checkable

from integrations.video.wire import JOB_ID

# A post older than this is a replay, or so late that the poll has been there already.
OLDEST, AHEAD = timedelta(minutes=15), timedelta(minutes=5)


class NotNews(ValueError):
    """What came to the webhook is not in this vendor's format."""


class NotSigned(NotNews):
    """What came lacks the signature that this vendor puts under everything it posts."""


@dataclass(frozen=True)
class News:
    """Something happened to a job; `name` is the same for the same event."""

    job_id: str
    name: str


@runtime_checkable
class TellsNews(Protocol):
    """A vendor that posts to us when a job has ended."""

    def read_news(self, *, body: bytes, headers: Mapping[str, str], at: datetime) -> News | None:
        """Read what was posted; None if it tells nothing we act upon.

        :raises NotSigned: the vendor signs, and this is not signed by it, or is too old.
        :raises NotNews: it is not in the vendor's format.
        """


def load(body: bytes) -> dict[str, Any]:
    """Return the JSON object of a post.

    :raises NotNews: it is none.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise NotNews from None
    if not isinstance(found, dict):
        raise NotNews
    return found


def require_signed(*, secret: str, signed: bytes, signature: str, stamp: str, at: datetime) -> None:
    """Compare an HMAC-SHA256 in hex, in constant time, and the age of a stamp in unix seconds.

    :raises NotSigned: the secret is not entered, or the signature or the age does not hold.
    """
    told = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    if not secret or not hmac.compare_digest(told.encode(), signature.strip().lower().encode()):
        raise NotSigned
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        raise NotSigned
    age = timedelta(seconds=at.timestamp() - int(stamp))
    if not -AHEAD <= age <= OLDEST:
        raise NotSigned


def news_of(*, job_id: str, name: str) -> News:
    """Return the news about a job.

    :raises NotNews: it names no job.
    """
    if not JOB_ID.fullmatch(job_id):
        raise NotNews
    return News(job_id, f"video:{name or job_id}"[:128])


def body_name(body: bytes) -> str:
    """Return a name for a post that has none: the same bytes are the same event."""
    return hashlib.sha256(body).hexdigest()
