"""Does a text name anybody we know? Looked up by keyed hash among all people of one partner.

A script has some hundred words and so a few hundred pairs of them; each is one look-up in an index,
however many people there are. Nobody's name is opened for it.
"""

import re
import unicodedata
import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import phonenumbers

from accounts import keys
from accounts.models import Partner
from consent import addresses, contacts, known_names, known_people
from consent.known_names import PARTICLES, Token
from videos import names
from videos.detectors import Found, Plain

# While a list is being imported by an older version, so many are opened instead; more than that
# and nothing leaves until the job has caught up.
OPENED_AT_MOST = 2000
# Between the two words of a name at most so many others stand, and no end of a sentence.
MOST_BETWEEN = 2
NUMBERS_READ = 20
_APART = re.compile(r"[\s,'’_&-]{0,3}|\.")
_JOINS_DENSE = frozenset(" \t\n\u3000・·")
_EMAIL = re.compile(r"[^\s<>()\[\]\",;:]+@[^\s<>()\[\]\",;:@]+")
_NUMBER = re.compile(r"\+?\(?\d(?:[\s()./-]{0,2}\d){6,}")


class NotSearchable(Exception):
    """Too many people's names cannot be looked up yet: whether one is named is not known."""


class Known(Protocol):
    """Somebody's own values, ready to be searched for."""

    @property
    def version(self) -> str:
        """Return by what is searched; it stands in the manifest."""

    def find(self, original: Plain) -> list[Found]:
        """Return where one of the values stands, the longest first.

        :raises NotSearchable: it cannot be said.
        """


@dataclass(frozen=True)
class Everybody:
    """All whom a partner (or the house, None) knows at an instant."""

    partner: Partner | None
    at: datetime

    @property
    def version(self) -> str:
        """Return by what is searched."""
        return known_names.VERSION

    def find(self, original: Plain) -> list[Found]:
        """Return where a known name, e-mail address or number stands, the longest first.

        :raises NotSearchable: too many names are not indexed yet.
        """
        found = [*self._names(original.text), *self._emails(original.text)]
        found += [*self._numbers(original.text), *self._not_indexed(original)]
        return sorted(found, key=lambda one: one[1] - one[2])

    def _names(self, text: str) -> Iterator[Found]:
        # The words of an address are its own: "at zoe@..." is nobody's second name.
        addressed = [found.span() for found in _EMAIL.finditer(text)]
        words = [
            word
            for word in known_names.tokens(text)
            if not any(start <= word.start < end for start, end in addressed)
        ]
        pairs = {**_pairs(text, words), **_dense(text)}
        parts = _parts(text, words)
        held = known_people.names_held(partner_id=self._realm, pairs=pairs, parts=parts)
        for value in held:
            for start, end in (*pairs.get(value, ()), *parts.get(value, ())):
                yield "known_name", start, end

    def _emails(self, text: str) -> Iterator[Found]:
        places = {}
        for found in _EMAIL.finditer(text):
            shown = found[0].strip(".!?'’")
            place = found.start() + found[0].index(shown)
            try:
                places[addresses.clean_email(shown)] = (place, place + len(shown))
            except addresses.NotAContact:
                continue
        for value in self._held("email", places):
            yield "known_email", *places[value]

    def _numbers(self, text: str) -> Iterator[Found]:
        places = {
            number: found.span()
            for found in list(_NUMBER.finditer(text))[:NUMBERS_READ]
            for number in _readings(found[0])
        }
        yield from {("known_phone", *places[value]) for value in self._held("phone", places)}

    def _held(self, field: str, values: Collection[str]) -> set[str]:
        return known_people.addresses_held(partner_id=self._realm, field=field, values=values)

    def _not_indexed(self, original: Plain) -> list[Found]:
        rest = contacts.without_name_index(partner=self.partner, limit=OPENED_AT_MOST + 1)
        if len(rest) > OPENED_AT_MOST:
            raise NotSearchable
        known = names.KnownIdentifiers()
        for contact in rest:
            if keys.opens(key=contact.key, at=self.at):
                person = contacts.opened(contact=contact, at=self.at)
                known.add(name=person.name, email=person.email, phone=person.phone)
        return known.ready().find(original)

    @property
    def _realm(self) -> uuid.UUID | None:
        return self.partner.id if self.partner else None


Places = dict[str, list[tuple[int, int]]]


def _pairs(text: str, words: Sequence[Token]) -> Places:
    """Return every two words that may be a first and a last name, with their places."""
    places: Places = {}
    for number, first in enumerate(words):
        for end in _reach(text, words, number):
            last, between = words[end], words[number + 1 : end]
            if _may_be_names(first, last, between):
                value = known_names.pair(first.word, last.word)
                places.setdefault(value, []).append((first.start, last.end))
    return places


def _reach(text: str, words: Sequence[Token], number: int) -> Iterator[int]:
    for end in range(number + 1, min(number + MOST_BETWEEN + 2, len(words))):
        before = words[end - 1]
        gap = text[before.end : words[end].start]
        # The point after an initial ends no sentence.
        if not _APART.fullmatch(gap.removeprefix("." if len(before.word) == 1 else "")):
            return
        yield end


def _may_be_names(first: Token, last: Token, between: Sequence[Token]) -> bool:
    ends = (first.word, last.word)
    if min(map(len, ends)) < 2 or not PARTICLES.isdisjoint(ends):
        return False
    has_case = first.shown.upper() != first.shown.lower()
    if not has_case or (first.shown[:1].isupper() and last.shown[:1].isupper()):
        return all(_is_within_a_name(word) for word in between) or not any(
            map(names.is_plain, ends)
        )
    return not any(map(names.is_plain if between else names.is_common, ends))


def _is_within_a_name(word: Token) -> bool:
    return word.shown[:1].isupper() or word.word in PARTICLES


def _dense(text: str) -> Places:
    """Return each stretch that may be a name in scripts without spaces between words."""
    places: Places = {}
    if text.isascii():
        return places
    signs = [
        (folded, place)
        for place, sign in enumerate(text)
        if sign not in _JOINS_DENSE
        for folded in known_names.fold_sign(sign)
    ]
    for begin in range(len(signs)):
        stretch = ""
        for folded, place in signs[begin : begin + known_names.longest(signs[begin][0])]:
            if not known_names.is_dense(folded):
                break
            stretch += folded
            if len(stretch) >= known_names.SHORTEST_DENSE:
                places.setdefault(stretch, []).append((signs[begin][1], _end(text, place)))
    return places


def _end(text: str, place: int) -> int:
    # With the marks that belong to the sign.
    after = range(place + 1, len(text))
    return next((one for one in after if unicodedata.category(text[one])[0] != "M"), len(text))


def _parts(text: str, words: Sequence[Token]) -> Places:
    """Return each word that may be one word of a name, by how it is written."""
    places: Places = {}
    for word in words:
        if names.is_name_here(text, word.start, word.end, word.word):
            places.setdefault(word.word, []).append((word.start, word.end))
    return places


def _readings(shown: str) -> set[str]:
    """Return what a number may be in each country; a script seldom holds any."""
    read = set()
    for region in (None, *phonenumbers.SUPPORTED_REGIONS):
        try:
            number = phonenumbers.parse(shown, region)
        except phonenumbers.NumberParseException:
            continue
        read.add(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    return read
