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
NUMBER, MANY, MIXED, LONG = "number many mixed long".split()
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
_MONTH = re.compile(MONTHS, re.IGNORECASE)
_MONTHS_BEGIN = frozenset(
    """jan feb fév fev mar mär maa apr avr abr may mai mag mei jun jui giu jul lug aug aoû aou ago
    sep set oct okt ott out nov dec dez déc dic ene gen oca şub sub nis haz tem ağu agu eyl eki kas
    ara sty lut kwi maj cze lip sie wrz paź paz lis gru""".split()
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
    if any(_MONTH.fullmatch(word) for word in small if word[:3] in _MONTHS_BEGIN):
        yield MONTH


def _of_digits(text: str, runs: Sequence[Stretch]) -> dict[str, list[Stretch]]:
    """Return the runs of digits that may be part of a number of each shape."""
    long_runs = [run for run in runs if run[1] - run[0] > 2]
    many = [span for span, count in _clusters(text, runs) if count >= FEW]
    found = {NUMBER: long_runs, MANY: many}
    found[MIXED] = [run for run in runs if _is_mixed(text, run)]
    found[LONG] = [run for run in runs if _is_in_long_token(text, run)]
    found[OCTETS] = list(runs) if _OCTETS.search(text) else []
    found[NUMERIC] = list(runs) if _NUMERIC.search(text) else []
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
