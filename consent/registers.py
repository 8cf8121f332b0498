"""What did a register of others say of an address? The newest answer, by its keyed hash."""

from collections.abc import Collection
from datetime import datetime

from accounts import audit
from accounts.audit import Actor
from consent import suppression
from consent.models import RegisterEntry

REASSIGNED = "us.rnd"


def note(
    *,
    register: str,
    channels: Collection[str],
    address: str,
    answer: str,
    receipt_sha256: str,
    at: datetime,
    actor: Actor,
) -> list[RegisterEntry]:
    """Keep what a register answered of an address on these channels; an older answer gives way.

    Law: 47 CFR 64.1200(c)(2), (m): the query with its answer is the safe harbour.
    """
    rows = [
        RegisterEntry.objects.update_or_create(
            register=register,
            address_index=suppression.index(channel=channel, address=address),
            defaults={
                "answer": RegisterEntry.Answer(answer),
                "checked_at": at,
                "receipt_sha256": receipt_sha256,
            },
        )[0]
        for channel in channels
    ]
    audit.record(
        action="consent.register.answered",
        at=at,
        actor=actor,
        object_type="consent.registerentry",
        object_id=",".join(str(row.pk) for row in rows),
        details={"register": register, "answer": answer, "receipt": receipt_sha256},
    )
    return rows
