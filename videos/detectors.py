"""Which signs in a text identify a person? The 18 of HIPAA and their European kin, by pattern.

A pattern alone is not enough where the number carries a checksum: then the checksum decides. What
is found is a kind and a place; names are found in `videos.names`.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import phonenumbers

from consent import known_names
from videos import cues, national_ids, patterns
from videos.detector import Detector, matches

# Counted up with every change of a detector; it stands in each manifest.
VERSION = f"sealcast-3 phonenumbers-{phonenumbers.__version__}"

Found = tuple[str, int, int]


@dataclass(frozen=True)
class Plain:
    """A text in one spelling of signs, and for each of its signs the place in the original."""

    text: str
    places: Sequence[int]
    length: int

    @cached_property
    def pieces(self) -> list[str]:
        """What stands between the words and the words, in turn; parted once for all who read."""
        return known_names.pieces(self.text)

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Return where a stretch of the plain text stands in the original."""
        return self.places[start], (self.places[end] if end < len(self.places) else self.length)


_DETECTORS = (*patterns.FIRST, *national_ids.DETECTORS, *patterns.LAST)
_LONG_NUMBER = re.compile(r"(?<![\w.,])(?:\+?\(?\d(?:[ ().-]{0,2}\d){8,}|\d{7,})(?!\w)")

# Where a number without a country code may belong, by the script's language.
_REGIONS = {
    "ar": ("AE", "SA"),
    "de": ("DE", "AT", "CH"),
    "en": ("US", "GB", "IN"),
    "es": ("ES", "MX"),
    "fr": ("FR",),
    "hi": ("IN",),
    "it": ("IT",),
    "ja": ("JP",),
    "ko": ("KR",),
    "nl": ("NL",),
    "pl": ("PL",),
    "pt": ("PT", "BR"),
    "tr": ("TR",),
    "zh": ("CN",),
}


def plain(text: str) -> Plain:
    """Return the text as a reader sees it: without hidden signs, full-width ones made narrow."""
    if _is_plain(text):
        return Plain(text, range(len(text)), len(text))
    signs: list[str] = []
    places: list[int] = []
    for place, sign in enumerate(text):
        if unicodedata.category(sign) == "Cf":
            continue
        for part in unicodedata.normalize("NFKC", sign):
            digit = unicodedata.decimal(part, None)
            signs.append(part if digit is None else str(digit))
            places.append(place)
    return Plain("".join(signs), tuple(places), len(text))


def _is_plain(text: str) -> bool:
    """Say whether no sign of a text has another spelling, as in nearly all that is typed."""
    if text.isascii():
        return True
    odd = (sign for sign in set(text) if not sign.isascii())
    return unicodedata.is_normalized("NFKC", text) and not any(
        unicodedata.category(sign) == "Cf" or unicodedata.decimal(sign, None) is not None
        for sign in odd
    )


def folded(original: Plain) -> Plain:
    """Return the plain text without accents and case, for comparing names."""
    signs: list[str] = []
    places: list[int] = []
    for place, sign in zip(original.places, original.text, strict=True):
        for part in known_names.fold_sign(sign):
            signs.append(part)
            places.append(place)
    return Plain("".join(signs), tuple(places), original.length)


def find(*, text: str, language: str, pieces: Sequence[str] = ()) -> Iterator[Found]:
    """Yield what identifies a person in a plain text: kind, start, end (characters).

    `pieces` are those of `known_names.pieces`, where the caller has them already.
    """
    given = cues.find(text, pieces or known_names.pieces(text))
    for detector in _DETECTORS:
        for start, end in given.get(detector.cue, ()):
            yield from _found(detector, text, start, end)
    for start, end in given.get(cues.MANY, ()):
        yield from _phones(text, start, end, language)
        for found in _LONG_NUMBER.finditer(text, start, end):
            yield "long_number", found.start(), found.end()


def _found(detector: Detector, text: str, start: int, end: int) -> Iterator[Found]:
    for found in matches(detector, text, start, end):
        length = _length_that_holds(found[0], detector)
        if length:
            yield detector.kind, found.start(), found.start() + length


def _phones(text: str, start: int, end: int, language: str) -> Iterator[Found]:
    """Yield the phone numbers of a stretch; the library reads slowly."""
    for region in (*_REGIONS.get(language.partition("-")[0], ()), None):
        for phone in phonenumbers.PhoneNumberMatcher(text[start:end], region):
            yield "phone", start + phone.start, start + phone.end


def _length_that_holds(shown: str, detector: Detector) -> int:
    """Judge a number, then what is left of it without its last words: they may be others."""
    while shown:
        if detector.holds(shown.translate(detector.separators)):
            return len(shown)
        shown = shown.rpartition(" ")[0]
        if not detector.pattern.fullmatch(shown):
            return 0
    return 0


def without_overlaps(found: list[Found]) -> list[Found]:
    """Keep one finding where several stand on one place: the one named first by a detector."""
    kept: list[Found] = []
    for one in found:
        if all(one[2] <= other[1] or one[1] >= other[2] for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda one: one[1])
