"""What does this storey hold of people? Random ids, codes and times: evidence, and no content."""

import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime

from config.lib.inventory import TECHNICAL, Column, Declarations, Due
from retention.models import Certificate, Hold, RunItem, SubjectRequest

PSEUDONYM = Column("pseudonym", "legal obligation", "certificate", personal=True)
REQUEST = Column("request", "legal obligation", "certificate", personal=True)
HOLD = Column("hold", "legal obligation", "certificate", personal=True)
STAFF = Column("staff", "legitimate interest", "certificate", personal=True)


def _technical(*names: str) -> dict[str, Column]:
    return dict.fromkeys(names, TECHNICAL)


DECLARATIONS: Declarations = {
    "retention.policy": _technical(
        "record_class", "title", "period_days", "action", "legal_source", "updated_at"
    ),
    "retention.hold": {
        **_technical("id", "record_class"),
        **dict.fromkeys(("object_id", "contact_id"), PSEUDONYM),
        **dict.fromkeys(("reason", "placed_at", "released_at"), HOLD),
        **dict.fromkeys(("placed_by", "released_by"), STAFF),
    },
    "retention.keptkey": _technical("key", "delete_at"),
    "retention.run": {
        **_technical("id", "trigger", "state", "planned_at", "plan_sha256", "item_count"),
        **_technical("needs_confirmation", "confirmed_at", "started_at", "finished_at"),
        "contact_id": PSEUDONYM,
        "actor": STAFF,
    },
    "retention.runitem": {
        **_technical("id", "run", "record_class", "due_at", "state", "problem", "erased_at"),
        **dict.fromkeys(("object_id", "contact_id", "parts"), PSEUDONYM),
    },
    "retention.certificate": {
        **_technical("id", "number", "run", "previous_hash", "document_hash", "signing_id"),
        **_technical("signature", "issued_at"),
        **dict.fromkeys(("contact_id", "document"), PSEUDONYM),
    },
    "retention.subjectrequest": {
        **_technical("id", "run"),
        "contact": PSEUDONYM,
        **dict.fromkeys(
            ("kind", "state", "channel", "received_at", "due_at", "closed_at"), REQUEST
        ),
        "handled_by": STAFF,
    },
    "retention.lawreplay": {
        **_technical("id", "law", "since", "refusals", "started_at", "finished_at", "done"),
        **_technical("total", "found", "problem"),
        "asked_by": STAFF,
    },
    "retention.verificationreport": {
        **_technical("id", "started_at", "finished_at", "done", "is_kept", "promises"),
        "asked_by": STAFF,
    },
}


def export(*, contact_id: uuid.UUID, at: datetime) -> dict[str, object]:
    """Return a person's requests, holds and certificates."""
    requests = SubjectRequest.objects.filter(contact_id=contact_id).order_by("received_at")
    holds = Hold.objects.filter(contact_id=contact_id).order_by("placed_at")
    certificates = Certificate.objects.filter(contact_id=contact_id).order_by("number")
    return {
        "requests": [
            {"id": row.public_id, "kind": row.kind, "state": row.state, "due": _text(row.due_at)}
            for row in requests
        ],
        "holds": [
            {"placed": _text(row.placed_at), "released": _text(row.released_at)} for row in holds
        ],
        "certificates": [row.document for row in certificates],
    }


def erase(*, contact_id: uuid.UUID, at: datetime) -> dict[str, int]:
    """Erase nothing: what stands here is the record of the erasure itself, without content.

    Law: GDPR Art. 17(3)(b) and (e); 11 CCR 7101, record of requests for 24 months.
    """
    return {"kept_run_items": RunItem.objects.filter(contact_id=contact_id).count()}


def due(*, at: datetime, days: Mapping[str, int]) -> Iterator[Due]:
    """Yield nothing: evidence of deletions is kept."""
    yield from ()


def erase_record(*, record_class: str, object_id: str, at: datetime) -> None:
    """Erase nothing: `due` named nothing."""


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
