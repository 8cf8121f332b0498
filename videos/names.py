"""Whose name stands in this text? By how people are addressed, and by who is in the audience."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field

import ahocorasick

from consent import known_names
from videos import ordinary
from videos.detectors import Found, Plain, folded

_TITLES = (
    r"Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Professor|Sir|Madam|Lady|Lord|Herr|Herrn|Frau|Fräulein|Monsieur|"
    r"Madame|Mademoiselle|Mme|Mlle|Señor|Señora|Señorita|Sr|Sra|Srta|Don|Doña|Signor|Signora|"
    r"Signorina|Sig|Dott|Senhor|Senhora|Meneer|Mevrouw|Dhr|Mevr|Господин|Госпожа"
)
# Titles that are ordinary words in other languages.
_TITLES_OF = {"pl": "Pan|Pani", "tr": "Bay|Bayan"}
_DEAR = (
    r"Dear|My dear|Dearest|Liebe|Lieber|Sehr geehrte|Sehr geehrter|Werte|Werter|Cher|Chère|"
    r"Estimado|Estimada|Querido|Querida|Gentile|Egregio|Caro|Cara|Prezado|Prezada|Beste|Geachte|"
    r"Lieve|Drogi|Droga|Szanowny|Szanowna|Kære|Kjære|Bästa|Sayın|Дорогой|Дорогая|Уважаемый|Уважаемая"
)
_HELLO = (
    r"Hi|Hello|Hey|Good morning|Good evening|Good afternoon|Welcome|Hallo|Guten Tag|Guten Morgen|"
    r"Moin|Servus|Bonjour|Bonsoir|Salut|Hola|Buenos días|Buenas tardes|Ciao|Buongiorno|Olá|Oi|"
    r"Bom dia|Hoi|Goedendag|Cześć|Dzień dobry|Hej|Hei|Merhaba|Привет|Здравствуйте"
)
_I_AM = (
    r"[Mm]y name is|I am called|[Mm]ein Name ist|[Ii]ch heiße|[Jj]e m['’]appelle|"
    r"[Mm]e llamo|[Mm]i nombre es|[Mm]i chiamo|[Mm]eu nome é|[Mm]ijn naam is"
)
# How a group is addressed: no one's name.
_GROUPS = frozenset(
    """all everyone everybody there friend friends customer customers client clients guest guests
    member members team sir madam sirs ladies gentlemen colleague colleagues reader readers valued
    visitor visitors subscriber subscribers partner partners neighbour neighbours neighbor neighbors
    student students parent parents patient patients folks world back again to kunde kundin kunden
    kundinnen freund freundin freunde freundinnen gast gäste mitglied mitglieder damen herren leser
    leserin leserinnen kollege kollegin kollegen kolleginnen partnerin besucher familie nachbarn
    nachbar interessent interessenten patientin patienten client clientes cliente clienti clienta
    ami amis amie amies monsieur madame messieurs mesdames abonné abonnée abonnés membre membres
    tous toutes amigo amigos amiga amigas todos todas socio socios socia señor señora señores
    lettore lettori signori signore signora amico amici amica tutti klant klanten vriend vrienden
    lid leden iedereen gasten meneer mevrouw klient klienci klienta klientko kliencie państwo
    panie pani pan müşterimiz müşteri клиент клиенты друг друзья dr prof professor we our this
    the it your you i thanks thank and or as today now home""".split()
)
_BEFORE_NAMES = frozenset("valued dr prof professor sir madam monsieur madame señor señora".split())
_NAME = r"[^\W\d_a-zß-öø-ÿ][\w'’-]+"
_SPACE = r"[ \t]+"
_NAMES = rf"(?P<name>{_NAME}(?:{_SPACE}{_NAME}){{0,2}})"


def _begins(phrases: str) -> frozenset[str]:
    """Return the words that phrases begin with, as they are written."""
    return frozenset(phrase.split()[0] for phrase in phrases.split("|"))


# By the words that they begin with: where a text has none of them, nothing is tried.
_ADDRESSED = (
    (_begins(_TITLES), re.compile(rf"\b(?:{_TITLES})\b\.?{_SPACE}{_NAMES}")),
    (_begins("M|Hr|Fr"), re.compile(rf"\b(?:M|Hr|Fr)\.{_SPACE}{_NAMES}")),
    (
        _begins(_DEAR),
        re.compile(rf"\b(?:{_DEAR}){_SPACE}(?:(?:{_TITLES})\.?{_SPACE})*{_NAMES}"),
    ),
    (
        _begins(_HELLO),
        re.compile(rf"\b(?:{_HELLO}),?{_SPACE}{_NAMES}(?=\s*[,.!?;:–—-]|\s*$)", re.MULTILINE),
    ),
    (
        frozenset("My my I Mein mein Ich ich Je je Me me Mi mi Meu meu Mijn mijn".split()),
        re.compile(rf"\b(?:{_I_AM}){_SPACE}{_NAMES}"),
    ),
)
_ADDRESSED_IN = {
    language: (_begins(titles), re.compile(rf"\b(?:{titles}){_SPACE}{_NAMES}"))
    for language, titles in _TITLES_OF.items()
}
_ADDRESSED_ELSEWHERE = (
    re.compile(r"(?P<name>(?<![お皆])[\u4e00-\u9fff\u30a0-\u30ff]{1,5})(?:様|さん|氏|殿)"),
    re.compile(r"(?<![们位\u4e00-\u9fff])(?P<name>[\u4e00-\u9fff]{1,3})(?:先生|女士|小姐)(?!们)"),
    re.compile(r"(?P<name>[가-힣]{2,4}) ?(?:씨|님)(?![가-힣])"),
    re.compile(r"(?:السيد|السيدة|الأستاذ|الدكتور) (?P<name>\w+)"),
    re.compile(r"(?:श्री|श्रीमती|सुश्री|कुमारी) (?P<name>[\u0900-\u097f]+)"),
)
_DENSE_GROUPS = frozenset(
    "客 客様 皆 皆様 子 子様 各位 尊敬的 亲爱的 女士们 고객 고객 회원 선생 여러분 사장 손님".split()
)
_COMMON = frozenset(known_names.fold(word) for word in ordinary.COMMON)
_PLAIN = _COMMON | {known_names.fold(word) for word in ordinary.NAMES_TOO}
_NEVER_ALONE = frozenset(known_names.fold(word) for word in ordinary.NEVER_ALONE)
# As they are written: told without folding each.
_SKIPPED = frozenset(
    word for word in ordinary.COMMON | known_names.PARTICLES if known_names.fold(word) in _COMMON
) | {word for word in known_names.PARTICLES if known_names.fold(word) in known_names.PARTICLES}
# "A. Baker" and "Grace K." are written as names, wherever they stand.
_INITIAL_BEFORE = re.compile(r"\b[^\W\d_]\.\s?$")
_INITIAL_AFTER = re.compile(r"\s[^\W\d_]\.")
_SENTENCE_START = re.compile(r"(?:^|[.!?…:]\s+|\n\s*)[\"'“„«(¿¡]*$")


@dataclass
class KnownIdentifiers:
    """The audience's own names, addresses and numbers, in memory only, ready to be searched for."""

    version = "opened-1"
    # Folded text to what it is: a whole name, one word of a name, or an e-mail address.
    _words: "ahocorasick.Automaton" = field(default_factory=ahocorasick.Automaton)
    _numbers: set[str] = field(default_factory=set)

    def add(self, *, name: str, email: str, phone: str) -> None:
        """Add one person."""
        parts = [part for part in _fold(name).split() if len(part) > 1]
        if len(parts) > 1 or (parts and _is_dense(parts[0]) and len(parts[0]) > 2):
            self._put(" ".join(parts), "name")
            self._put(" ".join([*parts[1:], parts[0]]), "name")
        for part in {*parts[:1], *parts[-1:]}:
            # In a script without capitals nothing tells a name from the word it also is.
            if len(part) > 2 and part.upper() != part:
                self._put(part, "part")
        if email:
            self._put(_fold(email), "email")
        if phone:
            self._numbers.add(re.sub(r"\D", "", phone)[-9:])

    def ready(self) -> "KnownIdentifiers":
        """Finish, so that texts can be searched."""
        if len(self._words):
            self._words.make_automaton()
        return self

    def find(self, original: Plain) -> list[Found]:
        """Return where the audience's values stand in a plain text, the longest first."""
        found = [*self._find_words(original), *self._find_numbers(original.text)]
        return sorted(found, key=lambda one: one[1] - one[2])

    def _find_words(self, original: Plain) -> Iterator[Found]:
        searched = folded(original)
        if len(self._words):
            for last, (kind, word) in self._words.iter(searched.text):
                start, end = last - len(word) + 1, last + 1
                if _stands_alone(searched.text, start, end):
                    first, after = _span(original, searched, start, end)
                    if self._counts(kind, word, original.text, first, after):
                        yield ("known_email" if kind == "email" else "known_name"), first, after

    def _find_numbers(self, text: str) -> Iterator[Found]:
        for found in re.finditer(r"\+?\d(?:[\s()./-]{0,2}\d){6,}", text):
            if re.sub(r"\D", "", found[0])[-9:] in self._numbers:
                yield "known_phone", found.start(), found.end()

    def _counts(self, kind: str, word: str, text: str, start: int, end: int) -> bool:
        if kind == "part":
            folded_word = known_names.fold(word)
            if not text[start].isupper() or not may_be_alone(folded_word):
                return False
            here = is_name_here(before=text[:start], after=text[end : end + 3])
            return folded_word not in _PLAIN or here
        shown = text[start:end]
        is_written = kind == "email" or shown == shown.title()
        return is_written or not any(is_common(part) for part in word.split())

    def _put(self, word: str, kind: str) -> None:
        if kind != "part" or word not in self._words:
            self._words.add_word(word, (kind, word))


def find_addressed(*, text: str, language: str, pieces: Sequence[str] = ()) -> Iterator[Found]:
    """Yield names by how they are written: after a title, a greeting or "my name is".

    `pieces` are those of `known_names.pieces`, where the caller has them already.
    """
    words = set((pieces or known_names.pieces(text))[1::2])
    own = _ADDRESSED_IN.get(language.partition("-")[0])
    for begins, pattern in (*_ADDRESSED, *((own,) if own else ())):
        for place in sorted(_places(text, begins & words)):
            found = pattern.match(text, place)
            if found and not _is_group(found["name"]):
                yield "name", *found.span("name")
    for pattern in () if text.isascii() else _ADDRESSED_ELSEWHERE:
        for found in pattern.finditer(text):
            if not _is_group(found["name"]):
                yield "name", *found.span("name")


def _places(text: str, words: Iterable[str]) -> Iterator[int]:
    for word in words:
        place = text.find(word)
        while place >= 0:
            yield place
            place = text.find(word, place + 1)


def _is_group(name: str) -> bool:
    words = [word.strip("'’-").lower() for word in name.split()]
    first = words[1] if words[0] in _BEFORE_NAMES and words[1:] else words[0]
    return first in _GROUPS or name in _DENSE_GROUPS


def _fold(value: str) -> str:
    plain = Plain(value, tuple(range(len(value))), len(value))
    return " ".join(folded(plain).text.split())


def _is_dense(word: str) -> bool:
    return any("\u3040" <= sign <= "\u9fff" or "\uac00" <= sign <= "\ud7af" for sign in word)


def _stands_alone(text: str, start: int, end: int) -> bool:
    if _is_dense(text[start:end]):
        return True
    before, after = text[start - 1 : start], text[end : end + 1]
    return not (before.isalnum() or after.isalnum())


def _span(original: Plain, searched: Plain, start: int, end: int) -> tuple[int, int]:
    """Turn a stretch of the folded text into one of the plain text; both lists of places rise."""
    first = bisect_left(original.places, searched.places[start])
    return first, bisect_right(original.places, searched.places[end - 1])


def may_be_alone(word: str) -> bool:
    """Say whether one folded word can be told for a name at all."""
    return len(word) >= known_names.SHORTEST_PART and word not in _NEVER_ALONE


def is_name_here(*, before: str, after: str) -> bool:
    """Judge a capitalised word that is an ordinary one too, by its place.

    `before` and `after` are what stands around it, at least to the next word on either side;
    `before` reaches to the start of the text only if it does so there.
    """
    if _INITIAL_AFTER.match(after) or not _SENTENCE_START.search(before):
        return True
    return bool(_INITIAL_BEFORE.search(before))


def is_plain(word: str) -> bool:
    """Say whether a folded word is an ordinary one, be it a name as well."""
    return word in _PLAIN or word in _NEVER_ALONE


def is_common(word: str) -> bool:
    """Say whether every text is full of a folded word."""
    return word in _COMMON


def without_ordinary(words: Set[str]) -> Set[str]:
    """Return the words of a text without those, as they are written, that are in every text."""
    return words - _SKIPPED
