"""What is one detector? A kind, a pattern, the cue it is tried by, and what makes a hit one."""

import re
from collections.abc import Callable, Iterable
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
    # The stretches it is given begin with what it looks for; elsewhere it need not look.
    begins: bool


def detector(
    cue: str,
    kind: str,
    pattern: str,
    holds: Callable[[str], bool] | None = None,
    *,
    separators: str = " .-/",
    flags: int = re.IGNORECASE,
    begins: bool = False,
) -> Detector:
    """Compile one detector."""
    removed = dict.fromkeys(map(ord, separators))
    return Detector(cue, kind, re.compile(pattern, flags), holds or _always, removed, begins)


def matches(one: Detector, text: str, start: int, end: int) -> Iterable[re.Match[str]]:
    """Return where a detector's pattern stands in a stretch of a text."""
    if not one.begins:
        return one.pattern.finditer(text, start, end)
    found = one.pattern.match(text, start, end)
    return (found,) if found else ()


def in_capitals(holds: Callable[[str], bool]) -> Callable[[str], bool]:
    """Judge a number however its letters are written."""
    return lambda number: holds(number.upper())


def _always(_found: str) -> bool:
    return True
