"""What is one detector? A kind, a pattern, the cue it is tried by, and what makes a hit one."""

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Detector:
    """One pattern; `holds` judges what it found, without the separators."""

    cue: str
    kind: str
    pattern: re.Pattern[str]
    holds: Callable[[str], bool]
    # What stands between the signs of a number is taken away before its checksum is judged.
    separators: dict[int, None]


def detector(
    cue: str,
    kind: str,
    pattern: str,
    holds: Callable[[str], bool] | None = None,
    *,
    separators: str = " .-/",
    flags: int = re.IGNORECASE,
) -> Detector:
    """Compile one detector."""
    removed = dict.fromkeys(map(ord, separators))
    return Detector(cue, kind, re.compile(pattern, flags), holds or _always, removed)


def in_capitals(holds: Callable[[str], bool]) -> Callable[[str], bool]:
    """Judge a number however its letters are written."""
    return lambda number: holds(number.upper())


def _always(_found: str) -> bool:
    return True
