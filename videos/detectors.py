"""Which signs in a text identify a person? The 18 of HIPAA and their European kin, by pattern.

A pattern alone is not enough where the number carries a checksum: then the checksum decides. What
is found is a kind and a place; names are found in `videos.names`.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import phonenumbers

from config.lib import check_digits
from consent import known_names

# Counted up with every change of a detector; it stands in each manifest.
VERSION = f"sealcast-2 phonenumbers-{phonenumbers.__version__}"

Found = tuple[str, int, int]


@dataclass(frozen=True)
class Plain:
    """A text in one spelling of signs, and for each of its signs the place in the original."""

    text: str
    places: Sequence[int]
    length: int

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Return where a stretch of the plain text stands in the original."""
        return self.places[start], (self.places[end] if end < len(self.places) else self.length)


@dataclass(frozen=True)
class _Detector:
    kind: str
    pattern: re.Pattern[str]
    holds: Callable[[str], bool] = lambda _found: True
    # What stands between the signs of a number is taken away before its checksum is judged.
    separators: str = " .-/"


_MONTHS = (
    "jan(?:uary|uar|vier|eiro)?|feb(?:ruary|ruar|rero|braio|ruari)?|f[ée]vr(?:ier)?|fevereiro|"
    "mar(?:ch|zo|s|ço|et)?|m[äa]rz|maart|apr(?:il|ile)?|avr(?:il)?|abril|may|mai|mayo|maggio|maio|"
    "mei|june?|juni|juin|junio|giugno|junho|july?|juli|juillet|julio|luglio|julho|aug(?:ust|ustus)?|"
    "ao[uû]t|agosto|sept?(?:ember|embre|iembre)?|settembre|setembro|o[ck]t(?:ober|obre|ubre)?|"
    "ottobre|outubro|nov(?:ember|embre|iembre)?|novembro|de[cz](?:ember|embre)?|d[ée]cembre|"
    "diciembre|dicembre|dezembro|enero|gennaio|ocak|[şs]ubat|mart|nisan|may[ıi]s|haziran|temmuz|"
    "a[ğg]ustos|eyl[üu]l|ekim|kas[ıi]m|aral[ıi]k|stycznia|lutego|marca|kwietnia|maja|czerwca|lipca|"
    "sierpnia|wrze[śs]nia|pa[źz]dziernika|listopada|grudnia"
)
_YEAR = r"(?:1[89]|20)\d\d"
_TOP_LEVEL = (
    "com|org|net|info|biz|io|co|ai|app|dev|me|tv|eu|uk|de|fr|es|it|nl|be|at|ch|pl|pt|se|dk|no|fi|ie|"
    "in|us|ca|au|nz|jp|cn|kr|br|mx|ru|tr|example"
)
_IP_4 = r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])"
_IP_6 = r"(?<![\w:])[0-9a-f:]*:[0-9a-f:]*:[0-9a-f:.]+"
_ROAD = "rue|avenue|boulevard|calle|via|viale|plaza|piazza|rua|avenida"
# The letters of a Medicare number: none that looks like a digit.
_MBI, _MBI_OR_DIGIT = "[AC-HJKMNP-RT-Y]", r"[AC-HJKMNP-RT-Y\d]"
_RECORD = (
    r"m\.?r\.?n|medical record|patient|health plan|account|acct|customer|client|policy|"
    r"member(?:ship)?|order|case|licen[cs]e|passport|certificate|beneficiary|employee|student|serial|"
    r"device|konto|kunden|patienten|versicherten|personal|ausweis|compte|dossier|client[ei]?|cuenta|cliente|conto"
)


def _detector(
    kind: str,
    pattern: str,
    holds: Callable[[str], bool] | None = None,
    *,
    separators: str = " .-/",
    flags: int = re.IGNORECASE,
) -> _Detector:
    compiled = re.compile(pattern, flags)
    return _Detector(kind, compiled, holds or (lambda _found: True), separators)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _in_capitals(holds: Callable[[str], bool]) -> Callable[[str], bool]:
    return lambda number: holds(number.upper())


def _is_card(number: str) -> bool:
    return check_digits.luhn(number) and len(set(number)) > 1


_DETECTORS = (
    _detector("email", r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"),
    _detector(
        "email",
        r"\b[\w.+-]+\s*(?:[\[(]\s*at\s*[\])]|\bat\b)\s*[\w-]+\s*(?:[\[(]\s*dot\s*[\])]|\bdot\b)\s*\w+",
    ),
    _detector("handle", r"(?<![\w@.])@[A-Za-z_][\w.]{2,}"),
    _detector("url", r"\b(?:https?|ftp|mailto|tel):\S+|\bwww\.\S+"),
    _detector("url", rf"(?<![\w@.])(?:[\w-]+\.)+(?:{_TOP_LEVEL})(?![\w-])(?:/\S*)?"),
    _detector("ip_address", _IP_4, _is_address, separators=""),
    _detector("ip_address", _IP_6, _is_address, separators=""),
    _detector("device", r"\b[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}\b"),
    _detector("iban", r"\b[a-z]{2}\d{2}(?: ?[a-z0-9]){11,30}\b", _in_capitals(check_digits.iban)),
    _detector("card", r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)", _is_card),
    _detector("national_id", r"(?<![\d-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])"),
    _detector("national_id", r"(?<!\d)[2-9]\d{3}[ -]?\d{4}[ -]?\d{4}(?!\d)", check_digits.verhoeff),
    _detector(
        "national_id",
        r"\b(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]\b",
    ),
    _detector("national_id", r"(?<!\d)\d{3}[ -]?\d{3}[ -]?\d{4}(?!\d)", check_digits.nhs),
    _detector("national_id", r"\b[XYZ\d]-?\d{7}-?[A-Z]\b", _in_capitals(check_digits.spanish)),
    _detector(
        "national_id",
        r"(?<!\d)[12] ?\d\d ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d(?!\d)",
        _in_capitals(check_digits.french),
    ),
    _detector("national_id", r"(?<!\d)[1-9]\d ?\d{3} ?\d{3} ?\d{3}(?!\d)", check_digits.german_tax),
    _detector("national_id", r"(?<!\d)\d{4}\.?\d{2}\.?\d{3}(?!\d)", check_digits.dutch),
    _detector("national_id", r"(?<!\d)\d{11}(?!\d)", check_digits.polish),
    _detector(
        "national_id",
        r"\b[A-Z]{6}\d{2}[A-EHLMPR-T]\d{2}[A-Z]\d{3}[A-Z]\b",
        _in_capitals(check_digits.italian),
    ),
    _detector("national_id", r"\b[A-Z]{3}[ABCFGHLJPT][A-Z]\d{4}[A-Z]\b", flags=0),
    _detector("national_id", r"\b\d{7}-?[A-Z]\b", _in_capitals(check_digits.spanish)),
    _detector(
        "national_id",
        r"\b\d{6}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]\b",
        _in_capitals(check_digits.finnish),
        separators="",
    ),
    # Medicare of the United States; Singapore; passports and identity cards of many countries.
    _detector(
        "national_id",
        rf"\b[1-9]{_MBI}{_MBI_OR_DIGIT}\d-?{_MBI}{_MBI_OR_DIGIT}\d-?{_MBI}{{2}}\d\d\b",
    ),
    _detector("national_id", r"\b[STFGM]\d{7}[A-Z]\b|\b[TSR]\d\d[A-Z]{2}\d{4}[A-Z]\b", flags=0),
    _detector("national_id", r"\b[A-Z]{2} ?\d{7}\b|\b\d{7}[A-Z]{2}\b", flags=0),
    _detector("national_id", r"\bC[A-Z] ?\d{5} ?[A-Z]{2}\b", flags=0),
    _detector("unique_code", r"\b\d{8,9}[A-Z]\b", flags=0),
    _detector("vehicle", r"\b[A-HJ-NPR-Y]\d{2,3} ?[A-Z]{3}\b", flags=0),
    _detector("vehicle", r"\b[A-Z]{3}[- ]?\d{3}[- ]?[A-Z]{2}\b", flags=0),
    _detector("vehicle", r"\b[A-HJ-NPR-Z0-9]{17}\b", _in_capitals(check_digits.vehicle)),
    _detector("vehicle", r"\b[A-ZÄÖÜ]{1,3}-[A-Z]{1,2} ?\d{1,4}[EH]?\b", flags=0),
    _detector("vehicle", r"\b[A-Z]{2}\d{2} ?[A-Z]{3}\b|\b[A-Z]{2}-\d{3}-[A-Z]{2}\b", flags=0),
    _detector(
        "date",
        rf"(?<![\d./-])(?:\d{{1,2}}[./-]\d{{1,2}}[./-](?:{_YEAR}|\d\d)"
        rf"|{_YEAR}[./-]\d{{1,2}}[./-]\d{{1,2}})(?![\d/-])",
    ),
    _detector(
        "date",
        rf"\b\d{{1,2}}(?:st|nd|rd|th|er|º|\.)?\s*(?:of |de |di )?(?:{_MONTHS})\.?,?"
        rf"\s*(?:de |del )?{_YEAR}\b",
    ),
    _detector("date", rf"\b(?:{_MONTHS})\.?\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+{_YEAR}\b"),
    _detector("date", r"(?:18|19|20)\d\d\s*[年년]\s*\d{1,2}\s*[月월]\s*\d{1,2}\s*[日일]"),
    _detector("date", rf"\b\d{{1,2}}-(?:{_MONTHS})-(?:{_YEAR}|\d\d)\b"),
    _detector("date", rf"\b(?:{_MONTHS})-(?:\d{{1,2}}-)?{_YEAR}\b"),
    _detector("age", r"\baged?\s+(?:9\d|1[01]\d)\b"),
    _detector("age", r"\b(?:9\d|1[01]\d)(?:[ -]years?[ -]old| Jahre alt| ans| años| anni)\b"),
    _detector(
        "record_number",
        rf"\b(?:{_RECORD})[\s-]*(?:no|number|nummer|nr|num[ée]ro|n[úu]mero|#|id)?\.?\s*[:#]?\s*"
        r"(?=[A-Z0-9-]*\d{3})[A-Z0-9][A-Z0-9-]{3,}",
    ),
    _detector("unique_code", r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b"),
    _detector("unique_code", r"\b(?=[A-Z0-9]*\d[A-Z]*\d)(?=[A-Z0-9]*[A-Z])[A-Z0-9]{10,}\b"),
    _detector("place", r"-?\d{1,3}\.\d{4,},\s*-?\d{1,3}\.\d{4,}"),
    _detector(
        "address",
        r"\b\d{1,5}\s+(?:[A-Z][\w'’]+\s+){1,3}"
        r"(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Way|Square)\b",
        flags=0,
    ),
    _detector(
        "address",
        r"\b[A-ZÄÖÜ]\w*(?:stra(?:ß|ss)e|str\.|weg|platz|allee|gasse|laan|straat)"
        r"\s+\d{1,4}[a-z]?\b",
        flags=0,
    ),
    _detector("address", rf"\b\d{{1,4}},?\s+(?:{_ROAD})\s+\w+"),
    _detector("address", rf"\b(?:{_ROAD})\s+(?:[\w.]+\s+){{1,4}}\d{{1,4}}\b"),
    _detector("address", r"\b[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b", flags=0),
    _detector("address", r"\b[A-Z]{2} \d{5}(?:-\d{4})?\b", flags=0),
)
_LONG_NUMBER = re.compile(r"(?<![\w.,])(?:\+?\(?\d(?:[ ().-]{0,2}\d){8,}|\d{7,})(?!\w)")

_MANY_DIGITS = re.compile(r"\d(?:\W{0,6}\d){4}")

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


def find(*, text: str, language: str) -> Iterator[Found]:
    """Yield what identifies a person in a plain text: kind, start, end (characters)."""
    for detector in _DETECTORS:
        for found in detector.pattern.finditer(text):
            length = _length_that_holds(found[0], detector)
            if length:
                yield detector.kind, found.start(), found.start() + length
    regions = _REGIONS.get(language.partition("-")[0], ())
    # The library reads slowly; no number of a phone has fewer than five digits in a row of signs.
    for region in (*regions, None) if _MANY_DIGITS.search(text) else ():
        for phone in phonenumbers.PhoneNumberMatcher(text, region):
            yield "phone", phone.start, phone.end
    for found in _LONG_NUMBER.finditer(text):
        yield "long_number", found.start(), found.end()


def _length_that_holds(shown: str, detector: _Detector) -> int:
    """Judge a number, then what is left of it without its last words: they may be others."""
    while shown:
        bare = shown.translate({ord(sign): None for sign in detector.separators})
        if detector.holds(bare):
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
