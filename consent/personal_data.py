"""What does this storey hold of people? Contacts, their consent, and what was written to them."""

import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models.functions import Coalesce, Least

from accounts import audit, keys
from accounts.audit import Actor
from config.lib import canonical
from config.lib.inventory import TECHNICAL, Column, Declarations, Due
from consent import (
    contacts,
    crm_writing,
    imports,
    likeness,
    messages,
    receipts,
    records,
    suppression,
)
from consent.models import (
    Channel,
    Contact,
    Conversation,
    CrmLink,
    Decision,
    ImportBatch,
    LikenessRelease,
    Message,
    OptIn,
    Proof,
    Revocation,
)
from integrations import phones

NAME = Column("name", "consent", "contact", personal=True)
ADDRESS = Column("address", "consent", "contact", personal=True)
PROFILE = Column("profile", "consent", "contact", personal=True)
KEY = Column("key", "legal obligation", "contact", personal=True)
CONSENT = Column("consent", "legal obligation", "keep", personal=True)
EVIDENCE = Column("consent", "legal obligation", "contact", personal=True)
PRESENTER = Column("likeness", "consent", "keep", personal=True)
SIGNATORY = Column("likeness", "consent", "likeness", personal=True)
STOP = Column("address", "legal obligation", "keep", personal=True)
DECISION = Column("decision", "legal obligation", "keep", personal=True)
MESSAGE = Column("message", "legal obligation", "keep", personal=True)
BODY = Column("message", "consent", "message_body", personal=True)
ROWS = Column("list", "legitimate interest", "import_rows", personal=True)
TALK = Column("message", "consent", "contact", personal=True)
QUESTION = Column("consent", "legal obligation", "optin", personal=True)


def _as(column: Column, names: str) -> dict[str, Column]:
    return dict.fromkeys(names.split(), column)


DECLARATIONS: Declarations = {
    "consent.purpose": _as(TECHNICAL, "id code version title basis valid_from"),
    "consent.notice": _as(TECHNICAL, "sha256 purpose language text created_at"),
    "consent.importbatch": {
        **_as(TECHNICAL, "id key state kind source partner file_sha256 total_rows new_rows"),
        **_as(TECHNICAL, "updated_rows bad_rows done_rows problem created_by created_at"),
        **_as(TECHNICAL, "started_at committed_at"),
        **_as(ROWS, "rows_sealed report_sealed"),
    },
    "consent.contact": {
        **_as(TECHNICAL, "id partner source batch created_at updated_at"),
        "key": KEY,
        **_as(NAME, "name_sealed name_pair_index name_first_index name_middle_index"),
        "name_last_index": NAME,
        **_as(ADDRESS, "email_sealed phone_sealed email_index phone_index"),
        **_as(ADDRESS, "email_set_at phone_set_at phone_country phone_zones phone_regions"),
        **_as(STOP, "email_stop_index sms_stop_index whatsapp_stop_index"),
        "place": PROFILE,
        **_as(PROFILE, "attributes_sealed language time_zone country region"),
        **_as(CONSENT, "stopped_at restricted_at erased_at"),
    },
    "consent.crmlink": {
        **_as(TECHNICAL, "id connection account_id gone_at gone_how forget_at"),
        # What is left of somebody erased is a keyed hash: a reading must not bring them back.
        **_as(STOP, "contact record_index stops"),
        **_as(ADDRESS, "record_id content_index"),
    },
    "consent.writeback": _as(
        CONSENT,
        "id kind connection link contact event event_id happened_at state due_at next_at done_at "
        "attempts problem receipt",
    ),
    "consent.consentevent": {
        **_as(CONSENT, "id number contact purpose purpose_code channel kind act notice source"),
        **_as(CONSENT, "actor_kind actor_id evidence_sha256 at valid_until permission form proof"),
        **_as(CONSENT, "said_at provider_message_id seller locale age_years"),
        # Unreadable once the person's key is gone; the row itself cannot be changed.
        **_as(EVIDENCE, "evidence_sealed guardian_sealed"),
    },
    "consent.consentstate": {
        **_as(CONSENT, "id contact purpose_code channel state event at valid_until"),
        **_as(CONSENT, "permission age_years guarded"),
    },
    "consent.place": _as(
        TECHNICAL, "id code country region phone_country phone_regions time_zone phone_zones"
    ),
    "consent.renderedform": _as(TECHNICAL, "sha256 notice html created_at"),
    "consent.proof": {
        **_as(CONSENT, "id contact file_sha256 size_bytes media_type uploaded_by created_at"),
        "file_sealed": EVIDENCE,
    },
    "consent.writtenconsent": {
        **_as(CONSENT, "event agreement disclosure signature_kind seller authorises_advertising"),
        **_as(CONSENT, "authorises_automated not_a_condition signed_at"),
        **_as(EVIDENCE, "signature_sealed number_sealed"),
    },
    "consent.softoptin": {
        **_as(CONSENT, "event product_class sold_at opt_out_shown similar_goods"),
        "order_sealed": EVIDENCE,
    },
    "consent.healthauthorisation": {
        **_as(CONSENT, "event discloser recipient use expires_at signed_at"),
        **_as(CONSENT, "says_right_to_revoke says_not_a_condition says_may_be_disclosed_again"),
        **_as(EVIDENCE, "information_sealed signature_sealed"),
    },
    "consent.impliedconsent": {
        **_as(CONSENT, "event relation happened_at"),
        "reference_sealed": EVIDENCE,
    },
    "consent.suppression": _as(
        STOP, "id address_index channel reason created_at lifted_at lifted_by"
    ),
    "consent.revocation": _as(
        CONSENT, "id contact means scope_rule channels purposes received_at effective_at"
    ),
    "consent.propagation": _as(
        CONSENT, "id revocation connection state due_at done_at attempts next_at problem"
    ),
    "consent.stopconfirmation": _as(CONSENT, "revocation message revoked_at send_by"),
    "consent.review": _as(
        STOP, "id item suppression channel state created_at decided_at decided_by"
    ),
    "consent.registerentry": _as(
        STOP, "id register address_index answer checked_at receipt_sha256"
    ),
    "consent.hostedform": {
        **_as(TECHNICAL, "id slug title partner seller state boxes asks_age origins version"),
        **_as(TECHNICAL, "created_by created_at updated_at"),
    },
    "consent.preferencelink": _as(
        CONSENT, "id contact token_index channel message_id created_at expires_at"
    ),
    "consent.likenessrelease": {
        # That there was a release stays as evidence, under a code; who signed it goes.
        **_as(PRESENTER, "id presenter_code document_sha256 covers_face covers_voice"),
        **_as(PRESENTER, "languages purposes signed_at valid_until revoked_at recorded_by"),
        "created_at": PRESENTER,
        **_as(SIGNATORY, "key name_sealed signature_sealed"),
    },
    "consent.optin": _as(
        QUESTION,
        "id contact purpose channel notice token_index asked_at expires_at answered_at",
    ),
    "consent.decision": {
        **_as(DECISION, "id contact purpose_code channel context_type context_id message_id"),
        **_as(DECISION, "phase verdict reasons defer_until inputs_sha256 packs_version at"),
    },
    "consent.message": {
        **_as(MESSAGE, "id contact connection decision hand_off_decision purpose_code channel"),
        **_as(MESSAGE, "context_type context_id idempotency_key state body_sha256 content"),
        **_as(MESSAGE, "not_before queued_at claimed_at attempts sent_at delivered_at"),
        **_as(MESSAGE, "provider_message_id problem lookups"),
        "body_sealed": BODY,
    },
    "consent.conversation": {
        **_as(TECHNICAL, "id connection"),
        **_as(TALK, "contact heard_at"),
    },
    "consent.taken": _as(TECHNICAL, "item effect at"),
}


def export(*, contact_id: uuid.UUID, at: datetime) -> dict[str, object]:
    """Return what is held of a person, opened; only the fact of it once the key is gone."""
    contact = Contact.objects.select_related("key").filter(pk=contact_id).first()
    if contact is None:
        return {}
    return {
        "contact": _person(contact, at),
        "consent": receipts.receipt(contact=contact, at=at),
        "consent_record": records.export(contact=contact, at=at),
        "crm_records": [_crm_record(row) for row in CrmLink.objects.filter(contact=contact)],
        "proofs": [_proof(row) for row in Proof.objects.filter(contact=contact)],
        "messages": [_message(row) for row in Message.objects.filter(contact=contact)],
        "wrote_on_whatsapp": [
            canonical.instant(row.heard_at) for row in Conversation.objects.filter(contact=contact)
        ],
        "decisions": [_decision(row) for row in Decision.objects.filter(contact=contact)],
        "revocations": [_revocation(row) for row in Revocation.objects.filter(contact=contact)],
    }


@transaction.atomic
def erase(*, contact_id: uuid.UUID, at: datetime) -> dict[str, int]:
    """Erase a person: key destroyed, columns emptied, addresses left as keyed hashes only.

    Law: GDPR Art. 17(1), 17(3)(b); the objection outlives the person's data (Art. 21(3)).
    """
    contact = contacts.lock(contact_id=contact_id)
    written = list(Message.objects.filter(contact=contact).values_list("pk", flat=True))
    counts = {
        "suppressions": _suppress(contact, at),
        "messages_cancelled": messages.cancel_queued(
            at=at, actor=audit.SYSTEM, reason="erased", contact_id=contact.id
        ),
        "message_bodies": Message.objects.filter(contact=contact, body_sealed__isnull=False).update(
            body_sealed=None
        ),
        "sandbox_messages": phones.forget(message_ids=written),
        "questions": OptIn.objects.filter(contact=contact, answered_at=None).delete()[0],
        "conversations": Conversation.objects.filter(contact=contact).delete()[0],
        "proofs": Proof.objects.filter(contact=contact, file_sealed__isnull=False).update(
            file_sealed=None
        ),
        "crm_records": crm_writing.end_links(contact=contact, at=at),
        "contacts": int(contact.erased_at is None),
    }
    keys.destroy(key=contact.key, at=at)
    _empty(contact, at)
    return counts


def due(*, at: datetime, days: Mapping[str, int]) -> Iterator[Due]:
    """Yield people past their key's date; bodies, lists, questions and releases past theirs."""
    people = Contact.objects.filter(erased_at=None, key__delete_at__lte=at)
    for pk, delete_at in people.values_list("pk", "key__delete_at").iterator():
        if delete_at is not None:
            yield Due("contact", str(pk), pk, delete_at)
    kept = timedelta(days=days["message_body"])
    bodies = Message.objects.filter(body_sealed__isnull=False, queued_at__lte=at - kept)
    for message in bodies.only("pk", "contact_id", "queued_at").iterator():
        yield Due("message_body", str(message.pk), message.contact_id, message.queued_at + kept)
    kept = timedelta(days=days["import_rows"])
    lists = ImportBatch.objects.filter(key__destroyed_at=None, created_at__lte=at - kept)
    for batch in lists.only("pk", "created_at").iterator():
        yield Due("import_rows", str(batch.pk), None, batch.created_at + kept)
    kept = timedelta(days=days["optin"])
    questions = OptIn.objects.filter(answered_at=None, asked_at__lte=at - kept)
    for row in questions.only("pk", "contact_id", "asked_at").iterator():
        yield Due("optin", str(row.pk), row.contact_id, row.asked_at + kept)
    kept = timedelta(days=days["likeness"])
    ended = Coalesce(Least("revoked_at", "valid_until"), "valid_until")
    signed = LikenessRelease.objects.filter(key__destroyed_at=None).annotate(ended_at=ended)
    for pk, ended_at in signed.filter(ended_at__lte=at - kept).values_list("pk", "ended_at"):
        yield Due("likeness", str(pk), None, ended_at + kept)


@transaction.atomic
def erase_record(*, record_class: str, object_id: str, at: datetime) -> None:
    """Erase one record that `due` named; an absent one is erased already."""
    if record_class == "contact" and Contact.objects.filter(pk=object_id).exists():
        erase(contact_id=uuid.UUID(object_id), at=at)
    elif record_class == "message_body":
        _erase_body(uuid.UUID(object_id), at)
    elif record_class == "import_rows":
        for batch in ImportBatch.objects.select_related("key").filter(pk=object_id):
            imports.forget(batch=batch, at=at)
    elif record_class == "optin":
        OptIn.objects.filter(pk=object_id, answered_at=None).delete()
    elif record_class == "likeness":
        for release in LikenessRelease.objects.select_related("key").filter(pk=object_id):
            _erase_signatory(release, at)


def export_presenter(*, presenter_code: str, at: datetime, staff: Actor) -> dict[str, object]:
    """Return what is held of a presenter, opened, with its opening in the trail.

    Law: GDPR Art. 15; what no longer opens is said to be gone.
    """
    rows = likeness.releases().filter(presenter_code=presenter_code)
    return {"presenter": presenter_code, "releases": [_release(row, at, staff) for row in rows]}


def _erase_body(message_id: uuid.UUID, at: datetime) -> None:
    message = Message.objects.filter(pk=message_id).first()
    if message is None:
        return
    if message.state == Message.State.QUEUED:
        # It waited longer than its words may be kept: it will not be sent.
        messages.close(
            message=message,
            state=Message.State.CANCELLED,
            at=at,
            actor=audit.SYSTEM,
            action="consent.message.cancelled",
            problem="body_expired",
        )
    else:
        Message.objects.filter(pk=message_id).update(body_sealed=None)


def _erase_signatory(release: LikenessRelease, at: datetime) -> None:
    keys.destroy(key=release.key, at=at)
    release.name_sealed = release.signature_sealed = None
    release.save(update_fields=["name_sealed", "signature_sealed"])


def _release(row: LikenessRelease, at: datetime, staff: Actor) -> dict[str, object]:
    return {
        "name": _revealed(row, "name", at, staff),
        "signature": _revealed(row, "signature", at, staff),
        "document_sha256": row.document_sha256,
        "covers_face": row.covers_face,
        "covers_voice": row.covers_voice,
        "languages": row.languages,
        "purposes": row.purposes,
        "signed_at": canonical.instant(row.signed_at),
        "valid_until": canonical.instant(row.valid_until),
        "revoked_at": canonical.instant(row.revoked_at) if row.revoked_at else None,
    }


def _revealed(row: LikenessRelease, column: str, at: datetime, staff: Actor) -> str | None:
    sealed = row.name_sealed if column == "name" else row.signature_sealed
    if sealed is None:
        return None
    place = likeness.place(release=row, column=column)
    try:
        return keys.reveal(
            key=row.key,
            sealed=bytes(sealed),
            context=place,
            at=at,
            staff=staff,
            reason="presenter_export",
        ).decode()
    except keys.KeyRefused:
        return None


def _suppress(contact: Contact, at: datetime) -> int:
    rows = [
        suppression.suppress(contact=contact, channel=channel, reason="erased", at=at)
        for channel in Channel.values
    ]
    return sum(row is not None for row in rows)


def _empty(contact: Contact, at: datetime) -> None:
    for name in ("name_sealed", "email_sealed", "phone_sealed", "attributes_sealed"):
        setattr(contact, name, None)
    contact.email_index = contact.phone_index = None
    contact.name_first_index = None
    contact.name_middle_index = contact.name_last_index = contact.name_pair_index = ""
    contact.email_set_at = contact.phone_set_at = None
    contact.phone_country = contact.language = contact.time_zone = ""
    contact.country = contact.region = ""
    contact.phone_zones, contact.phone_regions, contact.place = [], [], None
    contact.email_stop_index = contact.sms_stop_index = contact.whatsapp_stop_index = ""
    contact.stopped_at = contact.stopped_at or at
    contact.erased_at = contact.erased_at or at
    contact.save()


def _person(contact: Contact, at: datetime) -> dict[str, object]:
    facts: dict[str, object] = {
        "id": contact.public_id,
        "source": contact.source,
        "language": contact.language,
        "time_zone": contact.time_zone,
        "country": contact.country,
        "region": contact.region,
        "since": canonical.instant(contact.created_at),
    }
    try:
        plain = contacts.opened(contact=contact, at=at)
    except keys.KeyRefused:
        return {**facts, "readable": False}
    return {
        **facts,
        "readable": True,
        "name": plain.name,
        "email": plain.email,
        "phone": plain.phone,
        "attributes": dict(plain.attributes),
    }


def _crm_record(row: CrmLink) -> dict[str, object]:
    return {
        "connection": str(row.connection_id),
        "record": row.record_id,
        "opted_out_there": row.stops,
        "gone": row.gone_how,
    }


def _message(row: Message) -> dict[str, object]:
    return {
        "id": row.public_id,
        "purpose": row.purpose_code,
        "channel": row.channel,
        "state": row.state,
        "queued_at": canonical.instant(row.queued_at),
        "sent_at": canonical.instant(row.sent_at) if row.sent_at else None,
        "body_sha256": row.body_sha256,
    }


def _proof(row: Proof) -> dict[str, object]:
    return {
        "id": str(row.pk),
        "at": canonical.instant(row.created_at),
        "media_type": row.media_type,
        "file_sha256": row.file_sha256,
        "bytes": row.size_bytes,
        "kept": row.file_sealed is not None,
    }


def _decision(row: Decision) -> dict[str, object]:
    return {
        "id": str(row.pk),
        "at": canonical.instant(row.at),
        "purpose": row.purpose_code,
        "channel": row.channel,
        "phase": row.phase,
        "verdict": row.verdict,
        "reasons": row.reasons,
    }


def _revocation(row: Revocation) -> dict[str, object]:
    return {
        "id": str(row.pk),
        "means": row.means,
        "channels": row.channels,
        "purposes": row.purposes or "all",
        "received_at": canonical.instant(row.received_at),
        "effective_at": canonical.instant(row.effective_at),
    }
