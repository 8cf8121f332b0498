"""How fast does a long work go, and how long does the rest take at that pace?"""

from dataclasses import dataclass
from datetime import datetime

# Of the first moments nothing can be foretold.
SHORTEST_SECONDS = 2.0


@dataclass(frozen=True)
class Pace:
    """How many a minute, and how many seconds are left; None where nobody can say yet."""

    rate: float | None = None
    eta_seconds: int | None = None


def of(*, done: int, total: int, began_at: datetime | None, at: datetime) -> Pace:
    """Return the pace of a work that began at an instant and has done so many of so many."""
    seconds = (at - began_at).total_seconds() if began_at else 0.0
    if done <= 0 or seconds < SHORTEST_SECONDS:
        return Pace()
    rate, left = 60 * done / seconds, max(0, total - done)
    return Pace(round(rate, 1), round(60 * left / rate) if left else None)
