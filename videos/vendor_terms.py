"""May anything leave for this AI vendor now? Only under an agreement in force."""

from datetime import date, datetime
from typing import Protocol
from urllib.parse import urlsplit

from integrations.models import Connection

# A provider with this address works on this machine: nothing leaves, so nobody processes.
ON_THIS_MACHINE = "local:"


class VendorNotAllowed(Exception):
    """Nothing may leave for this vendor; `code` says why."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class Vendor(Protocol):
    """What is asked of a provider here."""

    endpoint: str
    region: str


def require(*, connection: Connection, vendor: Vendor, at: datetime) -> str:
    """Return the id of the agreement under which a request may leave.

    :raises VendorNotAllowed: no agreement, region or end of it is kept, it is over, or the vendor
        answers from another place than was agreed.
    Law: GDPR Art. 28(3) and 44.
    """
    terms = connection.terms or {}
    agreement, region = terms.get("agreement_id"), terms.get("region")
    if connection.kind != Connection.Kind.VIDEO or connection.state != Connection.State.ACTIVE:
        raise VendorNotAllowed("not_connected")
    if not agreement:
        raise VendorNotAllowed("no_agreement")
    if not region or region != vendor.region:
        raise VendorNotAllowed("other_region")
    if vendor.endpoint.startswith(ON_THIS_MACHINE):
        return str(agreement)
    if (urlsplit(vendor.endpoint).hostname or "") not in connection.hosts:
        raise VendorNotAllowed("other_endpoint")
    _require_in_force(terms.get("expires_on"), at)
    return str(agreement)


def _require_in_force(expires_on: object, at: datetime) -> None:
    try:
        last_day = date.fromisoformat(str(expires_on))
    except ValueError:
        raise VendorNotAllowed("no_expiry") from None
    if last_day < at.date():
        raise VendorNotAllowed("agreement_expired")
