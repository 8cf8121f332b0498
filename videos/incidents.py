"""What broke a promise and waits for an officer? Opened once, closed when mended."""

import uuid
from datetime import datetime

from django.db import transaction

from accounts import audit
from videos.models import Incident, Link

REPORTS = frozenset({"not_me", "does_not_play", "unwanted", "other"})


@transaction.atomic
def open_once(*, kind: str, object_type: str, object_id: uuid.UUID, at: datetime) -> Incident:
    """Open an incident, or return the one that stands open already."""
    incident, is_new = Incident.objects.get_or_create(
        kind=kind,
        object_id=object_id,
        closed_at=None,
        defaults={"object_type": object_type, "opened_at": at},
    )
    if is_new:
        _record(incident, "videos.incident.opened", at, audit.SYSTEM)
    return incident


def is_open(*, kind: str, object_id: uuid.UUID) -> bool:
    """Say whether an incident of this kind stands open about an object."""
    return Incident.objects.filter(kind=kind, object_id=object_id, closed_at=None).exists()


@transaction.atomic
def report(*, link: Link, what: str, at: datetime) -> Incident:
    """Take what a person says is wrong with their video, for an officer to look into.

    `what` is one of `REPORTS`; words of theirs would be personal data, and are not asked for.
    """
    code = what if what in REPORTS else "other"
    found = open_once(kind=f"reported_{code}", object_type="videos.link", object_id=link.pk, at=at)
    audit.record(
        action="videos.link.reported",
        at=at,
        actor=audit.Actor("recipient", str(link.contact_id)),
        subject_id=link.contact_id,
        object_type="videos.link",
        object_id=str(link.pk),
        details={"kind": code},
    )
    return found


@transaction.atomic
def close(*, kinds: list[str], object_id: uuid.UUID, at: datetime, actor: audit.Actor) -> int:
    """Close the open incidents of these kinds about an object; return how many."""
    found = list(
        Incident.objects.select_for_update().filter(
            kind__in=kinds, object_id=object_id, closed_at=None
        )
    )
    for incident in found:
        incident.closed_at = at
        incident.save(update_fields=["closed_at"])
        _record(incident, "videos.incident.closed", at, actor)
    return len(found)


def _record(incident: Incident, action: str, at: datetime, actor: audit.Actor) -> None:
    audit.record(
        action=action,
        at=at,
        actor=actor,
        object_type=incident.object_type,
        object_id=str(incident.object_id),
        details={"incident": str(incident.pk), "kind": incident.kind},
    )
