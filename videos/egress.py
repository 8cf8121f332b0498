"""What is written down of what left for an AI, of what came back, and of what was seen afterwards?

Rows and their entries in the trail, each in a transaction of its own: nothing here calls a vendor.
"""

import hashlib
import json
import secrets
from datetime import datetime
from typing import Protocol

from django.db import transaction

from accounts import audit
from accounts.audit import Actor
from videos import incidents
from videos.anonymisation import AnonymousScript
from videos.models import DeletionReceipt, EgressManifest, Render
from videos.vendor_terms import Allowed

State = Render.State
COPY_UNKNOWN, COPY_PRESENT = "vendor_copy_unknown", "vendor_copy_present"
DELETE_FAILED, COPY_RETURNED = "vendor_delete_failed", "vendor_copy_returned"
NOT_OBSERVED, SOFT_DELETED = "vendor_copy_not_observed", "vendor_copy_soft_deleted"
RENDER, MANIFEST, RECEIPT = "videos.render", "videos.egressmanifest", "videos.deletionreceipt"


class Vendor(Protocol):
    """What a manifest and a receipt say of a provider."""

    name: str
    endpoint: str
    region: str
    residual_days: int


class Deletion(Protocol):
    """What a provider answered to a deletion; `is_soft`: it only hid its copy."""

    @property
    def status(self) -> int:
        """Return the HTTP status."""

    @property
    def answer(self) -> bytes:
        """Return the body."""

    @property
    def is_soft(self) -> bool:
        """Say whether the copy was hidden only."""


@transaction.atomic(durable=True)
def declare(
    *, render: Render, vendor: Vendor, script: AnonymousScript, allowed: Allowed, at: datetime
) -> EgressManifest:
    """Write down what is about to leave; committed before the socket opens.

    Law: GDPR Art. 5(2) and 30(1)(d).
    """
    manifest = EgressManifest.objects.create(
        render=render,
        vendor=vendor.name,
        endpoint=vendor.endpoint,
        region=vendor.region,
        agreement_id=allowed.agreement_id,
        attestation_id=allowed.attestation_id,
        slots=list(script.slots),
        size_bytes=len(script.body),
        body_sha256=script.sha256,
        body=script.body,
        detectors=script.detectors,
        nonce=secrets.token_hex(32),
        at=at,
    )
    audit.record(
        action="videos.egress.declared",
        at=at,
        actor=audit.SYSTEM,
        object_type=MANIFEST,
        object_id=str(manifest.pk),
        details={
            "render": str(render.pk),
            "body_sha256": manifest.body_sha256,
            "size_bytes": manifest.size_bytes,
            "vendor": manifest.vendor,
        },
    )
    return manifest


def last_manifest(render: Render) -> EgressManifest | None:
    """Return the newest manifest of a render."""
    return EgressManifest.objects.filter(render=render).order_by("at", "id").last()


def unanswered(render: Render) -> EgressManifest | None:
    """Return the newest manifest if nothing was deleted after it: its call may have arrived."""
    last = last_manifest(render)
    answered = last and DeletionReceipt.objects.filter(manifest=last).exists()
    return None if answered else last


def ordered_body(render: Render) -> bytes:
    """Return the request that was sent last; empty if none was."""
    manifest = last_manifest(render)
    return bytes(manifest.body) if manifest else b""


def ordered_slots_ms(render: Render) -> list[int]:
    """Return how long each slot is that was ordered, in milliseconds."""
    body = ordered_body(render)
    items = json.loads(body)["items"] if body else []
    return [int(item["ms"]) for item in items if "slot" in item]


@transaction.atomic(durable=True)
def note_submitted(*, render: Render, manifest: EgressManifest, job_id: str, at: datetime) -> None:
    """Keep the vendor's name for the job."""
    jobs = {**render.vendor_jobs, str(manifest.pk): job_id}
    step_done(render, state=State.SUBMITTED, vendor_job_id=job_id, vendor_jobs=jobs, problem="")
    note(render, "submitted", at, manifest=str(manifest.pk))


@transaction.atomic(durable=True)
def note_fetched(*, render: Render, at: datetime, problem: str = "", **media: object) -> None:
    """Keep what came home, or why nothing usable did; the vendor's copy is to be deleted now."""
    step_done(render, state=State.FETCHED, problem=problem, **media)
    note(render, "fetched", at, problem=problem)


@transaction.atomic(durable=True)
def note_deletion(
    *, render: Render, vendor: Vendor, deletion: Deletion, absent: bool, at: datetime
) -> None:
    """Keep the vendor's answer and whether its copy was seen to be gone; if not, open an incident.

    Law: GDPR Art. 28(3)(g).
    """
    manifest = last_manifest(render)
    told = DeletionReceipt.objects.filter(manifest=manifest, observed_absent=False).exists()
    # A copy that will not go is told of once; its incident stays open.
    if manifest and (absent or not told):
        receipt = DeletionReceipt.objects.create(
            render=render,
            manifest=manifest,
            deleted_at=at,
            delete_status=deletion.status,
            request_sha256=hashlib.sha256(render.vendor_job_id.encode()).hexdigest(),
            answer_sha256=hashlib.sha256(deletion.answer).hexdigest(),
            is_soft=deletion.is_soft,
            observed_absent=absent,
            observed_at=at,
            residual_days=vendor.residual_days,
        )
        _record(receipt, "videos.copy.deleted")
    if deletion.is_soft:
        # Not to be seen and not gone: that it is hidden proves nothing, so an officer asks.
        open_incident(SOFT_DELETED, render, at)
    if absent:
        _finish(render, at)
    else:
        open_incident(COPY_PRESENT, render, at)
        step_done(render)


@transaction.atomic(durable=True)
def note_look(*, first: DeletionReceipt, absent: bool, at: datetime) -> None:
    """Keep a later look at whether a vendor's copy is gone; one that came back is an incident."""
    receipt = DeletionReceipt.objects.create(
        render=first.render,
        manifest=first.manifest,
        deleted_at=first.deleted_at,
        delete_status=first.delete_status,
        request_sha256=first.request_sha256,
        is_soft=first.is_soft,
        answer_sha256=first.answer_sha256,
        observed_absent=absent,
        observed_at=at,
        residual_days=first.residual_days,
    )
    _record(receipt, "videos.copy.observed")
    if absent:
        kinds = [COPY_RETURNED, NOT_OBSERVED]
        incidents.close(kinds=kinds, object_id=first.render_id, at=at, actor=audit.SYSTEM)
    else:
        open_incident(COPY_RETURNED, first.render, at)


@transaction.atomic(durable=True)
def fail(*, render: Render, problem: str, at: datetime) -> None:
    """End a render of which the vendor holds nothing that we know of."""
    step_done(render, state=State.FAILED, problem=problem, finished_at=at)
    note(render, "finished", at, problem=problem)


def open_incident(kind: str, render: Render, at: datetime) -> None:
    """Put a render before the officer."""
    incidents.open_once(kind=kind, object_type=RENDER, object_id=render.pk, at=at)


def step_done(render: Render, **changes: object) -> None:
    """Give a render back after a step that ended well."""
    changes = {**changes, "stepped_at": render.claimed_at, "claimed_at": None, "attempts": 0}
    for name, value in changes.items():
        setattr(render, name, value)
    render.save(update_fields=list(changes))


def note(
    render: Render, what: str, at: datetime, actor: Actor = audit.SYSTEM, **details: str
) -> None:
    """Enter an act about a render in the trail."""
    audit.record(
        action=f"videos.render.{what}",
        at=at,
        actor=actor,
        object_type=RENDER,
        object_id=str(render.pk),
        details=details,
    )


def _finish(render: Render, at: datetime) -> None:
    kinds = [DELETE_FAILED, COPY_PRESENT]
    incidents.close(kinds=kinds, object_id=render.pk, at=at, actor=audit.SYSTEM)
    state = State.FAILED if render.problem else State.DONE
    step_done(render, state=state, finished_at=at)
    note(render, "finished", at, problem=render.problem)


def _record(receipt: DeletionReceipt, action: str) -> None:
    audit.record(
        action=action,
        at=receipt.observed_at,
        actor=audit.SYSTEM,
        object_type=RECEIPT,
        object_id=str(receipt.pk),
        details={
            "render": str(receipt.render_id),
            "absent": receipt.observed_absent,
            "soft": receipt.is_soft,
            "answer_sha256": receipt.answer_sha256,
            "status": receipt.delete_status,
        },
    )
