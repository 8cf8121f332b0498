"""What do we know of an AI vendor's copy? Six facts, each with its own evidence, never one tick.

A contract is no setting, a setting no request, and an answer "deleted" is no absence seen.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urlsplit

from django.db.models import QuerySet

from integrations.models import Connection
from videos import agreements, incidents, rendering, vendor_terms
from videos.models import DeletionReceipt

# How each is shown; `off` is what cannot be had or is not needed.
GOOD, WARN, BAD, NONE, OFF = "ok", "attention", "failed", "unverified", "off"
LOOKS = ((timedelta(0), "at once"), (timedelta(hours=1), "after 1 h"), (timedelta(days=1), "24 h"))
LATE = timedelta(hours=1)


class Vendor(Protocol):
    """What is told of a provider here; nothing is asked of it."""

    endpoint: str
    region: str
    request_flag: str


@dataclass(frozen=True)
class Fact:
    """One fact: how it stands in a word, and the evidence in a sentence."""

    title: str
    state: str
    word: str
    evidence: str


def facts(*, connection: Connection, at: datetime) -> list[Fact]:
    """Return the six facts of an account at an AI vendor, the contract first.

    Law: GDPR Art. 28(3)(g), 5(2).
    """
    vendor = rendering.vendor_of(connection)
    stays = vendor is not None and vendor.endpoint.startswith(vendor_terms.ON_THIS_MACHINE)
    return [
        _not_needed("Contract") if stays else _contract(connection, at),
        _not_needed("Account setting") if stays else _setting(connection, at),
        _endpoint(connection, vendor, at),
        _not_needed("Request flag") if stays else _flag(vendor),
        _delete_call(connection),
        _absence(connection, at),
    ]


def _not_needed(title: str) -> Fact:
    return Fact(title, OFF, "Not needed", "It works on this machine: nothing leaves it.")


def _contract(connection: Connection, at: datetime) -> Fact:
    title, found = "Contract", agreements.in_force(connection=connection, at=at)
    if found is None:
        return Fact(title, BAD, "None in force", "Nothing leaves until one is recorded below.")
    missing = [letter for letter in agreements.CLAUSES if letter not in found.clauses]
    words = (
        f"{found.reference}, region {found.region}, until {found.expires_on:%-d %B %Y}; it lets "
        f"copies in backups stay {found.residual_days} days."
    )
    if missing:
        lacks = ", ".join(f"({letter})" for letter in missing)
        return Fact(title, BAD, "Not whole", f"Art. 28(3) {lacks} is missing. {words}")
    return Fact(title, GOOD, "In force", f"All eight clauses of Art. 28(3). {words}")


def _setting(connection: Connection, at: datetime) -> Fact:
    title, last = "Account setting", agreements.last_attestation(connection=connection)
    if last is None:
        return Fact(title, BAD, "Not seen", "Nobody has looked how the account is set.")
    how = f"{last.get_means_display()}, {last.at:%-d %B %Y %H:%M} UTC."
    if not last.holds:
        return Fact(title, BAD, "Keeps copies", f"The account is set to keep them. {how}")
    if not at - vendor_terms.SETTING_KNOWN_FOR < last.at <= at:
        return Fact(title, WARN, "Stale", f"Older than 24 hours: nothing leaves by it. {how}")
    return Fact(title, GOOD, "Keeps nothing", how)


def _endpoint(connection: Connection, vendor: Vendor | None, at: datetime) -> Fact:
    title = "Endpoint"
    if vendor is None:
        return Fact(title, BAD, "No adapter", "This version has none for it: nothing leaves.")
    if vendor.endpoint.startswith(vendor_terms.ON_THIS_MACHINE):
        return Fact(title, GOOD, "This machine", f"{vendor.endpoint}, no network.")
    place = f"{urlsplit(vendor.endpoint).hostname}, region {vendor.region}."
    if incidents.is_open(kind=vendor_terms.MOVED, object_id=connection.pk):
        return Fact(title, BAD, "Moved", f"It sent us elsewhere; see the incident. {place}")
    agreed = agreements.in_force(connection=connection, at=at)
    is_pinned = (urlsplit(vendor.endpoint).hostname or "") in connection.hosts
    if not is_pinned or agreed is None or agreed.region != vendor.region:
        return Fact(title, BAD, "Not agreed", f"Not the host and region of the contract: {place}")
    return Fact(title, GOOD, "As agreed", f"The only host that is called: {place}")


def _flag(vendor: Vendor | None) -> Fact:
    title = "Request flag"
    if vendor is None or not vendor.request_flag:
        return Fact(title, WARN, "Not offered", "No request can ask this vendor to keep nothing.")
    return Fact(title, GOOD, "Set", f"Each request says {vendor.request_flag}.")


def _delete_call(connection: Connection) -> Fact:
    title, last = (
        "Delete call",
        _receipts(connection).order_by("-deleted_at", "observed_at").first(),
    )
    if last is None:
        return Fact(title, NONE, "No call yet", "Nothing was rendered there, so nothing deleted.")
    words = (
        f"Answered {last.delete_status} on {last.deleted_at:%-d %B %Y %H:%M} UTC; the vendor says "
        f"that backups keep a copy for {last.residual_days} days."
    )
    if last.is_soft:
        return Fact(title, BAD, "Only hidden", f"The vendor says that it hid the copy. {words}")
    if not (200 <= last.delete_status < 300 or last.delete_status == 404):
        return Fact(title, BAD, "Refused", words)
    return Fact(title, GOOD, "Accepted", words)


def _absence(connection: Connection, at: datetime) -> Fact:
    title, rows = "Observed absence", _receipts(connection)
    last = rows.order_by("-deleted_at", "-observed_at").first()
    if last is None:
        return Fact(title, NONE, "Nothing to see", "No copy was ever made there.")
    looks = rows.filter(manifest=last.manifest, deleted_at=last.deleted_at)
    seen = {row.observed_at - row.deleted_at for row in looks if row.observed_absent}
    done = [word for after, word in LOOKS if any(one >= after for one in seen)]
    words = f"Looked and found nothing {', '.join(done) or 'never'}."
    if not last.observed_absent:
        return Fact(title, BAD, "Still there", f"The copy was seen. {words}")
    due = [word for after, word in LOOKS if at > last.deleted_at + after + LATE]
    if len(done) < len(due):
        return Fact(title, WARN, "Look overdue", words)
    whole = len(done) == len(LOOKS)
    return Fact(title, GOOD if whole else WARN, "Gone" if whole else "Gone so far", words)


def _receipts(connection: Connection) -> QuerySet[DeletionReceipt]:
    return DeletionReceipt.objects.filter(render__connection=connection)
