"""The signs that identify a person, as patterns: the 18 of HIPAA and their European kin.

Each says by which cue of `videos.cues` it is tried at all. Where a number carries a checksum, the
checksum decides; national identity numbers stand in `videos.national_ids`.
"""

import ipaddress
import re

from config.lib import check_digits
from videos import cues
from videos.detector import Detector, detector, in_capitals

_YEAR = r"(?:1[89]|20)\d\d"
_TOP_LEVEL = (
    "com|org|net|info|biz|io|co|ai|app|dev|me|tv|eu|uk|de|fr|es|it|nl|be|at|ch|pl|pt|se|dk|no|fi|ie|"
    "in|us|ca|au|nz|jp|cn|kr|br|mx|ru|tr|example"
)
_IP_4 = r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])"
_IP_6 = r"(?<![\w:])[0-9a-f:]*:[0-9a-f:]*:[0-9a-f:.]+"
_ROAD = "rue|avenue|boulevard|calle|via|viale|plaza|piazza|rua|avenida"
_OFFER = re.compile(r"([A-Z]{4,}?)(?:20\d\d|\d\d?)", re.IGNORECASE)
_STATES = (
    "A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|P[AR]|RI|S[CD]|"
    "T[NX]|UT|V[AT]|W[AIVY]"
)
# Coins and measures without a vowel, after a number of four digits.
_UNITS = frozenset(
    "BTC CHF CNY CZK DKK GBP KWH HKD MWH MXN NZD PHP PLN RPM MPH KRW SGD THB".split()
)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_a_day(written: str) -> bool:
    """Say whether three numbers can be a date in some order, and not a size or a score."""
    first, second, third = map(int, re.split(r"[./-]", written))
    days = (second, third) if first > 31 else (first, second)
    return min(days) > 0 and min(days) <= 12 and max(days) <= 31


def _is_no_offer(code: str) -> bool:
    # WELCOME2026 is for all who read it: a word that can be spoken, and a year or a small number.
    found = _OFFER.fullmatch(code)
    return not found or len(set(found[1].upper()) & set("AEIOU")) < 2


def _is_card(number: str) -> bool:
    return check_digits.luhn(number) and len(set(number)) > 1


def _is_no_unit(plate: str) -> bool:
    return plate[4:] not in _UNITS


# What is tried before the numbers of states, and what after: the first to find a place names it.
FIRST: tuple[Detector, ...] = (
    detector(cues.AT, "email", r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"),
    detector(
        cues.SPELT,
        "email",
        r"\b[\w.+-]+\s*(?:[\[(]\s*at\s*[\])]|\bat\b)\s*[\w-]+\s*(?:[\[(]\s*dot\s*[\])]|\bdot\b)\s*\w+",
    ),
    detector(cues.AT, "handle", r"(?<![\w@.])@[A-Za-z_][\w.]{2,}"),
    detector(cues.LINK, "url", r"\b(?:https?|ftp|mailto|tel):\S+|\bwww\.\S+"),
    detector(cues.DOTTED, "url", rf"(?<![\w@.])(?:[\w-]+\.)+(?:{_TOP_LEVEL})(?![\w-])(?:/\S*)?"),
    detector(cues.OCTETS, "ip_address", _IP_4, _is_address, separators=""),
    detector(cues.COLONS, "ip_address", _IP_6, _is_address, separators=""),
    detector(cues.HYPHENS, "device", r"\b[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}\b"),
    detector(
        cues.MANY, "iban", r"\b[a-z]{2}\d{2}(?: ?[a-z0-9]){11,30}\b", in_capitals(check_digits.iban)
    ),
    detector(cues.MANY, "card", r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)", _is_card),
)
LAST: tuple[Detector, ...] = (
    detector(cues.MANY, "unique_code", r"\b\d{8,9}[A-Z]\b", flags=0),
    detector(cues.MIXED, "vehicle", r"\b[A-Z]{2}[ -]?\d{3}[ -]?[A-Z]{2}\b", flags=0),
    detector(cues.MIXED, "vehicle", r"\b\d{4}[ -]?[BCDFGHJ-NPR-TV-Z]{3}\b", _is_no_unit, flags=0),
    detector(cues.MIXED, "vehicle", r"\b\d[A-Z]{3}\d{3}\b", flags=0),
    detector(
        cues.MIXED,
        "vehicle",
        r"\b(?:[A-Z]{1,3}-\d{1,3}-[A-Z]{1,3}|\d{1,3}-[A-Z]{2,3}-\d{1,3}|"
        r"[A-Z]{2}-[A-Z]{2}-\d\d|\d\d-\d\d-[A-Z]{2}|[A-Z]{2}-\d\d-\d\d)\b",
        flags=0,
    ),
    detector(cues.MIXED, "vehicle", r"\b[A-HJ-NPR-Y]\d{2,3} ?[A-Z]{3}\b", flags=0),
    detector(cues.MIXED, "vehicle", r"\b[A-Z]{3}[- ]?\d{3}[- ]?[A-Z]{2}\b", flags=0),
    detector(cues.LONG, "vehicle", r"\b[A-HJ-NPR-Z0-9]{17}\b", in_capitals(check_digits.vehicle)),
    detector(cues.MIXED, "vehicle", r"\b[A-ZÄÖÜ]{1,3}-[A-Z]{1,2} ?\d{1,4}[EH]?\b", flags=0),
    detector(
        cues.MIXED, "vehicle", r"\b[A-Z]{2}\d{2} ?[A-Z]{3}\b|\b[A-Z]{2}-\d{3}-[A-Z]{2}\b", flags=0
    ),
    detector(
        cues.NUMERIC,
        "date",
        rf"(?<![\d./-])(?:\d{{1,2}}[./-]\d{{1,2}}[./-](?:{_YEAR}|\d\d)"
        rf"|{_YEAR}[./-]\d{{1,2}}[./-]\d{{1,2}})(?![\d/-])",
        _is_a_day,
        separators="",
    ),
    detector(
        cues.MONTH,
        "date",
        rf"\b\d{{1,2}}(?:st|nd|rd|th|er|º|\.)?\s*(?:of |de |di )?(?:{cues.MONTHS})\.?,?"
        rf"\s*(?:de |del )?{_YEAR}\b",
    ),
    detector(
        cues.MONTH, "date", rf"\b(?:{cues.MONTHS})\.?\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+{_YEAR}\b"
    ),
    detector(
        cues.EASTERN, "date", r"(?:18|19|20)\d\d\s*[年년]\s*\d{1,2}\s*[月월]\s*\d{1,2}\s*[日일]"
    ),
    detector(cues.MONTH, "date", rf"\b\d{{1,2}}-(?:{cues.MONTHS})-(?:{_YEAR}|\d\d)\b"),
    detector(cues.MONTH, "date", rf"\b(?:{cues.MONTHS})-(?:\d{{1,2}}-)?{_YEAR}\b"),
    detector(cues.AGE, "age", r"\baged?\s+(?:9\d|1[01]\d)\b"),
    detector(
        cues.AGE, "age", r"\b(?:9\d|1[01]\d)(?:[ -]years?[ -]old| Jahre alt| ans| años| anni)\b"
    ),
    detector(
        cues.RECORD,
        "record_number",
        rf"\b(?:{cues.RECORDS})[\s-]*(?:no|number|nummer|nr|num[ée]ro|n[úu]mero|#|id)?\.?\s*[:#]?\s*"
        r"(?=[A-Z0-9-]*\d{3})[A-Z0-9][A-Z0-9-]{3,}",
        begins=True,
    ),
    detector(cues.HYPHENS, "unique_code", r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b"),
    detector(
        cues.LONG,
        "unique_code",
        r"\b(?=[A-Z0-9]*\d[A-Z]*\d)(?=[A-Z0-9]*[A-Z])[A-Z0-9]{10,}\b",
        _is_no_offer,
    ),
    detector(cues.MANY, "place", r"-?\d{1,3}\.\d{4,},\s*-?\d{1,3}\.\d{4,}"),
    detector(
        cues.STREET,
        "address",
        r"\b\d{1,5}\s+(?:[A-Z][\w'’]+\s+){1,3}"
        r"(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Way|Square)\b",
        flags=0,
    ),
    detector(
        cues.STREET,
        "address",
        r"\b[A-ZÄÖÜ]\w*(?:stra(?:ß|ss)e|str\.|weg|platz|allee|gasse|laan|straat)"
        r"\s+\d{1,4}[a-z]?\b",
        flags=0,
    ),
    detector(cues.ROAD, "address", rf"\b\d{{1,4}},?\s+(?:{_ROAD})\s+\w+"),
    detector(cues.ROAD, "address", rf"\b(?:{_ROAD})\s+(?:[\w.]+\s+){{1,4}}\d{{1,4}}\b"),
    detector(cues.MIXED, "address", r"\b[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b", flags=0),
    detector(cues.MIXED, "address", rf"\b(?:{_STATES}) \d{{5}}(?:-\d{{4}})?\b", flags=0),
)
