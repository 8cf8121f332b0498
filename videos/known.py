"""Does a text name anybody we know? Looked up by keyed hash among all people of one partner.

A script has some hundred words and so a few hundred pairs of them; each is one look-up in an index,
however many people there are. Nobody's name is opened for it.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import NamedTuple, Protocol

import phonenumbers

from accounts import keys
from accounts.models import Partner
from consent import addresses, contacts, known_names, known_people
from consent.known_names import PARTICLES
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
_DIGITS = re.compile(r"\d(?:[\s()./-]{0,2}\d){6}")
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
        text, pieces = original.text, original.pieces
        read = _read(pieces[1::2])
        places = {"pair": _pairs(pieces, read), "part": _parts(pieces, read)}
        places |= {"email": _emails(text), "phone": _numbers(text)}
        dense = _dense(text)
        held = known_people.held(
            partner_id=self.partner.id if self.partner else None,
            asked={**places, "pair": [*places["pair"], *dense]},
        )
        places["dense"] = dense
        found = list(_addresses(places, held.values)) + list(_names(places, held.values, pieces))
        found += self._not_indexed(original) if held.incomplete else ()
        return sorted(found, key=lambda one: one[1] - one[2])

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


Places = dict[str, list[tuple[int, int]]]


class _Word(NamedTuple):
    """How a word that may be a name is looked for, and how it is written."""

    word: str
    capital: bool
    may_be_part: bool
    has_case: bool
    may_end: bool
    plain: bool
    common: bool


def _read(shown: Sequence[str]) -> dict[str, _Word]:
    """Return the words that may be a name's, each once, by how they are written."""
    words = set(shown)
    made = {one: _word(one) for one in names.without_ordinary(words)}
    if not all(one.has_case for one in made.values()):
        # Beside a word of a script without capitals, an ordinary word may be the other one.
        made = {one: _word(one) for one in words}
    return made


def _word(shown: str) -> _Word:
    word, capital = known_names.looked_for(shown), shown[0].isupper()
    return _Word(
        word,
        capital,
        capital and names.may_be_alone(word),
        shown.isascii() or shown.upper() != shown.lower(),
        len(word) > 1 and word not in PARTICLES,
        names.is_plain(word),
        names.is_common(word),
    )


def _pairs(pieces: Sequence[str], read: Mapping[str, _Word]) -> Places:
    """Return every two words that may be a first and a last name, by their numbers."""
    shown = pieces[1::2]
    words = [
        (number, stretch, word)
        for number, (stretch, word) in enumerate(
            zip(_parted(pieces), map(read.get, shown), strict=True)
        )
        if word is not None and word.may_end
    ]
    places: Places = {}
    for place, (number, stretch, first) in enumerate(words):
        for end, other, last in words[place + 1 : place + MOST_BETWEEN + 2]:
            if other != stretch or end - number > MOST_BETWEEN + 1:
                break
            if _may_be_names(first, last, shown[number + 1 : end]):
                value = known_names.pair(first.word, last.word)
                places.setdefault(value, []).append((number, end))
    return places


def _parted(pieces: Sequence[str]) -> list[int]:
    """Number the stretches within which a name may stand; return that of each word."""
    gaps = pieces[0:-1:2]
    ends = {gap for gap in set(gaps) if not _APART.fullmatch(gap)}
    parts = [gap in ends for gap in gaps]
    for number, shown in enumerate(pieces[1:-2:2], 1):
        # The point after an initial ends no sentence.
        if len(shown) < 3 and parts[number] and _is_after_an_initial(shown, gaps[number]):
            parts[number] = False
    return list(accumulate(parts))


def _is_after_an_initial(shown: str, gap: str) -> bool:
    joins = gap[0] == "." and _APART.fullmatch(gap[1:])
    return bool(joins) and len(known_names.looked_for(shown)) == 1


def _may_be_names(first: _Word, last: _Word, between: Sequence[str]) -> bool:
    if not first.has_case or (first.capital and last.capital):
        return not (first.plain or last.plain) or all(map(_is_within_a_name, between))
    if between:
        return not (first.plain or last.plain)
    return not (first.common or last.common)


def _is_within_a_name(shown: str) -> bool:
    return shown[0].isupper() or known_names.looked_for(shown) in PARTICLES


def _parts(pieces: Sequence[str], read: Mapping[str, _Word]) -> Places:
    """Return each word that may be one word of a name, by how it is written."""
    places: Places = {}
    for number, word in enumerate(map(read.get, pieces[1::2])):
        if word and word.may_be_part and (not word.plain or _is_name_here(pieces, number)):
            places.setdefault(word.word, []).append((number, number))
    return places


def _is_name_here(pieces: Sequence[str], number: int) -> bool:
    """Judge a word that is an ordinary one too, by what stands around it."""
    place = 2 * number + 1
    before = pieces[place - 3][-1:] + pieces[place - 2] if number else ""
    return names.is_name_here(
        before=before + pieces[place - 1], after="".join(pieces[place + 1 : place + 4])
    )


def _names(
    places: Mapping[str, Places], held: Mapping[str, set[str]], pieces: Sequence[str]
) -> Iterator[Found]:
    """Yield where the names stand that somebody has; what was asked for are numbers of words."""
    if not (held["pair"] or held["part"]):
        return
    ends = list(accumulate(map(len, pieces)))
    # The words of an address are its own: "at zoe@..." is nobody's second name.
    addressed = [found.span() for found in _EMAIL.finditer("".join(pieces))]
    for kind in known_people.NAMES:
        for value in held[kind]:
            for first, last in places[kind].get(value, ()):
                start, end = ends[2 * first], ends[2 * last + 1]
                if all(end <= begin or stop <= start for begin, stop in addressed):
                    yield "known_name", start, end
    for value in held["pair"]:
        yield from (("known_name", *place) for place in places["dense"].get(value, ()))


def _addresses(places: Mapping[str, Places], held: Mapping[str, set[str]]) -> Iterator[Found]:
    for kind, name in (("email", "known_email"), ("phone", "known_phone")):
        for value in held[kind]:
            yield from ((name, *place) for place in places[kind][value])


def _emails(text: str) -> Places:
    """Return the e-mail addresses of a text, as they are kept."""
    places: Places = {}
    for found in _EMAIL.finditer(text) if "@" in text else ():
        shown = found[0].strip(".!?'’")
        place = found.start() + found[0].index(shown)
        try:
            clean = addresses.clean_email(shown)
        except addresses.NotAContact:
            continue
        places.setdefault(clean, []).append((place, place + len(shown)))
    return places


def _numbers(text: str) -> Places:
    """Return what each number of a text may be as somebody's phone, in whatever country."""
    places: Places = {}
    found = list(_NUMBER.finditer(text))[:NUMBERS_READ] if _DIGITS.search(text) else []
    for one in found:
        for number in _readings(one[0]):
            places.setdefault(number, []).append(one.span())
    return places


def _dense(text: str) -> Places:
    """Return each stretch that may be a name in scripts without spaces between words."""
    places: Places = {}
    if not known_names.has_dense(text):
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
