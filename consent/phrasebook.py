"""Which phrases of the word lists stand in a text? One pass for all languages; pure.

The lists are `consent/words/*.toml`, one a language, for counsel to read and to add to. A phrase is
written in words, with four signs:

    {group}     any word of that group (`[groups]` of the same file, or of `groups.toml`)
    a|b|c_d     one of these; "_" joins words
    ..3         up to three words between; at the end of a phrase, so many words that it covers
    ^  $        the beginning or the end of a sentence

A word that ends in "*" may end in any way, and one that begins with it may begin in any way. A
phrase never reaches over the end of a sentence, and every gap is bounded: time grows with the text
and not with what is in it.

Each list says what its phrases mean: `plain` asks, unless a longer harmless phrase holds all of it;
`requests` asks, unless a harmless phrase covers one of its words; `doubts` asks a human to look;
`harmless` takes the words it covers away from those two, and where it holds a whole answer, from
`^` to `$`, no human is asked; `automatic` is what mail programs write.
Under `[faint]` stand two lists that decide nothing by themselves: `hints` are words of a no,
`everyday` is what people say who mean none. How much they weigh, `consent.resemblance` has learned.
`stop` holds whole answers, `weak` those that count on a line of their own only.
"""

import tomllib
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate
from typing import Any

import ahocorasick

from consent.reply_text import END, WORDS, words

# Short words have too many neighbours that mean something else: "step" is no "stop".
TYPO_LETTERS = 6
# A language is spoken in a text if it knows this part of the words that the best one knows: "arrêt"
# is no Polish, though Polish has "stop" too.
SPOKEN = {
    "plain": 0.5,
    "requests": 0.5,
    "doubts": 0.5,
    "harmless": 0.8,
    "automatic": 0.5,
    "hints": 0.6,
    "everyday": 0.5,
}
# The same for the names of groups, which all languages share.
NAMED = 0.5
# What a file may hold besides its groups: lists of phrases, and lists of whole answers.
PHRASES = ("plain", "requests", "doubts", "harmless", "automatic")
# Signs only, weighed by what was learned.
FAINT = ("hints", "everyday")
ANSWERS = ("stop", "weak", "yes", "help", "start", "around", "greetings", "closings", "not_typos")
# Where a word was found: by group, by its first word, the last words it may reach to.
Hits = Mapping[int, Mapping[int, Sequence[int]]]
Span = tuple[int, int]


@dataclass(frozen=True)
class Phrase:
    """Groups in order, and how many words may stand before each."""

    kind: str
    language: str
    groups: tuple[int, ...]
    gaps: tuple[int, ...]
    tail: int
    source: str


@dataclass
class Book:
    """All languages, made ready to be searched."""

    finder: "ahocorasick.Automaton" = field(default_factory=ahocorasick.Automaton)
    languages: list[str] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)
    phrases: dict[int, list[Phrase]] = field(default_factory=lambda: defaultdict(list))
    answers: dict[str, frozenset[str]] = field(default_factory=dict)
    near: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def found(self, text: Sequence[str]) -> Iterator[tuple[Phrase, Span]]:
        """Yield each phrase that stands in these words, with its first and last word."""
        hits, spoken = self._hits(text)
        ends = [0]
        for word in text:
            ends.append(ends[-1] + (word == END))
        for group, places in hits.items():
            for phrase in self.phrases.get(group, ()):
                if self._may_stand(phrase, hits, spoken):
                    for first, lasts in places.items():
                        for last in lasts:
                            yield from self._reach(phrase, hits, ends, (first, last), 1)

    def knows(self, text: Sequence[str]) -> bool:
        """Is one of these words in any list?"""
        return next(iter(self.finder.iter(f" {' '.join(text)} ")), None) is not None

    def meanings(self, text: Sequence[str]) -> set[str]:
        """Return the names of the groups of words that stand, in the languages spoken."""
        hits, spoken = self._hits(text)
        named = [group for group in hits if group in self.names]
        return {self.names[g] for g in named if spoken.get(self.languages[g], 0) >= NAMED}

    def _may_stand(self, phrase: Phrase, hits: Hits, spoken: Mapping[str, float]) -> bool:
        known = spoken.get(phrase.language, 0) >= SPOKEN[phrase.kind]
        return known and all(part in hits for part in phrase.groups)

    def _reach(
        self, phrase: Phrase, hits: Hits, ends: Sequence[int], span: Span, part: int
    ) -> Iterator[tuple[Phrase, Span]]:
        if part == len(phrase.groups):
            last = span[1]
            end = min(span[1] + phrase.tail, len(ends) - 3)
            while last < end and ends[last + 1] == ends[last + 2]:
                last += 1
            yield phrase, (span[0], last)
            return
        places, after = hits[phrase.groups[part]], span[1] + 1
        for first in range(after, min(after + phrase.gaps[part] + 1, len(ends) - 1)):
            if ends[first] != ends[after]:
                return
            for last in places.get(first, ()):
                yield from self._reach(phrase, hits, ends, (span[0], last), part + 1)

    def _hits(self, text: Sequence[str]) -> tuple[Hits, dict[str, float]]:
        starts = list(accumulate((len(word) + 1 for word in text), initial=0))
        hits: dict[int, dict[int, list[int]]] = {}
        heard: dict[str, set[int]] = defaultdict(set)
        for end, (length, reach, groups) in self.finder.iter(f" {' '.join(text)} "):
            first = bisect_right(starts, end - length + 1) - 1
            for group in groups:
                hits.setdefault(group, {}).setdefault(first, []).append(first + reach)
            if text[first] != END:
                for language in {self.languages[group] for group in groups}:
                    heard[language].update(range(first, first + reach + 1))
        most = max((len(found) for found in heard.values()), default=0)
        return hits, {name: len(found) / most for name, found in heard.items()}

    def corrected(self, word: str) -> str:
        """Return a word; put right if it is one slip away from one that we know."""
        if len(word) < TYPO_LETTERS - 1 or len(word) > 16 or word in self.answers["known"]:
            return word
        near = {known for less in (word, *_shorter(word)) for known in self.near.get(less, ())}
        # The first letter is seldom wrong, and often tells two words apart.
        fit = sorted(k for k in near if k[0] == word[0] and one_slip(k, word))
        return fit[0] if fit else word


def one_slip(known: str, word: str) -> bool:
    """Is it the same word but for one letter more, less, other, or two swapped?"""
    if abs(len(known) - len(word)) > 1:
        return False
    start = 0
    while start < min(len(known), len(word)) and known[start] == word[start]:
        start += 1
    a, b = known[start:], word[start:]
    swapped = a[2:] == b[2:] and a[:2] == b[1::-1]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (len(a) > 1 and swapped)


def _shorter(word: str) -> Iterator[str]:
    for i in range(len(word)):
        yield word[:i] + word[i + 1 :]


@cache
def book() -> Book:
    """Return the word lists of all languages, read once a process."""
    made = _Binding()
    shared = _read("groups")["groups"] if (WORDS / "groups.toml").exists() else {}
    for path in sorted(WORDS.glob("*.toml")):
        if path.stem not in {"shared", "groups"}:
            made.add(path.stem, _read(path.stem), shared)
    return made.book()


def _read(name: str) -> Mapping[str, Any]:
    return tomllib.loads((WORDS / f"{name}.toml").read_text(encoding="utf-8"))


class _Binding:
    """Puts the pages of a book together."""

    def __init__(self) -> None:
        self._ids: dict[tuple[str, str], int] = {}
        self._items: dict[str, set[int]] = defaultdict(set)
        self._made = Book()
        self._answers: dict[str, set[str]] = {kind: set() for kind in ANSWERS}

    def add(self, language: str, page: Mapping[str, Any], shared: Mapping[str, list[str]]) -> None:
        groups = {**shared, **page.get("groups", {})}
        for kind in ANSWERS:
            self._answers[kind] |= {plain(word) for word in page.get(kind, ())}
        for name in page.get("groups", {}):
            self._made.names[self._group(language, f"{{{name}}}", groups)] = name
        for kind in (*PHRASES, *FAINT):
            for source in (page if kind in PHRASES else page.get("faint", {})).get(kind, ()):
                self._phrase(language, kind, source, groups)

    def book(self) -> Book:
        self._made.answers = {kind: frozenset(words) for kind, words in self._answers.items()}
        self._made.answers["joined"] = frozenset(w.replace(" ", "") for w in self._answers["stop"])
        weak = {w.replace(" ", "") for w in self._answers["weak"]}
        self._made.answers["keywords"] = self._made.answers["joined"] | weak
        for item, groups in self._items.items():
            payload = (len(item), item.strip().count(" "), tuple(sorted(groups)))
            self._made.finder.add_word(item, payload)
        self._made.finder.make_automaton()
        self._learn_typos()
        return self._made

    def _phrase(
        self, language: str, kind: str, source: str, groups: Mapping[str, list[str]]
    ) -> None:
        parts, gaps, gap = [], [], 0
        for chunk in _chunks(source):
            if chunk.startswith(".."):
                gap = int(chunk[2:])
                continue
            parts.append(self._group(language, chunk, groups))
            gaps.append(gap)
            gap = 0
        tail = gap if kind in {"harmless", "everyday"} else 0
        phrase = Phrase(kind, language, tuple(parts), tuple(gaps), tail, f"{language}: {source}")
        self._made.phrases[parts[0]].append(phrase)

    def _group(self, language: str, chunk: str, groups: Mapping[str, list[str]]) -> int:
        known = self._ids.get((language, chunk))
        if known is not None:
            return known
        number = self._ids[(language, chunk)] = len(self._ids)
        self._made.languages.append(language)
        for word in _members(chunk, groups):
            self._items[_item(word)].add(number)
        return number

    def _learn_typos(self) -> None:
        typed = {word for word in self._answers["stop"] if len(word) > 3 and " " not in word}
        self._made.answers["typed"] = frozenset(typed)
        # A word of a longer phrase is weaker ground: it must be longer itself.
        alone = {item.strip() for item in self._items} | typed
        parts = {word for item in alone for word in item.split()}
        self._made.answers["known"] = frozenset(alone | parts | self._answers["not_typos"])
        for word in parts:
            if len(word) >= (TYPO_LETTERS if word in alone else TYPO_LETTERS + 2):
                for less in (word, *_shorter(word)):
                    self._made.near[less].add(word)


def plain(text: str) -> str:
    """Return a listed word as it would be found in a text."""
    return " ".join(words(text))


def _item(word: str) -> str:
    if word in {"^", "$"}:
        return f" {END} "
    found = plain(word.strip("*"))
    return ("" if word.startswith("*") else " ") + found + ("" if word.endswith("*") else " ")


def _members(chunk: str, groups: Mapping[str, list[str]]) -> Iterable[str]:
    if "|" not in chunk and "{" not in chunk:
        return [chunk]
    members: list[str] = []
    for part in chunk.split("|"):
        name = part.strip("{}")
        members += groups[name] if part.startswith("{") else [part.replace("_", " ")]
    return members


def _chunks(source: str) -> Iterator[str]:
    """Yield the parts of a phrase; plain words that follow each other are one part."""
    plain_words: list[str] = []
    for token in source.split():
        special = token in {"^", "$"} or "{" in token or token.startswith("..") or "|" in token
        if not special and not token.endswith("*"):
            plain_words.append(token)
            continue
        if special and plain_words:
            yield " ".join(plain_words)
            plain_words = []
        yield token if special else " ".join([*plain_words, token])
        plain_words = [] if not special else plain_words
    if plain_words:
        yield " ".join(plain_words)
