"""What does a person's consent record say, in the words of a standard? ISO/IEC TS 27560 in DPV.

The keys are the standard's own; the context beside them says which term of the W3C Data Privacy
Vocabulary each is, so that nothing need be fetched to read it. It names nobody.
"""

import json
import uuid
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from config.lib import canonical
from consent import elements, permissions, places, processing, standing
from consent.models import ConsentEvent, ConsentState, Contact, Notice, Purpose, RenderedForm

SCHEMA_VERSION = "https://w3id.org/dpv/schema/dpv-27560#record"
# Each person's record has one id for life, and it is not the person's.
RECORDS = uuid.UUID("5ea1ca57-0000-4000-8000-000000027560")
# What each word of a record means; kept beside the code and put into each record.
CONTEXT = Path(__file__).with_name("records_context.json")
STATES = {
    "claimed": "dpv:ConsentUnknown",
    "given": "dpv:ConsentGiven",
    "confirmed": "dpv:RenewedConsentGiven",
    "refused": "dpv:ConsentRefused",
    "withdrawn": "dpv:ConsentWithdrawn",
    "expired": "dpv:ConsentExpired",
}
TYPES = {
    "express": "dpv:ExpressedConsent",
    "written": "dpv:ExplicitlyExpressedConsent",
    "explicit": "dpv:ExplicitlyExpressedConsent",
    "hipaa_authorization": "dpv:ExplicitlyExpressedConsent",
    "soft_opt_in": "dpv:ImpliedConsent",
    "implied_purchase": "dpv:ImpliedConsent",
    "implied_inquiry": "dpv:ImpliedConsent",
    "contract": "dpv:Contract",
}


def export(*, contact: Contact, at: datetime) -> dict[str, object]:
    """Return a person's consent record as ISO/IEC TS 27560 has it, in JSON-LD with its context.

    Law: GDPR Art. 7(1), 15, 20; ISO/IEC TS 27560:2023, 6.3.
    """
    events = list(
        ConsentEvent.objects.filter(contact=contact)
        .select_related("purpose", "notice", "proof")
        .order_by("at", "number", "id")
    )
    record_id = uuid.uuid5(RECORDS, str(contact.pk))
    parties = processing.parties(contact=contact)
    made_of = _elements(events)
    return {
        "@context": context(),
        "@id": f"urn:uuid:{record_id}",
        "@type": "dpv:ConsentRecord",
        "schema_version": SCHEMA_VERSION,
        "record_id": str(record_id),
        "pii_principal_id": contact.public_id,
        "created": canonical.instant(at),
        "privacy_notices": _notices(events),
        "pii_processing": _processes(contact, events, parties, at),
        "parties": [_party(row) for row in parties],
        "events": [_event(event, contact, made_of) for event in events],
    }


@lru_cache(maxsize=1)
def context() -> dict[str, object]:
    """Return what each word of a record means, as JSON-LD has it."""
    return dict(json.loads(CONTEXT.read_text(encoding="utf-8")))


def _notices(events: Iterable[ConsentEvent]) -> list[dict[str, object]]:
    shown: dict[str, Notice] = {
        event.notice.sha256: event.notice for event in events if event.notice
    }
    forms = RenderedForm.objects.filter(
        pk__in={event.form_id for event in events if event.form_id}
    ).values_list("notice_id", "pk")
    return [
        {
            "@id": f"urn:sha256:{sha256}",
            "@type": "dpv:ConsentNotice",
            "sha256": sha256,
            "language": notice.language,
            "text": notice.text,
            "forms_shown": sorted(pk for of, pk in forms if of == sha256),
        }
        for sha256, notice in sorted(shown.items())
    ]


def _processes(
    contact: Contact,
    events: Iterable[ConsentEvent],
    parties: Iterable[dict[str, object]],
    at: datetime,
) -> list[dict[str, object]]:
    states = list(ConsentState.objects.filter(contact=contact).order_by("id"))
    newest = {event.purpose_code: event.purpose for event in events}
    where = [f"loc:{code}" for code in places.countries(places.known_of(contact))]
    explicit = {row.purpose_code for row in states if row.permission == "explicit"}
    until = contact.key.delete_at
    return [
        {
            "@id": f"urn:sealcast:process:{code}",
            "@type": "dpv:Process",
            **_of_purpose(purpose, is_explicit=code in explicit),
            **_of_parties(code, parties),
            "collection_method": "dpv:DataSubjectDataSource",
            "storage_locations": [processing.storage()],
            "retention_period": {
                "@type": "dpv:StorageDuration",
                "duration": processing.retention(),
                **({"until": canonical.instant(until)} if until else {}),
            },
            "jurisdiction": where,
            **_of_rights(),
            "states": [_state(row, at) for row in states if row.purpose_code == code],
        }
        for code, purpose in sorted(newest.items())
    ]


def _of_purpose(purpose: Purpose, *, is_explicit: bool) -> dict[str, object]:
    told = processing.of(purpose.code)
    basis = processing.BASES[Purpose.Basis(purpose.basis)]
    return {
        "purpose": told.purpose,
        "purpose_code": purpose.code,
        "title": purpose.title,
        "version": purpose.version,
        "lawful_basis": processing.EXPLICIT if is_explicit else basis,
        "pii_information": [
            {"pii_type": kind, "pii_optional": "dpv:Optional" if optional else "dpv:Required"}
            for kind, optional in told.personal_data
        ],
        "special_pii_category": list(told.special),
        "processing_method": list(told.operations),
    }


def _of_parties(code: str, parties: Iterable[dict[str, object]]) -> dict[str, object]:
    kinds = {"ai_video" if kind == "video" else kind for kind in processing.of(code).recipients}
    return {
        "pii_controllers": [p["id"] for p in parties if p["role"] == "dpv:DataController"],
        "recipient_third_parties": [p["id"] for p in parties if p["kind"] in kinds],
    }


def _of_rights() -> dict[str, object]:
    at = settings.PUBLIC_URL or "not stated"
    return {
        "withdrawal_method": {
            "@type": "dpv:WithdrawConsent",
            "text": processing.WITHDRAWAL,
            "exercised_at": at,
        },
        "privacy_rights": [
            {"@type": ["dpv:DataSubjectRight", right], "title": words, "exercised_at": at}
            for right, words in processing.RIGHTS.items()
        ],
    }


def _state(row: ConsentState, at: datetime) -> dict[str, object]:
    stand = standing.standing_of(row)
    return {
        "channel": row.channel,
        "event_state": STATES[stand.effective(at)],
        "permission": row.permission,
        "since": canonical.instant(row.at),
        "validity_duration": _duration(row.valid_until),
    }


def _party(row: dict[str, object]) -> dict[str, object]:
    officer = row.get("data_protection_officer")
    return {
        "@type": "dpv:Entity",
        "party_id": row["id"],
        "party_name": row["name"],
        "party_role": row["role"],
        "party_type": row["kind"],
        "party_address": row["address"],
        "party_contact": row["contact"],
        **({"data_protection_officer": officer} if officer else {}),
    }


def _event(
    event: ConsentEvent, contact: Contact, made_of: dict[uuid.UUID, dict[str, object]]
) -> dict[str, object]:
    said = event.kind not in {"claimed", "expired"}
    return {
        "@id": f"urn:uuid:{event.pk}",
        "@type": "dpv:ConsentStatus",
        "event_time": canonical.instant(event.said_at or event.at),
        "recorded_at": canonical.instant(event.at),
        "validity_duration": _duration(event.valid_until),
        "entity_id": contact.public_id if said else f"{event.actor_kind}:{event.actor_id}",
        "event_type": TYPES.get(event.permission, "dpv:Consent"),
        "event_state": STATES[event.kind],
        "method": event.act,
        "purpose_code": event.purpose_code,
        "version": event.purpose.version,
        "channel": event.channel,
        "permission": event.permission,
        "source": event.source,
        "seller": event.seller,
        "language": event.locale,
        "guardian": event.guardian_sealed is not None,
        "entered_by_staff": permissions.is_weaker(event),
        "recorded_by": f"{event.actor_kind}:{event.actor_id}",
        **({"privacy_notice": f"urn:sha256:{event.notice_id}"} if event.notice_id else {}),
        "evidence": _evidence(event),
        "elements": made_of.get(event.pk, {}),
    }


def _evidence(event: ConsentEvent) -> dict[str, object]:
    hashes = {
        "evidence_sha256": event.evidence_sha256,
        "form_sha256": event.form_id,
        "proof_sha256": event.proof.file_sha256 if event.proof else None,
        "provider_message_id": event.provider_message_id,
    }
    return {name: value for name, value in hashes.items() if value}


def _elements(events: Iterable[ConsentEvent]) -> dict[uuid.UUID, dict[str, object]]:
    """Return what stands in the clear of the elements of each event; the rest is sealed."""
    found: dict[uuid.UUID, dict[str, object]] = {}
    ids = [event.pk for event in events]
    for model in set(elements.ROWS.values()):
        for row in model._default_manager.filter(pk__in=ids):
            found[row.pk] = {
                field.attname: _plain(getattr(row, field.attname))
                for field in model._meta.concrete_fields
                if not field.primary_key and not field.attname.endswith("_sealed")
            }
    return found


def _plain(value: object) -> object:
    return canonical.instant(value) if isinstance(value, datetime) else value


def _duration(until: datetime | None) -> dict[str, object]:
    if until is None:
        return {"@type": "dpv:UntilEventDuration", "text": "withdrawal"}
    return {"@type": "dpv:UntilTimeDuration", "until": canonical.instant(until)}
