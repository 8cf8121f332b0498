"""What is one person's whole chain? One document that a stranger can check without us.

Ids, hashes, times and the texts of notices; no name, no address, nothing that was sealed. The
checker is `verify_proof.py`: standard library and `cryptography`, no database and no network.
"""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from accounts import audit
from accounts.models import TrailEntry, TrailSeal
from config.lib import canonical, merkle
from consent import receipts
from consent.models import ConsentEvent, Contact, Decision, Message, Notice, Purpose
from retention import proof_evidence
from retention.models import Certificate, RunItem
from videos import devices
from videos.models import Asset, DeletionReceipt, EgressManifest, Link, Play, Render

FORMAT = "sealcast-proof/2"
# What tells of no person, and so stands in the trail by itself.
OF_NOBODY = ("renders", "manifests", "receipts", "agreements", "releases")
Element = dict[str, Any]


def build(*, contact: Contact, at: datetime) -> dict[str, object]:
    """Return a person's whole chain, signed; what the trail has not sealed yet is sealed first.

    Law: GDPR Art. 5(2) and 7(1), the controller is able to demonstrate.
    """
    audit.seal(at=at)
    sections = {**_of_consent(contact), **_of_videos(contact), **_of_deletion(contact)}
    entries, related = _entries(contact, sections)
    sections["trail"], sections["related"] = _places(entries), _places(related)
    sections["seals"] = _seals([*entries, *related])
    key_id, public = audit.public_key()
    head: dict[str, object] = {
        "format": FORMAT,
        "made_at": canonical.instant(at),
        "person": str(contact.pk),
        "key": {"id": key_id, "public": public},
        "contents": {
            name: [canonical.digest(element) for element in elements]
            for name, elements in sections.items()
        },
    }
    return {**head, **sections, "signature": audit.sign(head)["signature"]}


def _of_consent(contact: Contact) -> dict[str, list[Element]]:
    events = ConsentEvent.objects.filter(contact=contact).select_related("purpose")
    shown = Notice.objects.filter(pk__in=events.exclude(notice=None).values("notice_id"))
    decisions = Decision.objects.filter(contact=contact).order_by("at", "id")
    messages = Message.objects.filter(contact=contact).select_related("connection")
    return {
        "notices": [
            {"sha256": row.sha256, "language": row.language, "text": row.text}
            for row in shown.order_by("sha256")
        ],
        "consent": [
            receipts.content(row)
            for row in events.order_by("purpose_code", "channel", "number", "id")
        ],
        "decisions": [_decision(row) for row in decisions],
        "messages": [_message(row) for row in messages.order_by("queued_at", "id")],
        **proof_evidence.of_consent(contact),
    }


def _of_videos(contact: Contact) -> dict[str, list[Element]]:
    assets = Asset.objects.filter(contact=contact).select_related("campaign")
    renders = Render.objects.filter(pk__in=assets.values("render_id")).select_related("connection")
    manifests = EgressManifest.objects.filter(render__in=renders).order_by("at", "id")
    receipts = DeletionReceipt.objects.filter(render__in=renders).order_by("observed_at", "id")
    links = Link.objects.filter(contact=contact).order_by("created_at", "id")
    plays = Play.objects.filter(link__contact=contact).order_by("id")
    return {
        "renders": [_render(row) for row in renders.order_by("created_at", "id")],
        "manifests": [_manifest(row) for row in manifests],
        "receipts": [_receipt(row) for row in receipts],
        "assets": [_asset(row) for row in assets.order_by("created_at", "id")],
        "links": [_link(row) for row in links],
        "plays": [
            {
                "id": row.pk,
                "link": str(row.link_id),
                "device": row.device_id,
                "at": canonical.instant(row.at),
                "expires_at": canonical.instant(row.expires_at),
            }
            for row in plays
        ],
        **proof_evidence.of_vendors(list(renders)),
        **proof_evidence.of_browsers(contact),
    }


def _of_deletion(contact: Contact) -> dict[str, list[Element]]:
    runs = RunItem.objects.filter(contact_id=contact.pk, state=RunItem.State.ERASED)
    own = Q(contact_id=contact.pk) | Q(contact_id=None, run__in=runs.values("run_id"))
    return {
        "certificates": [
            {
                "document": row.document,
                "sha256": row.document_hash,
                "signing_id": row.signing_id,
                "signature": row.signature,
            }
            for row in Certificate.objects.filter(own).order_by("number")
        ]
    }


def _entries(
    contact: Contact, sections: dict[str, list[Element]]
) -> tuple[list[TrailEntry], list[TrailEntry]]:
    """Return the person's entries, and those of nobody that tell of the renders they are in."""
    told = [element["id"] for name in OF_NOBODY for element in sections[name]]
    told += [element["document"]["id"] for element in sections["certificates"]]
    rows = TrailEntry.objects.select_related("leaf", "seal").order_by("position")
    own = rows.filter(subject_id=contact.pk)
    nobodys = rows.filter(subject_id=None)
    about = Q(leaf__object_id__in=told) | proof_evidence.sights(sections)
    return list(own), list(nobodys.filter(about))


def _places(entries: Iterable[TrailEntry]) -> list[Element]:
    blocks: dict[int, list[str]] = {}
    elements = []
    for entry in entries:
        hashes = blocks.get(entry.seal_id) or _hashes(entry.seal)
        blocks[entry.seal_id] = hashes
        index = entry.position - entry.seal.first_position
        elements.append(
            {
                "leaf": audit.content(entry.leaf),
                "entry": audit.entry_content(entry, entry.leaf.leaf_hash),
                "seal": entry.seal_id,
                "path": merkle.path(hashes, index),
            }
        )
    return elements


def _hashes(seal: TrailSeal) -> list[str]:
    rows = TrailEntry.objects.filter(seal=seal).order_by("position")
    return list(rows.values_list("entry_hash", flat=True))


def _seals(entries: Sequence[TrailEntry]) -> list[Element]:
    """Return the headers from the first block that is needed to the head of the trail."""
    if not entries:
        return []
    first = min(entry.seal_id for entry in entries)
    rows: QuerySet[TrailSeal] = TrailSeal.objects.filter(number__gte=first).order_by("number")
    return [
        {**audit.header(row), "hash": row.seal_hash, "signature": row.signature} for row in rows
    ]


def _decision(row: Decision) -> Element:
    in_force = Purpose.objects.filter(code=row.purpose_code, valid_from__lte=row.at)
    basis = in_force.order_by("-version").values_list("basis", flat=True).first()
    return {
        "id": str(row.pk),
        "at": canonical.instant(row.at),
        "phase": row.phase,
        "verdict": row.verdict,
        "purpose": row.purpose_code,
        "basis": basis,
        "channel": row.channel,
        "reasons": row.reasons,
        "defer_until": _instant(row.defer_until),
        "inputs_sha256": row.inputs_sha256,
        "packs_version": row.packs_version,
        "message": _id(row.message_id),
        "context": {"type": row.context_type, "id": _id(row.context_id)},
    }


def _message(row: Message) -> Element:
    return {
        "id": str(row.pk),
        "state": row.state,
        "purpose": row.purpose_code,
        "channel": row.channel,
        "provider": row.connection.provider,
        "decision": str(row.decision_id),
        "hand_off_decision": _id(row.hand_off_decision_id),
        "body_sha256": row.body_sha256,
        "queued_at": canonical.instant(row.queued_at),
        "sent_at": _instant(row.sent_at),
        "delivered_at": _instant(row.delivered_at),
        "context": {"type": row.context_type, "id": _id(row.context_id)},
    }


def _render(row: Render) -> Element:
    return {
        "id": str(row.pk),
        "campaign": str(row.campaign_id),
        "language": row.language,
        "script_sha256": row.script_sha256,
        "vendor": row.connection.provider if row.connection else "",
        "made_by": row.made_by,
        "presenter": row.presenter_code,
        "state": row.state,
        "created_at": canonical.instant(row.created_at),
        "finished_at": _instant(row.finished_at),
    }


def _manifest(row: EgressManifest) -> Element:
    return {
        "id": str(row.pk),
        "render": str(row.render_id),
        "vendor": row.vendor,
        "endpoint": row.endpoint,
        "region": row.region,
        "agreement": row.agreement_id,
        "attestation": row.attestation_id,
        "slots": row.slots,
        "size_bytes": row.size_bytes,
        "body_sha256": row.body_sha256,
        # As text, so that a reader sees at a glance that nobody is in it.
        "body": bytes(row.body).decode(),
        "detectors": row.detectors,
        "nonce": row.nonce,
        "at": canonical.instant(row.at),
    }


def _receipt(row: DeletionReceipt) -> Element:
    return {
        "id": str(row.pk),
        "render": str(row.render_id),
        "manifest": str(row.manifest_id),
        "deleted_at": canonical.instant(row.deleted_at),
        "delete_status": row.delete_status,
        "answer_sha256": row.answer_sha256,
        "observed_absent": row.observed_absent,
        "observed_at": canonical.instant(row.observed_at),
        "residual_days": row.residual_days,
        "request_sha256": row.request_sha256,
        "soft": row.is_soft,
    }


def _asset(row: Asset) -> Element:
    return {
        "id": str(row.pk),
        "campaign": str(row.campaign_id),
        "render": str(row.render_id),
        "state": row.state,
        "size_bytes": row.size_bytes,
        "content_sha256": row.content_sha256,
        "labelled_ai": row.labelled_ai,
        "mark": row.mark_name,
        "mark_read_at": _instant(row.mark_read_at),
        "step_up": devices.step_up(campaign=row.campaign),
        "created_at": canonical.instant(row.created_at),
        "delete_at": canonical.instant(row.delete_at),
        "deleted_at": _instant(row.deleted_at),
    }


def _link(row: Link) -> Element:
    return {
        "id": str(row.pk),
        "asset": str(row.asset_id),
        "message": _id(row.message_id),
        "created_at": canonical.instant(row.created_at),
        "not_before": canonical.instant(row.not_before),
        "expires_at": canonical.instant(row.expires_at),
        "revoked_at": _instant(row.revoked_at),
        "plays_allowed": row.plays_allowed,
        "plays": row.plays,
    }


def _instant(at: datetime | None) -> str | None:
    return canonical.instant(at) if at else None


def _id(value: uuid.UUID | None) -> str | None:
    return str(value) if value else None
