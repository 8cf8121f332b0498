"""Is this a name, an address or a place that we can keep? Normalise it or refuse it, purely."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import available_timezones

import phonenumbers
from phonenumbers import timezone as phone_timezone

NAME_MAX_CHARS = 120
EMAIL_MAX_CHARS = 254
ATTRIBUTE_MAX_CHARS = 120
ATTRIBUTES = ("company", "city", "plan")
UNKNOWN_ZONE = "Etc/Unknown"
EMAIL = re.compile(
    r"^[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,62}$"
)
# In E.164 already, and its first seven digits say all that is known of it.
NORTH_AMERICAN = re.compile(r"\+1[2-9]\d\d[2-9]\d{6}\Z", re.ASCII)
PREFIX_CHARS = 9
LANGUAGE = re.compile(r"^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$")
REGION = re.compile(r"^[A-Z0-9]{1,3}$")
# Joiners shape Arabic, Indic and emoji text; every other format character can only deceive.
JOINERS = {"\u200c", "\u200d"}


class NotAContact(ValueError):
    """A field does not hold what it must; `problem` says so without repeating the value."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


@dataclass(frozen=True)
class Person:
    """A person's data, normalised, not yet sealed."""

    name: str
    email: str
    phone: str
    language: str
    time_zone: str
    country: str
    region: str
    attributes: Mapping[str, str]


def clean(
    *,
    name: str,
    email: str,
    phone: str,
    language: str,
    time_zone: str,
    country: str,
    region: str = "",
    attributes: Mapping[str, str] | None = None,
) -> Person:
    """Normalise what was said of a person.

    :raises NotAContact: a field is unusable, or there is no address at all.
    """
    country_code = clean_country(country)
    person = Person(
        name=clean_name(name),
        email=clean_email(email),
        phone=clean_phone(phone, country=country_code),
        language=clean_language(language),
        time_zone=clean_time_zone(time_zone),
        country=country_code,
        region=clean_region(region),
        attributes=clean_attributes(attributes or {}),
    )
    if not person.email and not person.phone:
        raise NotAContact("email", "There is neither an e-mail address nor a phone number.")
    return person


def clean_name(text: str) -> str:
    """Return a name in NFC with single spaces.

    :raises NotAContact: it is empty, too long, without a letter, or holds control characters or
        markup.
    """
    name = _plain("name", text, NAME_MAX_CHARS)
    if not name:
        raise NotAContact("name", "The name is missing.")
    if not any(unicodedata.category(char).startswith("L") for char in name):
        raise NotAContact("name", "A name needs at least one letter.")
    return name


def clean_email(text: str) -> str:
    """Return an e-mail address in lower case, its domain in ASCII; empty stays empty.

    :raises NotAContact: it is no address that mail can reach.
    """
    address = unicodedata.normalize("NFC", text).strip()
    if not address:
        return ""
    local, at_sign, domain = address.rpartition("@")
    try:
        host = domain.encode("idna").decode("ascii")
    except UnicodeError:
        host = ""
    address = f"{local}@{host}".lower()
    dotted = local.startswith(".") or local.endswith(".") or ".." in local
    if not at_sign or len(address) > EMAIL_MAX_CHARS or dotted or not EMAIL.match(address):
        raise NotAContact("email", "This is not an e-mail address.")
    return address


def clean_phone(text: str, *, country: str = "") -> str:
    """Return a phone number in E.164; a national one is read in the person's country.

    :raises NotAContact: no such number exists there.
    """
    if not text.strip():
        return ""
    if NORTH_AMERICAN.match(text) and _place_of(text[:PREFIX_CHARS])[0]:
        return text
    try:
        number = phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException as unread:
        if not country and unread.error_type == unread.INVALID_COUNTRY_CODE:
            raise NotAContact(
                "phone", "Begin the number with + and the country code, or name the country."
            ) from None
        raise NotAContact("phone", "This is not a phone number.") from None
    if number.extension or not phonenumbers.is_possible_number(number):
        raise NotAContact("phone", "No phone has this number.")
    if not phonenumbers.is_valid_number(number) and not _is_fictional(number):
        raise NotAContact("phone", "No phone has this number.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def phone_places(phone: str) -> tuple[str, tuple[str, ...]]:
    """Return the country and the possible time zones of a number in E.164; unknown is empty."""
    if not phone:
        return "", ()
    if NORTH_AMERICAN.match(phone) and (place := _place_of(phone[:PREFIX_CHARS]))[0]:
        return place
    return _places_of(phone)


@lru_cache(maxsize=65_536)
def _place_of(prefix: str) -> tuple[str, tuple[str, ...]]:
    """Return the place of all numbers of a North American prefix; no country: ask for each.

    The library's patterns look at no digit after the seventh, which a test holds.
    """
    number = phonenumbers.parse(f"{prefix}000")
    return _places_of(f"{prefix}000") if phonenumbers.is_valid_number(number) else ("", ())


def _places_of(phone: str) -> tuple[str, tuple[str, ...]]:
    number = phonenumbers.parse(phone)
    country = phonenumbers.region_code_for_number(number)
    if country is None:
        country = phonenumbers.region_code_for_country_code(number.country_code or 0)
    zones = tuple(sorted(phone_timezone.time_zones_for_number(number)))
    known = () if UNKNOWN_ZONE in zones else zones
    return ("" if country in {"001", "ZZ"} else country), known


def clean_language(text: str) -> str:
    """Return a BCP-47 tag in its usual letters; empty is English.

    :raises NotAContact: it is no such tag.
    """
    parts = [part for part in re.split(r"[-_]", text.strip()) if part]
    if not parts:
        return "en"
    spelt = [parts[0].lower()]
    spelt += [part.title() if len(part) == 4 else part.upper() for part in parts[1:]]
    tag = "-".join(spelt)
    if not LANGUAGE.match(tag):
        raise NotAContact("language", "Use a language tag such as en, pt-BR or zh-Hant.")
    return tag


def clean_time_zone(text: str) -> str:
    """Return an IANA time zone; empty is unknown.

    :raises NotAContact: there is no such zone.
    """
    zone = text.strip()
    if zone and zone not in _zones():
        raise NotAContact("time_zone", "Use a time zone such as Europe/Paris.")
    return zone


def clean_country(text: str) -> str:
    """Return a country's ISO 3166 code of two letters; empty is unknown.

    :raises NotAContact: there is no such country.
    """
    code = text.strip().upper()
    code = {"UK": "GB"}.get(code, code)
    if code and code not in phonenumbers.SUPPORTED_REGIONS:
        raise NotAContact("country", "Use a country code of two letters, such as DE or US.")
    return code


def clean_region(text: str) -> str:
    """Return a region's code within its country, such as FL; empty is unknown.

    :raises NotAContact: it is no code.
    """
    code = text.strip().upper().rpartition("-")[2]
    if code and not REGION.match(code):
        raise NotAContact("region", "Use a code of at most three letters, such as FL.")
    return code


def clean_attributes(values: Mapping[str, str]) -> dict[str, str]:
    """Return the attributes that scripts may use; empty ones are left out.

    :raises NotAContact: one is not on the list of those we keep, or is no plain text.
    """
    for field in values:
        if field not in ATTRIBUTES:
            raise NotAContact("attributes", f"Only these are kept: {', '.join(ATTRIBUTES)}.")
    plain = {field: _plain(field, text, ATTRIBUTE_MAX_CHARS) for field, text in values.items()}
    return {field: text for field, text in plain.items() if text}


def mask(field: str, text: str) -> str:
    """Return a value with most of it hidden, for a report or a list."""
    if not text:
        return ""
    if field == "email" and "@" in text:
        local, _, domain = text.rpartition("@")
        return f"{local[:1]}•••@{domain[:1]}•••.{domain.rpartition('.')[2]}"
    if field == "phone":
        return f"{text[:3]}•••{text[-2:]}"
    if field == "name":
        return " ".join(f"{word[:1]}•••" for word in text.split()[:3])
    return text if len(text) <= 3 else f"{text[:2]}•••"


def _plain(field: str, text: str, max_chars: int) -> str:
    # Measured before it is normalised: NFC of a long text is work that an attacker chooses.
    if len(text) > max_chars * 4:
        raise NotAContact(field, f"At most {max_chars} characters.")
    normal = unicodedata.normalize("NFC", text).strip()
    if any(_is_control(char) for char in normal):
        raise NotAContact(field, "It holds control characters.")
    if "<" in normal or ">" in normal:
        raise NotAContact(field, "It holds the signs < or >, as markup does.")
    if len(normal) > max_chars:
        raise NotAContact(field, f"At most {max_chars} characters.")
    return " ".join(normal.split())


def _is_control(char: str) -> bool:
    if char in JOINERS:
        return False
    # Zl and Zp break lines; Co and Cn and Cs are no text at all.
    return unicodedata.category(char) in {"Cc", "Cf", "Zl", "Zp", "Co", "Cn", "Cs"}


def _is_fictional(number: phonenumbers.PhoneNumber) -> bool:
    # 555-01xx is kept free for fiction (ATIS-0300115): demos and tests must never reach anybody.
    national = str(number.national_number)
    return number.country_code == 1 and len(national) == 10 and national[3:8] == "55501"


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
