"""What does a person keep to show what they agreed to? Their record, signed; it names nobody."""

from datetime import datetime

from accounts import audit
from config.lib import canonical
from consent import permissions, processing, standing
from consent.models import ConsentEvent, ConsentState, Contact

RECEIPT_VERSION = "2"


def receipt(*, contact: Contact, at: datetime) -> dict[str, object]:
    """Return a person's consent record, signed, for the person to keep; it names nobody.

    Law: ISO/IEC TS 27560, consent receipt; GDPR Art. 7(1).
    """
    events = ConsentEvent.objects.filter(contact=contact).select_related(
        "purpose", "notice", "proof"
    )
    body: dict[str, object] = {
        "kind": "sealcast.consent_receipt",
        "schema_version": RECEIPT_VERSION,
        "person": contact.public_id,
        "issued_at": canonical.instant(at),
        "parties": processing.parties(contact=contact),
        "withdrawal": processing.WITHDRAWAL,
        "states": [
            {
                "purpose": row.purpose_code,
                "channel": row.channel,
                "state": standing.standing_of(row).effective(at),
                "permission": row.permission,
                "since": canonical.instant(row.at),
            }
            for row in ConsentState.objects.filter(contact=contact).order_by("id")
        ],
        "events": [content(event) for event in events.order_by("at", "number", "id")],
        "notices": {
            event.notice.sha256: {"language": event.notice.language, "text": event.notice.text}
            for event in events
            if event.notice
        },
    }
    return {**body, "signed": audit.sign(body)}


def content(event: ConsentEvent) -> dict[str, object]:
    """Return an event as a receipt and a proof carry it."""
    until = event.valid_until
    return {
        "id": str(event.id),
        "number": event.number,
        "at": canonical.instant(event.at),
        "said_at": canonical.instant(event.said_at) if event.said_at else None,
        "purpose": {
            "code": event.purpose_code,
            "version": event.purpose.version,
            "basis": event.purpose.basis,
        },
        "channel": event.channel,
        "kind": event.kind,
        "act": event.act,
        "permission": event.permission,
        "source": event.source,
        "seller": event.seller,
        "locale": event.locale,
        "form_sha256": event.form_id,
        "proof_sha256": event.proof.file_sha256 if event.proof else None,
        "provider_message_id": event.provider_message_id,
        "age_years": event.age_years,
        "guardian": event.guardian_sealed is not None,
        "entered_by_staff": permissions.is_weaker(event),
        "by": {"kind": event.actor_kind, "id": event.actor_id},
        "notice_sha256": event.notice_id,
        "evidence_sha256": event.evidence_sha256,
        "valid_until": canonical.instant(until) if until else None,
    }
