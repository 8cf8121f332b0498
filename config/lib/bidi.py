"""In which order does text of mixed direction stand on a line?

The Unicode bidirectional algorithm without explicit embeddings: control signs that set
a direction are taken out of names before they come here (they are used to disguise).
"""

import unicodedata
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_STRONG = {"L": "L", "R": "R", "AL": "R"}
_NUMBERS = {"EN", "AN"}


def is_right_to_left(text: str) -> bool:
    """Tell the direction of a paragraph by its first letter."""
    for sign in text:
        kind = unicodedata.bidirectional(sign)
        if kind in _STRONG:
            return _STRONG[kind] == "R"
    return False


def levels(text: str, *, right_to_left: bool) -> list[int]:
    """Give each sign its embedding level: even reads to the right, odd to the left."""
    base = 1 if right_to_left else 0
    kinds = _neutral_kinds(_weak_kinds(text), "R" if right_to_left else "L")
    return [_level(kind, base) for kind in kinds]


def visual_order(items: Sequence[T], item_levels: Sequence[int]) -> list[T]:
    """Order runs from left to right as they are seen."""
    order = list(range(len(items)))
    for level in range(max(item_levels, default=0), 0, -1):
        start = 0
        while start < len(order):
            end = start
            while end < len(order) and item_levels[order[end]] >= level:
                end += 1
            order[start:end] = reversed(order[start:end])
            start = end + 1
    return [items[index] for index in order]


def _weak_kinds(text: str) -> list[str]:
    kinds = [unicodedata.bidirectional(sign) or "L" for sign in text]
    strong, previous = "", "ON"
    for index, kind in enumerate(kinds):
        if kind == "NSM":
            kinds[index] = previous
        elif kind == "EN":
            kinds[index] = {"AL": "AN", "L": "L"}.get(strong, "EN")
        strong = kind if kind in _STRONG else strong
        previous = kinds[index]
    _join_separators(kinds)
    return [_STRONG.get(kind, kind) for kind in kinds]


def _join_separators(kinds: list[str]) -> None:
    """Let "1.5", "1-2" and "5 %" be one number."""
    for index in range(len(kinds)):
        before = kinds[index - 1] if index else ""
        after = kinds[index + 1] if index + 1 < len(kinds) else ""
        if kinds[index] in {"ES", "CS"} and before == after and before in _NUMBERS:
            kinds[index] = before
        elif kinds[index] == "ET" and "EN" in {before, after}:
            kinds[index] = "EN"


def _neutral_kinds(kinds: list[str], base: str) -> list[str]:
    """Give spaces and signs the direction of their neighbours where these agree."""
    result = list(kinds)
    index = 0
    while index < len(kinds):
        end = index
        while end < len(kinds) and kinds[end] not in {"L", "R", *_NUMBERS}:
            end += 1
        before = _side(kinds[index - 1]) if index else base
        after = _side(kinds[end]) if end < len(kinds) else base
        result[index:end] = [before if before == after else base] * (end - index)
        index = end + 1
    return result


def _side(kind: str) -> str:
    return "R" if kind in _NUMBERS else kind


def _level(kind: str, base: int) -> int:
    if kind in _NUMBERS:
        return 2
    wanted = 1 if kind == "R" else 0
    return base if base % 2 == wanted else base + 1
