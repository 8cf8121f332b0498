"""What is true of each provider that is opened by keys, and has facts that nobody confirms?

As in `integrations.providers`: what stands in `unconfirmed` is corrected in the file that
SEALCAST_PROVIDER_FACTS names, without a release.
"""

from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings

from integrations.providers import UnknownFact

# No source says how long backups keep a copy: taken to be the longest that any of them admits to.
NOBODY_SAYS_DAYS = 90


@dataclass(frozen=True)
class VideoVendor:
    """One AI vendor: the one host of its API, and how its videos come and go."""

    slug: str
    origin: str
    # Where a finished video lies. The key is not sent there; anything else is an incident.
    download_hosts: tuple[str, ...]
    region: str
    residual_days: int
    # How silence is written into a script, and the longest that one such mark can be.
    pause: str = '<break time="{seconds}s"/>'
    longest_pause_ms: int = 10_000
    signature_header: str = ""
    timestamp_header: str = ""
    event_header: str = ""
    # What makes a deletion a real one, where the vendor only hides without it.
    delete_query: str = ""
    unconfirmed: tuple[str, ...] = ()


COMMON = ("download_hosts", "region", "residual_days", "pause", "longest_pause_ms")
SIGNED = ("signature_header", "timestamp_header")

HEYGEN = VideoVendor(
    slug="heygen",
    origin="https://api.heygen.com",
    download_hosts=("files.heygen.ai", "files2.heygen.ai", "resource.heygen.ai"),
    region="us",
    residual_days=NOBODY_SAYS_DAYS,
    signature_header="Heygen-Signature",
    timestamp_header="Heygen-Timestamp",
    event_header="Heygen-Event-Id",
    unconfirmed=(*COMMON, *SIGNED, "event_header"),
)
SYNTHESIA = VideoVendor(
    slug="synthesia",
    origin="https://api.synthesia.io",
    download_hosts=("synthesia-ttv-data.s3.amazonaws.com",),
    region="eu",
    # Its help pages: a deletion may take up to 90 days to be permanent.
    residual_days=90,
    signature_header="Synthesia-Signature",
    timestamp_header="Synthesia-Timestamp",
    unconfirmed=("download_hosts", "region", "pause", "longest_pause_ms"),
)
TAVUS = VideoVendor(
    slug="tavus",
    origin="https://tavusapi.com",
    download_hosts=("stream.mux.com",),
    region="us",
    residual_days=NOBODY_SAYS_DAYS,
    delete_query="hard=true",
    unconfirmed=(*COMMON, "delete_query"),
)
DID = VideoVendor(
    slug="did",
    origin="https://api.d-id.com",
    download_hosts=("d-id-talks-prod.s3.us-west-2.amazonaws.com",),
    region="us",
    residual_days=NOBODY_SAYS_DAYS,
    pause='<break time="{ms}ms"/>',
    longest_pause_ms=5_000,
    unconfirmed=COMMON,
)
TABLE = {row.slug: row for row in (HEYGEN, SYNTHESIA, TAVUS, DID)}


def get(slug: str) -> VideoVendor:
    """Return an AI vendor, with this installation's corrections.

    :raises UnknownFact: the corrections name a fact that is confirmed, or none, or are unusable.
    """
    row, facts = TABLE[slug], settings.PROVIDER_FACTS.get(slug, {})
    if unknown := sorted(set(facts) - set(row.unconfirmed)):
        raise UnknownFact(f"{slug}: {', '.join(unknown)}")
    read = {name: _fact(slug, name, value, getattr(row, name)) for name, value in facts.items()}
    made = replace(row, **read)
    try:
        made.pause.format(ms=1, seconds="1")
    except (LookupError, ValueError):
        raise UnknownFact(f"{slug}: pause") from None
    return made


def require_facts() -> None:
    """Read every correction once, so that a wrong one stops the start and not a render.

    :raises UnknownFact: as `get`.
    """
    for slug in TABLE:
        get(slug)


def _fact(slug: str, name: str, value: Any, held: Any) -> Any:
    if isinstance(held, tuple):
        # One text in place of a list would be searched for a host letter by letter.
        fits = isinstance(value, list) and all(isinstance(one, str) and one for one in value)
    elif isinstance(held, int):
        fits = type(value) is int and value >= (1 if name == "longest_pause_ms" else 0)
    else:
        fits = isinstance(value, str) and (bool(value) or name == "delete_query")
    if not fits:
        raise UnknownFact(f"{slug}: {name}")
    return tuple(value) if isinstance(held, tuple) else value
