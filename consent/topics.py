"""Does a text speak of what asks for more than plain consent? Words by language, from a table.

Health, religion, politics, union membership, orientation, biometrics, and words said to a child:
each hit has its place and its word, so that a page can show why. Pure, and linear in the text.
The words stand in `consent/topics.toml`. A word list finds words, not meanings: a marketer adds
what it misses, and takes a false hit out with a reason.
"""

import tomllib
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import ahocorasick

from consent.rule_format import CONTENT

LISTS = Path(__file__).parent / "topics.toml"
GUARDS, PREFIXES = "guards", "prefixes"
DIAERESIS = "\u0308"
# Vowel signs and the virama are letters of Hindi; other marks are accents.
LETTER_MARKS = {0, 9}
JOINERS = ",،，、"
TATWEEL = "ـ"


@dataclass(frozen=True)
class Hit:
    """One word that shows what a text speaks of, and where it stands (characters, end excluded)."""

    content: str
    word: str
    start: int
    end: int


@dataclass(frozen=True)
class _Entry:
    """One word of the table; without a class it is a guard. An open end may be anything."""

    content: str
    size: int
    starts_open: bool
    ends_open: bool


@dataclass(frozen=True)
class _Folded:
    """A text without case and accents: where each sign stood, where its word begins and ends."""

    text: str
    places: Sequence[int]
    word_starts: Sequence[int]
    word_ends: Sequence[int]


def topics_of(text: str, language: str) -> frozenset[str]:
    """Return the classes of content that a text speaks of.

    Law: GDPR Art. 9(1) and 8; a language without a list is read by the lists of all.
    """
    return frozenset(hit.content for hit in hits(text, language))


def hits(text: str, language: str) -> tuple[Hit, ...]:
    """Return each word that shows what a text speaks of, in its order."""
    folded = _fold(text)
    found = sorted(_found(folded, language), key=lambda one: (one[1], -one[2]))
    guarded = _Spans([(start, end) for entry, start, end in found if not entry.content])
    ends: dict[str, int] = {}
    kept = []
    for entry, start, end in found:
        if entry.content and start >= ends.get(entry.content, 0) and not guarded.cover(start, end):
            ends[entry.content] = end
            first, last = folded.places[start], folded.places[end - 1] + 1
            kept.append(Hit(entry.content, text[first:last], first, last))
    return tuple(kept)


def knows(language: str) -> bool:
    """Say whether there is a list of words for a language; others are read by the lists of all."""
    return language.partition("-")[0] in languages()


@lru_cache(maxsize=1)
def languages() -> frozenset[str]:
    """Return the languages that have a list of words."""
    return frozenset(_table()) - {PREFIXES}


class _Spans:
    """Stretches of a text, asked whether one of them holds another stretch whole."""

    def __init__(self, spans: Iterable[tuple[int, int]]) -> None:
        ordered = sorted(spans)
        self._starts = [start for start, _ in ordered]
        self._ends = list(accumulate((end for _, end in ordered), max))

    def cover(self, start: int, end: int) -> bool:
        before = bisect_right(self._starts, start)
        return before > 0 and self._ends[before - 1] >= end


def _found(folded: _Folded, language: str) -> Iterator[tuple[_Entry, int, int]]:
    code = language.partition("-")[0]
    words = _automaton(code if code in languages() else "")
    for last, entries in words.iter(folded.text):
        for entry in entries:
            span = _whole(folded, entry, last + 1 - entry.size, last + 1)
            if span is not None:
                yield entry, *span


def _whole(folded: _Folded, entry: _Entry, start: int, end: int) -> tuple[int, int] | None:
    """Return the stretch of whole words, or None where the table's word is a part of another."""
    word_start, word_end = folded.word_starts[start], folded.word_ends[end - 1]
    before = folded.text[word_start:start]
    if before and not entry.starts_open and before not in _prefixes():
        return None
    if word_end > end and not entry.ends_open:
        return None
    return word_start, word_end


def _fold(text: str) -> _Folded:
    signs: list[str] = []
    places: list[int] = []
    for place, sign in enumerate(text):
        for part in _parts(sign):
            before = signs[-1] if signs else " "
            # ä is another letter than a; what Russian writes as ё it also writes as е.
            accent = part == DIAERESIS and not before.isascii()
            if not accent and not (part == " " and before == " "):
                signs.append(part)
                places.append(place)
    starts, ends = _words(signs)
    return _Folded("".join(signs), places, starts, ends)


@lru_cache(maxsize=4096)
def _parts(sign: str) -> str:
    return "".join(map(_part, unicodedata.normalize("NFKD", sign.casefold())))


def _part(sign: str) -> str:
    category = unicodedata.category(sign)
    if sign == TATWEEL or category == "Cf":
        return ""
    if category[0] in "ZC" or category == "Pd" or sign in JOINERS:
        return " "
    accent = category == "Mn" and unicodedata.combining(sign) not in LETTER_MARKS
    return "" if accent and sign != DIAERESIS else "'" if sign == "’" else sign


def _words(signs: Sequence[str]) -> tuple[list[int], list[int]]:
    starts = list(range(len(signs)))
    for place in range(1, len(signs)):
        if _joined(signs[place - 1], signs[place]):
            starts[place] = starts[place - 1]
    ends = [place + 1 for place in range(len(signs))]
    for place in range(len(signs) - 2, -1, -1):
        if starts[place + 1] == starts[place]:
            ends[place] = ends[place + 1]
    return starts, ends


def _joined(left: str, right: str) -> bool:
    return all(_is_letter(sign) and not _stands_alone(sign) for sign in (left, right))


@lru_cache(maxsize=4096)
def _is_letter(sign: str) -> bool:
    return sign.isalnum() or unicodedata.category(sign)[0] == "M"


def _stands_alone(sign: str) -> bool:
    # Chinese and Japanese put no spaces between words.
    return "\u3040" <= sign <= "\u30ff" or "\u3400" <= sign <= "\u9fff"


@lru_cache(maxsize=32)
def _automaton(language: str) -> Any:
    """Return the words of one language, or of all, to be found in one pass over a text."""
    kept: dict[str, set[_Entry]] = {}
    for code in [language] if language else sorted(languages()):
        for content, words in _table()[code].items():
            for word in words:
                bare = _fold(word.strip("*")).text
                entry = _Entry(
                    "" if content == GUARDS else content,
                    len(bare),
                    word.startswith("*"),
                    word.endswith("*"),
                )
                kept.setdefault(bare, set()).add(entry)
    automaton = ahocorasick.Automaton()
    for bare, entries in kept.items():
        automaton.add_word(bare, tuple(entries))
    automaton.make_automaton()
    return automaton


@lru_cache(maxsize=1)
def _prefixes() -> frozenset[str]:
    found = _table()[PREFIXES].values()
    return frozenset(_fold(prefix).text for prefixes in found for prefix in prefixes)


@lru_cache(maxsize=1)
def _table() -> dict[str, dict[str, list[str]]]:
    table = tomllib.loads(LISTS.read_text(encoding="utf-8"))
    for language, classes in table.items():
        if language != PREFIXES and set(classes) - {GUARDS} - CONTENT:
            raise ValueError(f"{language}: an unknown class of content")
    return table
