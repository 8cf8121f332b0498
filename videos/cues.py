"""Where in a text could an identifier stand at all? One cheap look, before any pattern is tried.

A script is words with a few small numbers. What fifty patterns look for needs signs that hardly any
script has (`@`, many digits, capitals beside digits, a month beside a year), so that each pattern
reads only the stretches where its signs are, and mostly nothing.
"""

import re
from collections.abc import Iterator, Sequence

Stretch = tuple[int, int]

# What a pattern needs; where it needs digits, it reads around them alone.
AT, SPELT, LINK, DOTTED, OCTETS, COLONS, HYPHENS = (
    "at spelt link dotted octets colons hyphens".split()
)
RECORD, MANY, MIXED, LONG = "record many mixed long".split()
MONTH, EASTERN, NUMERIC, AGE, STREET, ROAD = "month eastern numeric age street road".split()

# The farthest that a pattern reaches from its digits, in characters.
REACH = 80
FEW, LONG_TOKEN = 5, 10
_RUN = re.compile(r"\d+")
# What may stand between two digits of one number.
_WITHIN = re.compile(r"[^\w,]{0,6}|[^\W_]{0,8}-?[^\W_]{0,8}|[ -]?[A-Z]{1,7}[ -]?")
_DOTTED = re.compile(r"\.[^\W\d_]")
_OCTETS = re.compile(r"\d\.\d{1,3}\.\d")
_NUMERIC = re.compile(r"\d[./-]\d{1,2}[./-]\d")
_AGE = re.compile(r"(?:9\d|1[01]\d)(?!\d)")
_JOINS = frozenset("./-")
_LINKS = ("http", "ftp:", "mailto:", "tel:", "www.")
_STREETS = frozenset(
    "Street St Avenue Ave Road Rd Lane Ln Drive Dr Boulevard Blvd Court Way Square".split()
)
_PARTS_OF_STREETS = ("stra", "str.", "weg", "platz", "allee", "gasse", "laan")
_ROADS = frozenset("rue avenue boulevard calle via viale plaza piazza rua avenida".split())
_AGES = frozenset("age aged old alt ans años anni".split())
MONTHS = (
    "jan(?:uary|uar|vier|eiro)?|feb(?:ruary|ruar|rero|braio|ruari)?|f[ée]vr(?:ier)?|fevereiro|"
    "mar(?:ch|zo|s|ço|et)?|m[äa]rz|maart|apr(?:il|ile)?|avr(?:il)?|abril|may|mai|mayo|maggio|maio|"
    "mei|june?|juni|juin|junio|giugno|junho|july?|juli|juillet|julio|luglio|julho|aug(?:ust|ustus)?|"
    "ao[uû]t|agosto|sept?(?:ember|embre|iembre)?|settembre|setembro|o[ck]t(?:ober|obre|ubre)?|"
    "ottobre|outubro|nov(?:ember|embre|iembre)?|novembro|de[cz](?:ember|embre)?|d[ée]cembre|"
    "diciembre|dicembre|dezembro|enero|gennaio|ocak|[şs]ubat|mart|nisan|may[ıi]s|haziran|temmuz|"
    "a[ğg]ustos|eyl[üu]l|ekim|kas[ıi]m|aral[ıi]k|stycznia|lutego|marca|kwietnia|maja|czerwca|lipca|"
    "sierpnia|wrze[śs]nia|pa[źz]dziernika|listopada|grudnia"
)
_MONTH = re.compile(rf"(?<![^\W\d_])(?:{MONTHS})(?![^\W\d_])", re.IGNORECASE)
# A day with a month has its year, and no farther from it than this.
_YEARS, TO_THE_YEAR = frozenset({"18", "19", "20"}), 24
RECORDS = (
    r"m\.?r\.?n|medical record|patient|health plan|account|acct|customer|client|policy|"
    r"member(?:ship)?|order|case|licen[cs]e|passport|certificate|beneficiary|employee|student|serial|"
    r"device|konto|kunden|patienten|versicherten|personal|ausweis|compte|dossier|client[ei]?|cuenta|"
    r"cliente|conto|plate|registration|kennzeichen|immatriculation|matr[íi]cula|targa|kenteken|chassis"
)
# By their first words; the letters of `m.r.n` are words of their own.
_RECORD = re.compile("m$|" + RECORDS.replace(" record", "").replace(" plan", ""), re.IGNORECASE)
_RECORDS_BEGIN = frozenset(
    """m mrn med pat hea acc cus cli pol mem ord cas lic pas cer ben emp stu ser dev kon kun ver per
    aus com dos cue con pla reg ken imm mat tar cha""".split()
)


def find(text: str, pieces: Sequence[str]) -> dict[str, list[Stretch]]:
    """Return which cues a text gives, and the stretches in which patterns that need them read.

    `pieces` are the text's own words and what stands between them, in turn.
    """
    everywhere = [(0, len(text))]
    found = dict.fromkeys(_of_signs(text), everywhere)
    runs = [run.span() for run in _RUN.finditer(text)]
    if runs:
        found |= dict.fromkeys(_of_words(text, pieces), _around(text, runs))
        found |= {cue: _around(text, own) for cue, own in _of_digits(text, runs).items() if own}
        found[RECORD] = list(_of_records(text, pieces))
    return found


def _of_signs(text: str) -> Iterator[str]:
    if "@" in text:
        yield AT
    small = text.lower()
    if "dot" in small:
        yield SPELT
    if any(link in small for link in _LINKS):
        yield LINK
    if _DOTTED.search(text):
        yield DOTTED
    if text.count(":") > 1:
        yield COLONS
    if text.count("-") > 3 or text.count(":") > 3:
        yield HYPHENS


def _of_words(text: str, pieces: Sequence[str]) -> Iterator[str]:
    """Yield the cues that words give to a text with digits."""
    words = set(pieces[1::2])
    small = {word.lower() for word in words}
    if not _STREETS.isdisjoint(words) or any(part in text for part in _PARTS_OF_STREETS):
        yield STREET
    if not _ROADS.isdisjoint(small):
        yield ROAD
    if not _AGES.isdisjoint(small) and _AGE.search(text):
        yield AGE


def _of_records(text: str, pieces: Sequence[str]) -> Iterator[Stretch]:
    """Yield where the word for a record begins, and where its number must have ended."""
    for word in set(pieces[1::2]):
        if word[:3].lower() in _RECORDS_BEGIN and _RECORD.match(word):
            start = text.find(word)
            while start >= 0:
                last = text.find(" ", start + REACH)
                yield start, last if last >= 0 else len(text)
                start = text.find(word, start + 1)


def _of_digits(text: str, runs: Sequence[Stretch]) -> dict[str, list[Stretch]]:
    """Return the runs of digits that may be part of a number of each shape."""
    many = [span for span, count in _clusters(text, runs) if count >= FEW]
    found = {MANY: many, MONTH: [run for run in runs if _is_of_a_month(text, run)]}
    found[MIXED] = [run for run in runs if _is_mixed(text, run)]
    found[LONG] = [run for run in runs if _is_in_long_token(text, run)]
    dotted = [run for run in runs if text[run[1] : run[1] + 1] in _JOINS]
    found[OCTETS] = [run for run in dotted if _OCTETS.match(text, run[1] - 1)]
    found[NUMERIC] = [run for run in dotted if _NUMERIC.match(text, run[1] - 1)]
    found[EASTERN] = list(runs) if "年" in text or "년" in text else []
    return found


def _clusters(text: str, runs: Sequence[Stretch]) -> Iterator[tuple[Stretch, int]]:
    """Yield digits that may belong to one number, and how many they are."""
    (start, end), count = runs[0], runs[0][1] - runs[0][0]
    for first, last in runs[1:]:
        if first - end > LONG_TOKEN or not _WITHIN.fullmatch(text, end, first):
            yield (start, end), count
            start, count = first, 0
        end, count = last, count + last - first
    yield (start, end), count


def _is_of_a_month(text: str, run: Stretch) -> bool:
    """Say whether digits may be the year of a date whose month is a word."""
    start, end = run
    is_year = end - start == 4 and text[start : start + 2] in _YEARS
    if is_year or text[start - 1 : start] == "-":
        return _MONTH.search(text, max(0, start - TO_THE_YEAR), start) is not None
    return False


def _is_mixed(text: str, run: Stretch) -> bool:
    """Say whether capitals stand beside these digits, or with a space or hyphen between."""
    before, after = text[max(0, run[0] - 2) : run[0]], text[run[1] : run[1] + 3]
    return (
        before[-1:].isupper()
        or (before[-1:] in {" ", "-"} and before[:1].isupper())
        or after[:1].isupper()
        or (after[:1] in {" ", "-"} and after[1:].isupper())
    )


def _is_in_long_token(text: str, run: Stretch) -> bool:
    start, end = run
    alone = not (text[start - 1 : start].isalpha() or text[end : end + 1].isalpha())
    if alone and end - start < LONG_TOKEN:
        return False
    while start and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end].isalnum():
        end += 1
    return end - start >= LONG_TOKEN


def _around(text: str, runs: Sequence[Stretch]) -> list[Stretch]:
    """Widen runs by what a pattern may reach, to the next space, and join those that meet."""
    joined: list[Stretch] = []
    for start, end in runs:
        first = max(0, start - REACH)
        first = text.rfind(" ", 0, first) + 1 if first else 0
        last = text.find(" ", end + REACH)
        last = len(text) if last < 0 else last
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return joined
