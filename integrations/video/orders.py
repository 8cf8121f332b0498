"""How is an anonymous script said to a vendor that takes plain words? Slots become silence.

What is written follows from the request alone, and its mark names the request and nobody.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from integrations.vendors import VideoVendor
from integrations.video.base import ProviderError


@dataclass(frozen=True)
class Silence:
    """Time kept empty, in milliseconds."""

    ms: int


@dataclass(frozen=True)
class Words:
    """What is spoken to everybody."""

    text: str


@dataclass(frozen=True)
class Order:
    """One request: its mark at the vendor, its size, and what is said, in order."""

    mark: str
    language: str
    width: int
    height: int
    parts: Sequence[Silence | Words]

    @property
    def silences_ms(self) -> list[int]:
        """Return how long each slot is, in order."""
        return [part.ms for part in self.parts if isinstance(part, Silence)]


def read(body: bytes) -> Order:
    """Read the anonymous request.

    :raises ProviderError: it has not the shape that was agreed.
    """
    try:
        request = json.loads(body)
        return Order(
            mark=f"sc-{hashlib.sha256(body).hexdigest()[:40]}",
            language=str(request["language"]),
            width=int(request["width"]),
            height=int(request["height"]),
            parts=[_part(item) for item in request["items"]],
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ProviderError("permanent", "request_rejected") from None


def spoken(order: Order, vendor: VideoVendor, written: Callable[[str], str] | None = None) -> str:
    """Write an order as one text; `written` makes words safe beside the marks of silence."""
    safe = written or _without_marks
    said = [
        safe(part.text) if isinstance(part, Words) else _pauses(part.ms, vendor)
        for part in order.parts
    ]
    return " ".join(said)


def _part(item: dict[str, Any]) -> Silence | Words:
    if set(item) == {"slot", "ms"}:
        return Silence(int(item["ms"]))
    if set(item) == {"speech"}:
        return Words(str(item["speech"]))
    raise ValueError


def _pauses(ms: int, vendor: VideoVendor) -> str:
    whole, rest = divmod(ms, vendor.longest_pause_ms)
    lengths = [vendor.longest_pause_ms] * whole + ([rest] if rest else [])
    return "".join(vendor.pause.format(ms=one, seconds=f"{one / 1000:g}") for one in lengths)


def _without_marks(words: str) -> str:
    # A script that holds a mark of its own would order another film than was judged.
    return words.replace("<", " ").replace(">", " ")
