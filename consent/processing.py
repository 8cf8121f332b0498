"""What is done with people's data for each purpose, and by whom? The registry behind the records.

Terms are those of the W3C Data Privacy Vocabulary (DPV 2), so that a record says the same to a
machine that never heard of us.
"""

from dataclasses import dataclass

from django.conf import settings

from accounts.models import Partner
from consent import contacts, purposes
from consent.models import Contact, Purpose
from integrations import connections
from integrations.models import Connection

VIDEO, MESSAGING = Connection.Kind.VIDEO, Connection.Kind.MESSAGING
BASES = {
    Purpose.Basis.CONSENT: "eu-gdpr:A6-1-a",
    Purpose.Basis.CONTRACT: "eu-gdpr:A6-1-b",
    Purpose.Basis.LEGITIMATE_INTEREST: "eu-gdpr:A6-1-f",
}
EXPLICIT = "eu-gdpr:A9-2-a"
ADDRESSES = (("pd:Name", False), ("pd:EmailAddress", True), ("pd:TelephoneNumber", True))
RIGHTS = {
    "eu-gdpr:A7-3": "Withdraw consent",
    "eu-gdpr:A15": "Access",
    "eu-gdpr:A16": "Rectification",
    "eu-gdpr:A17": "Erasure",
    "eu-gdpr:A18": "Restriction",
    "eu-gdpr:A20": "Portability",
    "eu-gdpr:A21": "Object",
}
WITHDRAWAL = (
    "Answer STOP to any message, press Stop on any page we sent, or use the unsubscribe button of "
    "your mail programme. No account is needed, and it takes one step."
)


@dataclass(frozen=True)
class Processing:
    """What is done for one purpose: with which data, how, and who receives them."""

    purpose: str
    # The kind of data, and whether a person may leave it out.
    personal_data: tuple[tuple[str, bool], ...]
    operations: tuple[str, ...]
    recipients: tuple[str, ...] = (MESSAGING,)
    special: tuple[str, ...] = ()


REGISTRY = {
    purposes.MARKETING: Processing(
        "dpv:DirectMarketing",
        (*ADDRESSES, ("pd:Language", True), ("pd:Country", True), ("pd:City", True)),
        ("dpv:Store", "dpv:Use", "dpv:Transmit"),
        (MESSAGING, VIDEO),
    ),
    purposes.SERVICE: Processing(
        "dpv:RequestedServiceProvision", ADDRESSES, ("dpv:Store", "dpv:Use", "dpv:Transmit")
    ),
    # The script leaves for the AI with its slots empty: no kind of data reaches the vendor.
    "ai_use": Processing(
        "dpv:Personalisation", (("pd:Name", False),), ("dpv:Use", "dpv:Generate"), (VIDEO,)
    ),
    purposes.VIEW_ANALYTICS: Processing(
        "dpv:ServiceUsageAnalytics", (("pd:Identifier", False),), ("dpv:Store", "dpv:Analyse"), ()
    ),
    purposes.SHARING: Processing("dpv:SellDataToThirdParties", ADDRESSES, ("dpv:Share",), ()),
    purposes.SPECIAL_DATA: Processing(
        "dpv:Personalisation",
        ADDRESSES,
        ("dpv:Store", "dpv:Use", "dpv:Transmit"),
        (MESSAGING,),
        ("dpv:SpecialCategoryPersonalData",),
    ),
    purposes.PHI_CONTENT: Processing(
        "dpv:CommunicationManagement",
        ADDRESSES,
        ("dpv:Store", "dpv:Use", "dpv:Transmit"),
        (MESSAGING,),
        ("pd:HealthRecord",),
    ),
    **dict.fromkeys(
        sorted(purposes.OURS),
        Processing("dpv:ConsentManagement", ADDRESSES, ("dpv:Store", "dpv:Use", "dpv:Transmit")),
    ),
}


def parties(*, contact: Contact) -> list[dict[str, object]]:
    """Return who has to do with a person's data: controller, processors, each by name."""
    rows = [_controller(contact.partner)]
    if contact.partner is not None:
        rows.append({**_house(), "role": "dpv:DataProcessor"})
    return rows + [
        {
            "id": row.public_id,
            "name": row.label,
            "role": "dpv:DataProcessor",
            "kind": "ai_video" if row.kind == VIDEO else "messaging",
            "address": str(row.terms.get("region") or "") or "not stated",
            "contact": settings.PUBLIC_URL or "not stated",
        }
        for row in processors()
    ]


def processors() -> list[Connection]:
    """Return the messaging and AI video providers in use."""
    return [*connections.usable(kind=MESSAGING), *connections.usable(kind=VIDEO)]


def of(code: str) -> Processing:
    """Return what is done for a purpose; one that an officer added is described as marketing is."""
    return REGISTRY.get(code, REGISTRY[purposes.MARKETING])


def retention() -> str:
    """Return how long a contact is kept after the last registration, as an ISO 8601 duration."""
    return f"P{contacts.CONTACT_KEPT_DAYS}D"


def storage() -> str:
    """Return where the data are stored, as a term."""
    country = settings.CONTROLLER["storage_country"].upper()
    return f"loc:{country}" if country else "dpv:PrivateLocation"


def _controller(partner: Partner | None) -> dict[str, object]:
    if partner is None:
        return {**_house(), "role": "dpv:DataController"}
    return {
        "id": f"partner:{partner.pk}",
        "name": partner.name,
        "role": "dpv:DataController",
        "kind": "organisation",
        "address": "not stated",
        "contact": settings.PUBLIC_URL or "not stated",
    }


def _house() -> dict[str, object]:
    told = settings.CONTROLLER
    return {
        "id": "house",
        "name": told["name"],
        "kind": "organisation",
        "address": told["address"] or "not stated",
        "contact": told["email"] or settings.PUBLIC_URL or "not stated",
        "data_protection_officer": told["data_protection_officer"],
    }
