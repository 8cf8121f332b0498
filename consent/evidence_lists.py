"""What does a list of evidence say? Each row an act of consent, or all that is wrong with it. Pure.

A row names whose act it was, what it was for, how and when it was done, which words were shown,
and by whom; what is left out is named, and such a row turns no claim into consent.
"""

import hashlib
import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from consent import addresses, lists, purposes
from consent.lists import BadFile, RowProblem
from consent.models import Channel, ConsentEvent, WrittenConsent

Act = ConsentEvent.Act
Permission = ConsentEvent.Permission
ALWAYS = ("address", "purpose", "channel", "act", "said_at", "source", "seller")
# One of each group must be there: what shows that such an act was done.
NEEDED_BY_ACT = {
    Act.CHECKBOX: (("notice", "notice_sha256"), ("form_sha256", "form_url")),
    Act.BUTTON: (("notice", "notice_sha256"), ("form_sha256", "form_url")),
    Act.KEYWORD: (("notice", "notice_sha256"), ("message_id",)),
    Act.VOICE: (("notice", "notice_sha256"), ("reference",)),
    Act.PAPER: (("notice", "notice_sha256"), ("reference",)),
    # What a customer did, told by the shop's own systems: a soft opt-in, or implied consent.
    Act.API: (("reference",),),
    Act.CRM: (("reference",),),
}
PERMISSIONS = (
    Permission.EXPRESS,
    Permission.WRITTEN,
    Permission.SOFT_OPT_IN,
    Permission.IMPLIED_PURCHASE,
    Permission.IMPLIED_INQUIRY,
)
PURPOSES = tuple(code for code, _, _ in purposes.DEFAULTS if code not in purposes.OURS)
YES, NO = {"yes", "y", "true", "1"}, {"no", "n", "false", "0"}
FLAGS = (
    *("authorises_advertising", "authorises_automated", "not_a_condition"),
    *("opt_out_shown", "similar_goods"),
)
COLUMNS = (
    *ALWAYS,
    *("permission", "language", "notice", "notice_sha256", "form_url", "form_sha256", "ip"),
    *("reference", "message_id", "age_years", "guardian", "signature", "signature_kind"),
    *("product_class", *FLAGS),
)
SHA256 = re.compile(r"^[0-9a-f]{64}$")
SLUG = re.compile(r"^[a-z0-9][a-z0-9._-]{0,39}$")
NOTICE_MAX_CHARS = 8000
MISSING = "This is missing, and such an act needs it."


class _Bad(ValueError):
    """A cell does not hold what it must."""


@dataclass(frozen=True)
class EvidenceRow:
    """One act as a list tells it; the values are cleaned and still text."""

    number: int
    values: Mapping[str, str]

    def text(self, name: str) -> str:
        """Return a value; empty where the row does not say."""
        return self.values.get(name, "")

    def flag(self, name: str) -> bool:
        """Say whether the row declares this plainly."""
        return self.values.get(name) == "true"

    @property
    def said_at(self) -> datetime:
        """Return when the act was done."""
        return datetime.fromisoformat(self.values["said_at"])

    @property
    def place(self) -> bytes:
        """Return a short hash of whose act on what this is: a list may tell it once."""
        named = "|".join(self.text(name) for name in ("address", "purpose", "channel"))
        return hashlib.blake2b(named.encode(), digest_size=12).digest()


@dataclass(frozen=True)
class EvidenceSheet:
    """A readable file of evidence."""

    text: str
    delimiter: str
    columns: tuple[str, ...]
    ignored: tuple[str, ...]

    def rows(self, at: datetime) -> Iterator[EvidenceRow | list[RowProblem]]:
        """Yield each row, or everything that is wrong with it.

        :raises BadFile: a cell has no end, or there are too many rows.
        """
        for number, found in lists.cells(self.text, self.delimiter):
            yield _judge(number, found, self.columns, at)


def read(file: bytes) -> EvidenceSheet:
    """Find out how a file is written and whether it has the columns that evidence needs.

    :raises BadFile: wrong encoding, no rows, or columns are missing or double.
    """
    text, delimiter, columns = lists.opened(file)
    known = [name for name in columns if name in COLUMNS]
    if missing := [name for name in ALWAYS if name not in known]:
        raise BadFile(
            f"The first row names no column {' and no column '.join(missing)}. Nothing was "
            f"imported. The columns are: {', '.join(COLUMNS)}."
        )
    if double := sorted({name for name in known if known.count(name) > 1}):
        raise BadFile(f"The column {double[0]} is there twice. Nothing was imported.")
    ignored = tuple(name for name in columns if name and name not in known)
    return EvidenceSheet(text, delimiter, columns, ignored)


def problem(row: EvidenceRow, column: str, words: str) -> RowProblem:
    """Return what is wrong with a row; the value is masked."""
    return RowProblem(row.number, column, _masked(column, row.text(column)), words)


def network(ip: str) -> str:
    """Return the network of an address: enough to show an act, not enough to follow a person.

    :raises ValueError: it is no address.
    """
    address = ipaddress.ip_address(ip.strip())
    bits = 24 if address.version == 4 else 48
    return str(ipaddress.ip_network(f"{address}/{bits}", strict=False))


def _judge(
    number: int, found: list[str], columns: tuple[str, ...], at: datetime
) -> EvidenceRow | list[RowProblem]:
    if len(found) > len(columns):
        return [RowProblem(number, "", "", lists.TOO_MANY_CELLS)]
    raw = dict(zip(columns, found, strict=False))
    values: dict[str, str] = {}
    problems: list[RowProblem] = []
    for name in COLUMNS:
        text = raw.get(name, "").strip()
        try:
            if text:
                values[name] = _clean(name, text, raw, at)
        except _Bad as fault:
            problems.append(RowProblem(number, name, _masked(name, text), str(fault)))
    told = {fault.column for fault in problems}
    row = EvidenceRow(number, {"permission": Permission.EXPRESS.value, **values})
    problems += [
        RowProblem(number, name, "", MISSING) for name in _missing(row) if name not in told
    ]
    return problems or row


def _missing(row: EvidenceRow) -> Iterator[str]:
    yield from (name for name in ALWAYS if not row.text(name))
    act = row.text("act")
    for group in NEEDED_BY_ACT.get(Act(act), ()) if act in Act.values else ():
        if not any(row.text(name) for name in group):
            yield group[0]


def _clean(name: str, text: str, raw: Mapping[str, str], at: datetime) -> str:
    if name == "address":
        return _address(text, raw.get("channel", "").strip().lower())
    if name == "said_at":
        return _said_at(text, at)
    if name in CHOICES:
        return _choice(text, CHOICES[name])
    if name in FLAGS:
        return _flag(text)
    return CLEANERS.get(name, _short)(text)


def _address(text: str, channel: str) -> str:
    try:
        if channel == Channel.EMAIL:
            return addresses.clean_email(text)
        return addresses.clean_phone(text)
    except addresses.NotAContact as fault:
        raise _Bad(fault.problem) from None


def _said_at(text: str, at: datetime) -> str:
    try:
        said_at = datetime.fromisoformat(text)
    except ValueError:
        raise _Bad("Write date, time and zone, as 2026-10-07T14:00:00Z.") from None
    if said_at.tzinfo is None:
        raise _Bad("The time zone is missing: write it as 2026-10-07T14:00:00Z.")
    if said_at > at:
        raise _Bad("This is in the future.")
    return said_at.isoformat()


def _choice(text: str, allowed: tuple[str, ...]) -> str:
    word = text.lower().replace(" ", "_")
    if word not in allowed:
        raise _Bad(f"Write one of: {', '.join(allowed)}.")
    return word


def _flag(text: str) -> str:
    word = text.lower()
    if word not in YES | NO:
        raise _Bad("Write yes or no.")
    return "true" if word in YES else "false"


def _short(text: str) -> str:
    if len(text) > 120 or any(not char.isprintable() for char in text):
        raise _Bad("At most 120 plain characters.")
    return text


def _sha256(text: str) -> str:
    if not SHA256.match(text.lower()):
        raise _Bad("A SHA-256 has 64 digits from 0 to f.")
    return text.lower()


def _form_url(text: str) -> str:
    url = urlsplit(text)
    if url.scheme not in {"https", "http"} or not url.hostname or len(text) > 500:
        raise _Bad("Write the address of the page, beginning with https://.")
    # What stands after the question mark may be the person's own data.
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}"


def _source(text: str) -> str:
    if not SLUG.match(text.lower()):
        raise _Bad("A short word, such as web-form or fair-2026.")
    return text.lower()


def _age(text: str) -> str:
    if not text.isascii() or not text.isdigit() or int(text[:4]) > 130:
        raise _Bad("A whole number of years.")
    return str(int(text))


def _notice(text: str) -> str:
    if len(text) > NOTICE_MAX_CHARS:
        raise _Bad(f"At most {NOTICE_MAX_CHARS:,} characters.")
    return text


def _ip(text: str) -> str:
    try:
        return network(text)
    except ValueError:
        raise _Bad("This is no IP address.") from None


def _language(text: str) -> str:
    try:
        return addresses.clean_language(text)
    except addresses.NotAContact as fault:
        raise _Bad(fault.problem) from None


def _masked(column: str, text: str) -> str:
    field = ("email" if "@" in text else "phone") if column == "address" else column
    return addresses.mask(field, text[:200])


CHOICES: dict[str, tuple[str, ...]] = {
    "purpose": PURPOSES,
    "channel": tuple(Channel.values),
    "permission": tuple(PERMISSIONS),
    "act": tuple(act.value for act in NEEDED_BY_ACT),
    "signature_kind": tuple(WrittenConsent.Signature.values),
}
CLEANERS: dict[str, Callable[[str], str]] = {
    "notice": _notice,
    "notice_sha256": _sha256,
    "form_sha256": _sha256,
    "form_url": _form_url,
    "source": _source,
    "ip": _ip,
    "age_years": _age,
    "language": _language,
}
