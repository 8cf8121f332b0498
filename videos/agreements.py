"""Under which contract, and which setting of our account, does an AI vendor work for us?

An officer enters the contract; without one in force nothing leaves for that vendor.
"""

import hashlib
from collections.abc import Collection
from datetime import date, datetime

from django.db import transaction
from django.db.models import QuerySet

from accounts import audit
from accounts.audit import Actor
from accounts.models import User
from integrations.models import Connection
from videos.models import ProcessorAgreement, VendorAttestation

# What the contract has to say, by its letter in Art. 28(3).
CLAUSES = {
    "a": "Acts on our documented instructions only, transfers included",
    "b": "Everybody who works with the data is bound to secrecy",
    "c": "Security of processing (Art. 32)",
    "d": "Sub-processors with our authorisation only, under the same duties",
    "e": "Helps us to answer people's requests",
    "f": "Helps with security, breaches and impact assessments (Art. 32-36)",
    "g": "Deletes or returns everything at the end, and on our word",
    "h": "Shows us what proves all this, and allows audits",
}
LONGEST_LINE, MOST_SUB_PROCESSORS = 120, 100
CONNECTION, AGREEMENT = "integrations.connection", "videos.processoragreement"


class BadAgreement(ValueError):
    """A part of an agreement is missing or unusable; `field` and `problem` say which and why."""

    def __init__(self, field: str, problem: str) -> None:
        self.field, self.problem = field, problem
        super().__init__(f"{field}: {problem}")


@transaction.atomic
def record(  # noqa: PLR0913  the facts of one row, all named by the caller
    *,
    connection: Connection,
    reference: str,
    document: bytes,
    clauses: Collection[str],
    sub_processors: Collection[str],
    region: str,
    signed_on: date,
    expires_on: date,
    residual_days: int,
    at: datetime,
    staff: User,
) -> ProcessorAgreement:
    """Keep what a signed agreement says; the document stays with the officer, its hash here.

    :raises BadAgreement: a part is missing or unusable; nothing is kept.
    Law: GDPR Art. 28(3)(a)-(h), 28(2) and 28(9).
    """
    row = ProcessorAgreement(
        connection=connection,
        reference=" ".join(reference.split()),
        document_sha256=hashlib.sha256(document).hexdigest(),
        clauses=sorted(set(clauses)),
        sub_processors=[line for line in map(str.strip, sub_processors) if line],
        region=region.strip().lower(),
        signed_on=signed_on,
        expires_on=expires_on,
        residual_days=residual_days,
        recorded_by=staff,
        created_at=at,
    )
    _check(row, document, at)
    row.save(force_insert=True)
    # The storeys below name the processor's region in notices.
    connection.terms = {
        "agreement_id": row.reference,
        "region": row.region,
        "expires_on": row.expires_on.isoformat(),
    }
    connection.save(update_fields=["terms"])
    _note(row, "recorded", at, audit.staff(staff))
    return row


@transaction.atomic
def end(*, agreement: ProcessorAgreement, at: datetime, actor: Actor) -> ProcessorAgreement:
    """End an agreement at once: nothing more leaves under it. Again changes nothing."""
    held = ProcessorAgreement.objects.select_for_update().get(pk=agreement.pk)
    if held.ended_at is None:
        held.ended_at = at
        held.save(update_fields=["ended_at"])
        _note(held, "ended", at, actor)
    return held


def of(connection: Connection) -> QuerySet[ProcessorAgreement]:
    """Return the agreements about an account, the newest first."""
    rows = ProcessorAgreement.objects.filter(connection=connection)
    return rows.order_by("-created_at", "-pk")


def in_force(*, connection: Connection, at: datetime) -> ProcessorAgreement | None:
    """Return the agreement that binds the vendor on this day (UTC); its last day counts."""
    rows = of(connection).filter(ended_at=None, signed_on__lte=at.date(), expires_on__gte=at.date())
    return rows.first()


@transaction.atomic
def attest(
    *, connection: Connection, holds: bool, means: str, at: datetime, actor: Actor
) -> VendorAttestation:
    """Keep whether an account was seen to be set to keep nothing."""
    row = VendorAttestation.objects.create(
        connection=connection,
        holds=holds,
        means=means,
        staff_id=actor.id if actor.kind == "staff" else "",
        at=at,
    )
    audit.record(
        action="videos.vendor.attested",
        at=at,
        actor=actor,
        object_type=CONNECTION,
        object_id=str(connection.pk),
        details={"holds": holds, "means": means},
    )
    return row


def last_attestation(*, connection: Connection) -> VendorAttestation | None:
    """Return what was seen last of an account's setting."""
    rows = VendorAttestation.objects.filter(connection=connection)
    return rows.order_by("-at", "-pk").first()


def _check(row: ProcessorAgreement, document: bytes, at: datetime) -> None:
    faults = {
        "reference": "" if 0 < len(row.reference) <= 64 else "Up to 64 signs, such as DPA-2026-7.",
        "document": "" if document else "The document is empty.",
        "clauses": "" if set(row.clauses) <= set(CLAUSES) else "There is no such clause.",
        "region": "" if 0 < len(row.region) <= 24 else "A short word, such as eu or us.",
        "signed_on": "" if row.signed_on <= at.date() else "It lies in the future.",
        "expires_on": "" if row.expires_on >= at.date() else "That day is past.",
        "residual_days": "" if 0 <= row.residual_days <= 3650 else "From 0 to 3650 days.",
        "sub_processors": _fault_of_lines(row.sub_processors),
    }
    for field, problem in faults.items():
        if problem:
            raise BadAgreement(field, problem)


def _fault_of_lines(lines: list[str]) -> str:
    if not lines:
        return "Name each, one a line; write “none” if there is none."
    if len(lines) > MOST_SUB_PROCESSORS or max(map(len, lines)) > LONGEST_LINE:
        return f"At most {MOST_SUB_PROCESSORS} lines of {LONGEST_LINE} signs."
    return ""


def _note(row: ProcessorAgreement, what: str, at: datetime, actor: Actor) -> None:
    audit.record(
        action=f"videos.agreement.{what}",
        at=at,
        actor=actor,
        object_type=AGREEMENT,
        object_id=str(row.pk),
        details={
            "connection": str(row.connection_id),
            "clauses": row.clauses,
            "region": row.region,
            "document": row.document_sha256,
        },
    )
