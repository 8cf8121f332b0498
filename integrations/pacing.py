"""How many messages may leave to a vendor at this instant? No more a second than it takes.

One row an account, for all processes of all machines: more threads never break a vendor's rate.
"""

import uuid
from datetime import datetime, timedelta

from integrations.models import Connection

# So much of a second may be sent in one go; the pace is slower by as much, so that no second of
# the vendor's sees more than its limit.
BURST_SECONDS = 0.1
TRIES = 5
SKEW_SECONDS = 1.0


def take(
    *, connection_id: uuid.UUID, wanted: int, per_second: float, at: datetime
) -> tuple[int, float]:
    """Take up to `wanted` places; return how many were given, and else after how many seconds.

    What was given and is not used is lost: the pace is a ceiling and not a promise.
    """
    gap = (1 + BURST_SECONDS) / per_second
    rows = Connection.objects.filter(pk=connection_id)
    for _ in range(TRIES):
        before = rows.values_list("paced_until", flat=True).get()
        ahead = _ahead(before, at, gap)
        count = min(wanted, max(int((BURST_SECONDS - ahead) / gap), int(ahead == 0)))
        if count < 1:
            return 0, max(gap, ahead - BURST_SECONDS + gap)
        until = at + timedelta(seconds=ahead + count * gap)
        # Compared and set: of two that read the same instant one takes it, the other looks again.
        if rows.filter(paced_until=before).update(paced_until=until):
            return count, 0.0
    return 0, gap


def _ahead(until: datetime | None, at: datetime, gap: float) -> float:
    """Return for how many seconds from now on the rate is used up."""
    ahead = (until - at).total_seconds() if until else 0.0
    # Farther than we ever write: a machine whose clock is wrong must not hold all others back.
    return ahead if 0 < ahead <= max(BURST_SECONDS, gap) + SKEW_SECONDS else 0.0
