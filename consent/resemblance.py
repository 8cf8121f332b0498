"""Does an answer resemble a no, where no list says so? A second opinion, learned; pure.

The lists know what somebody thought of. What they leave open (a weak sign of a no, or nothing at
all) is judged by a small linear model over pieces of words, learned from `tests/payloads/replies`
by `make learn-words` and kept in `consent/words/learned.json`. It can do two things only: send
an answer to a human, or spare a human an answer. It never says that somebody asked to stop.

Two sums, so that each can be read by hand:

- `alike`: the weights of the pieces that stand in the text. A piece is a run of two to five
  letters, a word, two words, or a meaning that the lists have a name for ({dont}, {send}, {msgs}:
  the same names in all languages, so that one language learns from another). Pieces are kept as
  numbers (a CRC), never as text.
- the card: a dozen signs, `alike` among them, each with its weight. It learns from answers that
  neither the lists nor the pieces had seen, so it trusts each no more than it deserves.

A file that is missing, cut or altered is no opinion: then every answer that the lists do not
understand goes to a human.
"""

import base64
import hashlib
import json
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any
from zlib import crc32

from consent.phrasebook import book
from consent.reply_text import END, LINE, PAUSE, WORDS
from consent.reply_text import words as words_of

LEARNED = WORDS / "learned.json"
BITS = 17
PIECES = 1 << BITS
LETTERS = (2, 3, 4, 5)
# A meaning that each third answer holds tells nothing; and pairs grow with the square.
MEANINGS = 24
Span = tuple[str, int, int]


@dataclass(frozen=True)
class Learned:
    """What was learned: a weight a piece and a sign, and where a human is asked."""

    pieces: Sequence[int]
    scale: float
    bias: float
    card: Mapping[str, float]
    threshold: float

    def alike(self, found: Collection[int]) -> float:
        """Return how much these pieces resemble a no: above 0, rather a no (log odds)."""
        total = sum(map(self.pieces.__getitem__, found))
        return self.bias + self.scale * total / math.sqrt(max(1, len(found)))

    def may_be_a_no(self, signs: Mapping[str, float]) -> bool:
        """Do the signs add up to what a human should read?"""
        return summed(self.card, signs) >= self.threshold


def summed(card: Mapping[str, float], signs: Mapping[str, float]) -> float:
    """Return the log odds that answers with these signs are a no."""
    return sum(weight * signs[name] for name, weight in card.items())


def pieces(text: str) -> set[int]:
    """Return the numbers of the pieces that stand in a text."""
    words = words_of(text)
    parts = {*_letters(words), *_words(words), *_meanings(words)}
    return {crc32(part.encode()) % PIECES for part in parts}


def signs(text: str, *, unsure: bool, alike: float) -> dict[str, float]:
    """Return what the lists saw in an answer, in numbers; the card weighs these."""
    words = words_of(text)
    spans = [(found.kind, *span) for found, span in book().found([END, *words, END])]
    counted = {kind: sum(found == kind for found, _, _ in spans) for kind, _, _ in spans}
    harmless = _covered(spans, {"harmless"})
    known = harmless | _covered(spans, {"everyday"})
    places = [i for i, word in enumerate(words, 1) if word not in {END, PAUSE, LINE}]
    hints = [span for span in spans if span[0] == "hints" and not known.issuperset(_reach(span))]
    doubts = [span for span in spans if span[0] == "doubts" and harmless.isdisjoint(_reach(span))]
    return {
        "always": 1.0,
        "alike": alike,
        "unsure": float(unsure),
        "doubts": math.log1p(len(doubts)),
        "hints": math.log1p(len(hints)),
        "asked_but": float(bool(counted.keys() & {"plain", "requests"})),
        "doubted_but": math.log1p(counted.get("doubts", 0)),
        "harmless": math.log1p(counted.get("harmless", 0)),
        "everyday": math.log1p(counted.get("everyday", 0)),
        "automatic": float("automatic" in counted),
        "spared": sum(place in harmless for place in places) / max(1, len(places)),
        "explained": sum(place in known for place in places) / max(1, len(places)),
        "words": math.log1p(len(places)),
        "few_words": float(len(places) <= 3),
        "question": float(any(mark in text for mark in "?？؟")),
        "shouted": float(any(mark in text for mark in "!！¡")),
        "number": float(any(char.isdecimal() for char in text)),
    }


@cache
def learned() -> Learned | None:
    """Return what was learned; None if the file is missing, or not as it was written."""
    return read(LEARNED)


def read(path: Path) -> Learned | None:
    """Return what a file holds; None if it is missing, cut or altered."""
    try:
        return _made(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def checksum(page: Mapping[str, Any]) -> str:
    """Return the SHA-256 of all that a page of weights says, but for the sum itself."""
    rest = {name: value for name, value in page.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _made(page: Mapping[str, Any]) -> Learned:
    weights = memoryview(base64.b64decode("".join(page["pieces"]), validate=True)).cast("b")
    known = signs("", unsure=False, alike=0.0).keys()
    if page["sha256"] != checksum(page) or len(weights) != PIECES or page["card"].keys() != known:
        raise ValueError("altered")
    return Learned(
        pieces=tuple(weights),
        scale=float(page["scale"]),
        bias=float(page["bias"]),
        card=dict(page["card"]),
        threshold=float(page["threshold"]),
    )


def _letters(text: Sequence[str]) -> Iterator[str]:
    for word in set(text):
        framed = f" {word} "
        for size in LETTERS:
            for start in range(max(1, len(framed) - size + 1)):
                yield framed[start : start + size]


def _words(text: Sequence[str]) -> Iterator[str]:
    before = END
    for word in [*text, END]:
        yield f"1 {word}"
        yield f"2 {before} {word}"
        before = word


def _meanings(text: Sequence[str]) -> Iterator[str]:
    named = sorted(book().meanings([END, *text, END]))[:MEANINGS]
    for name in named:
        yield f"3 {name}"
    for first, second in combinations(named, 2):
        yield f"4 {first} {second}"


def _covered(spans: Iterable[Span], kinds: set[str]) -> set[int]:
    return {place for span in spans if span[0] in kinds for place in _reach(span)}


def _reach(span: Span) -> range:
    return range(span[1], span[2] + 1)
