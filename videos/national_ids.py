"""Which identity, tax and health numbers are looked for, of which states, and by what checksum?

Where a number has no checksum, its shape must be its own; where it has, the checksum decides.
"""

import re

from config.lib import check_digits, national_numbers
from videos import cues
from videos.detector import Detector, detector, in_capitals

# The letters of a Medicare number: none that looks like a digit.
_MBI, _MBI_OR_DIGIT = "[AC-HJKMNP-RT-Y]", r"[AC-HJKMNP-RT-Y\d]"
_VAT = (
    r"ATU\d{8}|BE[01]\d{9}|BG\d{9,10}|CY\d{8}[A-Z]|CZ\d{8,10}|DE\d{9}|DK\d{8}|EE\d{9}|EL\d{9}|"
    r"ES[A-Z\d]\d{7}[A-Z\d]|FI\d{8}|FR[A-Z\d]{2}\d{9}|HR\d{11}|HU\d{8}|IE\d{7}[A-W][A-I]?|"
    r"IT\d{11}|LT(?:\d{9}|\d{12})|LU\d{8}|LV\d{11}|MT\d{8}|NL\d{9}B\d\d|PL\d{10}|PT\d{9}|"
    r"RO\d{6,10}|SE\d{12}|SI\d{8}|SK\d{10}|GB(?:\d{9}|\d{12})|XI\d{9}|NO\d{9}MVA|CHE\d{9}"
)
_SHAPE_OF_VAT = re.compile(_VAT)


def _is_vat(number: str) -> bool:
    return _SHAPE_OF_VAT.fullmatch(number) is not None


DETECTORS: tuple[Detector, ...] = (
    detector(
        cues.MANY, "national_id", r"(?<![\d-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])"
    ),
    detector(
        cues.MANY,
        "national_id",
        r"(?<!\d)[2-9]\d{3}[ -]?\d{4}[ -]?\d{4}(?!\d)",
        check_digits.verhoeff,
    ),
    detector(
        cues.MANY,
        "national_id",
        r"\b(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]\b",
    ),
    detector(cues.MANY, "national_id", r"(?<!\d)\d{3}[ -]?\d{3}[ -]?\d{4}(?!\d)", check_digits.nhs),
    detector(
        cues.MANY, "national_id", r"\b[XYZ\d]-?\d{7}-?[A-Z]\b", in_capitals(check_digits.spanish)
    ),
    detector(
        cues.MANY,
        "national_id",
        r"(?<!\d)[12] ?\d\d ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d(?!\d)",
        in_capitals(check_digits.french),
    ),
    detector(
        cues.MANY,
        "national_id",
        r"(?<!\d)[1-9]\d ?\d{3} ?\d{3} ?\d{3}(?!\d)",
        check_digits.german_tax,
    ),
    detector(cues.MANY, "national_id", r"(?<!\d)\d{4}\.?\d{2}\.?\d{3}(?!\d)", check_digits.dutch),
    detector(cues.MANY, "national_id", r"(?<!\d)\d{11}(?!\d)", check_digits.polish),
    detector(
        cues.MANY,
        "national_id",
        r"\b[A-Z]{6}\d{2}[A-EHLMPR-T]\d{2}[A-Z]\d{3}[A-Z]\b",
        in_capitals(check_digits.italian),
    ),
    detector(cues.MIXED, "national_id", r"\b[A-Z]{3}[ABCFGHLJPT][A-Z]\d{4}[A-Z]\b", flags=0),
    detector(cues.MANY, "national_id", r"\b\d{7}-?[A-Z]\b", in_capitals(check_digits.spanish)),
    detector(
        cues.MANY,
        "national_id",
        r"\b\d{6}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]\b",
        in_capitals(check_digits.finnish),
        separators="",
    ),
    # Medicare of the United States; Singapore; passports and identity cards of many countries.
    detector(
        cues.MANY,
        "national_id",
        rf"\b[1-9]{_MBI}{_MBI_OR_DIGIT}\d-?{_MBI}{_MBI_OR_DIGIT}\d-?{_MBI}{{2}}\d\d\b",
    ),
    detector(
        cues.MANY, "national_id", r"\b[STFGM]\d{7}[A-Z]\b|\b[TSR]\d\d[A-Z]{2}\d{4}[A-Z]\b", flags=0
    ),
    detector(cues.MANY, "national_id", r"\b[A-Z]{2} ?\d{7}\b|\b\d{7}[A-Z]{2}\b", flags=0),
    detector(cues.MANY, "national_id", r"\bC[A-Z] ?\d{5} ?[A-Z]{2}\b", flags=0),
    # Nordic, with the hyphen that they are written with, or the whole run of digits.
    detector(
        cues.MANY,
        "national_id",
        r"(?<!\d)(?:19|20)?\d{6}[-+]\d{4}(?!\d)",
        national_numbers.swedish,
        separators=" -+",
    ),
    detector(cues.MANY, "national_id", r"(?<!\d)(?:19|20)?\d{10}(?!\d)", national_numbers.swedish),
    detector(
        cues.MANY, "national_id", r"(?<!\d)[0-3]\d[01]\d{3}-\d{4}(?!\d)", national_numbers.danish
    ),
    detector(cues.MANY, "national_id", r"(?<!\d)\d{6} ?\d{5}(?!\d)", national_numbers.norwegian),
    detector(
        cues.MANY,
        "national_id",
        r"(?<!\d)\d\d\.?\d\d\.?\d\d[- ]?\d{3}[. ]?\d\d(?!\d)",
        national_numbers.belgian,
    ),
    detector(
        cues.MANY,
        "national_id",
        r"(?<!\d)[1-3568]\d\d ?\d{3} ?\d{3}(?!\d)",
        national_numbers.portuguese,
    ),
    detector(
        cues.MANY, "national_id", r"(?<!\d)[1-9]\d{3} ?\d{6}(?!\d)", national_numbers.austrian
    ),
    detector(
        cues.MANY,
        "national_id",
        r"(?<!\d)756[. ]?\d{4}[. ]?\d{4}[. ]?\d\d(?!\d)",
        national_numbers.swiss,
    ),
    detector(cues.MANY, "national_id", r"(?<!\d)\d{6}/?\d{4}(?!\d)", national_numbers.czech),
    detector(cues.MANY, "national_id", r"(?<!\d)[1-9]\d{12}(?!\d)", national_numbers.romanian),
    detector(cues.MANY, "national_id", r"(?<!\d)\d{10}(?!\d)", national_numbers.bulgarian),
    detector(cues.MANY, "national_id", r"(?<!\d)[0-3]\d[01]\d{8}(?!\d)", national_numbers.greek),
    detector(cues.MANY, "national_id", r"(?<!\d)\d{11}(?!\d)", national_numbers.croatian),
    detector(
        cues.MANY, "national_id", r"\b\d{7}[A-W][A-IW]?\b", in_capitals(national_numbers.irish)
    ),
    detector(cues.MANY, "national_id", r"(?<!\d)[1-6]\d{10}(?!\d)", national_numbers.baltic),
    detector(
        cues.MANY,
        "national_id",
        r"(?<!\d)\d{3}[ -]?\d{3}[ -]?\d{3}(?!\d)",
        national_numbers.hungarian,
    ),
    # Beyond Europe: Brazil, Turkey, Korea, China, South Africa, Canada.
    detector(
        cues.MANY,
        "national_id",
        r"(?<!\d)\d{3}\.?\d{3}\.?\d{3}-?\d\d(?!\d)",
        national_numbers.brazilian,
    ),
    detector(cues.MANY, "national_id", r"(?<!\d)[1-9]\d{10}(?!\d)", national_numbers.turkish),
    detector(cues.MANY, "national_id", r"(?<!\d)\d{6}-[1-8]\d{6}(?!\d)", national_numbers.korean),
    detector(
        cues.MANY,
        "national_id",
        r"(?<!\d)[1-9]\d{5}(?:19|20)\d{9}[\dX](?!\w)",
        in_capitals(national_numbers.chinese),
    ),
    detector(
        cues.MANY,
        "national_id",
        r"(?<!\d)\d{6} ?\d{4} ?\d ?\d\d(?!\d)",
        national_numbers.south_african,
    ),
    detector(
        cues.MANY, "national_id", r"(?<!\d)[1-79]\d\d[ -]?\d{3}[ -]?\d{3}(?!\d)", check_digits.luhn
    ),
    # German health cards; VAT numbers, which for one who trades alone are a person's.
    detector(cues.MANY, "national_id", r"\b[A-Z]\d{9}\b", national_numbers.german_health, flags=0),
    detector(
        cues.MANY,
        "national_id",
        r"\b(?:[A-Z]{2}[A-Z]?)[ -]?[A-Z\d](?:[ .]?[A-Z\d]){6,12}\b",
        _is_vat,
        flags=0,
    ),
    # German passports and identity cards: consonants and digits, nine or ten.
    detector(
        cues.MIXED,
        "national_id",
        r"\b(?=(?:[A-Z]*\d){3})[CFGHJKLMNPRTVWXYZ][CFGHJKLMNPRTVWXYZ\d]{8}\d?\b",
        flags=0,
    ),
    # Passports, identity cards and licences of many: letters, then a long number.
    detector(cues.MANY, "unique_code", r"\b[A-Z]{1,3}\d{6,9}[A-Z]?\b", flags=0),
)
