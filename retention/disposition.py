"""What becomes of one record now? A hold goes before a law, a law before a label or a wish."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Act = Literal["erase", "hold", "keep"]


@dataclass(frozen=True)
class Facts:
    """All that the answer depends on."""

    # When its label says that it goes; None where the label says that it is kept.
    due_at: datetime | None
    is_held: bool = False
    # Until when a law asks for it, whatever anyone wants.
    must_keep_until: datetime | None = None
    # The person asked for erasure.
    is_requested: bool = False


@dataclass(frozen=True)
class Disposition:
    """The answer, with a reason code."""

    act: Act
    reason: str


def decide(*, facts: Facts, at: datetime) -> Disposition:
    """Say whether a record is erased, held or kept at an instant.

    Law: GDPR Art. 17(3)(b) and (e): a claim and a duty to keep go before erasure.
    """
    ends = facts.is_requested or (facts.due_at is not None and facts.due_at <= at)
    if not ends:
        return Disposition("keep", "not_due" if facts.due_at else "label_keeps")
    if facts.is_held:
        return Disposition("hold", "on_hold")
    if facts.must_keep_until is not None and facts.must_keep_until > at:
        return Disposition("keep", "law_keeps")
    return Disposition("erase", "requested" if facts.is_requested else "past_label")
