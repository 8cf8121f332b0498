"""May anything leave for this AI vendor now? Only to the agreed place, under what is in force."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urlsplit

from accounts import audit
from integrations.models import Connection
from videos import agreements, incidents
from videos.models import ProcessorAgreement, VendorAttestation

# A provider with this address works on this machine: nothing leaves, so nobody processes.
ON_THIS_MACHINE = "local:"
NO_AGREEMENT_NEEDED = "none-needed"
# What was seen of an account's setting so long ago is no longer known.
SETTING_KNOWN_FOR = timedelta(hours=24)
READ_AGAIN_AFTER = timedelta(hours=1)
# Opened when a vendor answers from another place than was agreed; nothing leaves until closed.
MOVED = "vendor_moved"


class VendorNotAllowed(Exception):
    """Nothing may leave for this vendor; `code` says why."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class Vendor(Protocol):
    """What is asked of a provider here."""

    endpoint: str
    region: str
    reads_setting: bool

    def keeps_nothing(self) -> bool:
        """Say whether the account is set to keep nothing, read from the vendor."""


@dataclass(frozen=True)
class Allowed:
    """Under which agreement, and by which sight of the account's setting, a request may leave."""

    agreement_id: str
    attestation_id: str = ""


def require(
    *, connection: Connection, vendor: Vendor, at: datetime, is_order: bool = False
) -> Allowed:
    """Return under what a request may leave.

    An order asks nobody: there a setting that the vendor can be asked for is left to the door.
    :raises VendorNotAllowed: there is no whole agreement in force, the setting was not seen within
        a day, or the vendor answers from another place than was agreed.
    Law: GDPR Art. 28(3) and 44.
    """
    if connection.kind != Connection.Kind.VIDEO or connection.state != Connection.State.ACTIVE:
        raise VendorNotAllowed("not_connected")
    if vendor.endpoint.startswith(ON_THIS_MACHINE):
        return Allowed(NO_AGREEMENT_NEEDED)
    agreement = _agreement(connection, at)
    _require_place(connection, vendor, agreement)
    if is_order and vendor.reads_setting:
        return Allowed(agreement.reference)
    return Allowed(agreement.reference, str(_seen(connection, at).pk))


def read_setting(*, connection: Connection, vendor: Vendor, at: datetime) -> None:
    """Ask a vendor who can be asked how the account is set, at most once an hour.

    It calls the vendor, so it stands in no transaction.
    """
    if vendor.endpoint.startswith(ON_THIS_MACHINE) or not vendor.reads_setting:
        return
    last = agreements.last_attestation(connection=connection)
    if last is None or not last.holds or last.at <= at - READ_AGAIN_AFTER:
        agreements.attest(
            connection=connection,
            holds=vendor.keeps_nothing(),
            means=VendorAttestation.Means.READ,
            at=at,
            actor=audit.SYSTEM,
        )


def _agreement(connection: Connection, at: datetime) -> ProcessorAgreement:
    found = agreements.in_force(connection=connection, at=at)
    if found is None:
        known = agreements.of(connection).exists()
        raise VendorNotAllowed("agreement_expired" if known else "no_agreement")
    if set(found.clauses) != set(agreements.CLAUSES):
        raise VendorNotAllowed("clauses_missing")
    return found


def _require_place(connection: Connection, vendor: Vendor, agreed: ProcessorAgreement) -> None:
    place = urlsplit(vendor.endpoint)
    if agreed.region != vendor.region:
        raise VendorNotAllowed("other_region")
    if place.scheme != "https" or (place.hostname or "") not in connection.hosts:
        raise VendorNotAllowed("other_endpoint")
    if incidents.is_open(kind=MOVED, object_id=connection.pk):
        raise VendorNotAllowed(MOVED)


def _seen(connection: Connection, at: datetime) -> VendorAttestation:
    last = agreements.last_attestation(connection=connection)
    if last is None:
        raise VendorNotAllowed("setting_not_seen")
    if not last.holds:
        raise VendorNotAllowed("setting_keeps_copies")
    if not at - SETTING_KNOWN_FOR < last.at <= at:
        raise VendorNotAllowed("setting_stale")
    return last
