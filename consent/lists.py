"""What does an uploaded list of people say? Its bytes become rows, or the file is refused. Pure."""

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from consent import addresses
from consent.addresses import NotAContact, Person

ROWS_MAX = 200_000
COLUMNS = ("name", "email", "phone", "language", "time_zone", "country", "region", "consent")
OTHER_NAMES = {
    "e-mail": "email",
    "e_mail": "email",
    "email_address": "email",
    "full_name": "name",
    "mobile": "phone",
    "phone_number": "phone",
    "timezone": "time_zone",
    "tz": "time_zone",
    "lang": "language",
    "state": "region",
    "opted_in": "consent",
    "opt_in": "consent",
}
CLAIMS = {
    **dict.fromkeys(("yes", "y", "true", "1", "opted in", "opted_in", "subscribed"), "yes"),
    **dict.fromkeys(("no", "n", "false", "0", "opted out", "opted_out", "unsubscribed"), "no"),
    "": "",
}
TOO_MANY_CELLS = "The row has more cells than the first row. Is a comma not in quotation marks?"
DELIMITERS = ",;\t|"
# What a spreadsheet would run when it opens a cell that begins so.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class BadFile(ValueError):
    """The file cannot be read as a list; its message is for the person who sent it."""


@dataclass(frozen=True)
class RowProblem:
    """What is wrong in one cell; the value is masked."""

    row: int
    column: str
    value: str
    problem: str


@dataclass(frozen=True)
class Line:
    """One row of the file: a person with what is claimed of their consent, or its problems."""

    row: int
    person: Person | None
    claim: str
    problems: tuple[RowProblem, ...]


@dataclass(frozen=True)
class Sheet:
    """A readable file: its text, and how its columns are called."""

    text: str
    delimiter: str
    columns: tuple[str, ...]
    ignored: tuple[str, ...]

    def lines(self) -> Iterator[Line]:
        """Yield each row, judged; row 1 is the header, as a spreadsheet counts.

        :raises BadFile: a cell has no end, or there are too many rows.
        """
        for row, found in cells(self.text, self.delimiter):
            yield _judge(row, found, self.columns)


def read(file: bytes) -> Sheet:
    """Find out how a file is written and whether it has the columns it needs.

    :raises BadFile: wrong encoding, no rows, or columns are missing or double.
    """
    text, delimiter, columns = opened(file)
    known = [name for name in columns if name in COLUMNS or name in addresses.ATTRIBUTES]
    _check_columns(known)
    ignored = tuple(name for name in columns if name and name not in known)
    return Sheet(text, delimiter, columns, ignored)


def opened(file: bytes) -> tuple[str, str, tuple[str, ...]]:
    """Return the text of any list, what parts its cells, and what its columns are called.

    :raises BadFile: wrong encoding, or nothing in it.
    """
    text = _decode(file)
    first = text.lstrip("\r\n").split("\n", 1)[0]
    if not first.strip():
        raise BadFile("The file is empty. Nothing was imported.")
    delimiter = max(DELIMITERS, key=first.count)
    header = next(_guarded(_reader(text, delimiter)))
    return text, delimiter, tuple(_column(cell) for cell in header)


def cells(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each row that is not empty, with its number; row 1 is the header.

    :raises BadFile: a cell has no end, or there are too many rows.
    """
    reader = _reader(text, delimiter)
    next(reader)
    for row, found in enumerate(_guarded(reader), start=2):
        if row > ROWS_MAX + 1:
            raise BadFile(f"The file has more than {ROWS_MAX:,} rows. Send it in parts.")
        if any(cell.strip() for cell in found):
            yield row, found


def harmless(text: str) -> str:
    """Return a cell for a CSV file that no spreadsheet runs as a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _decode(file: bytes) -> str:
    if file.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif b"\x00" in file[:1000]:
        # UTF-16 without its mark: every other byte of plain letters is zero.
        encoding = "utf-16-le" if file[1:2] == b"\x00" else "utf-16-be"
    else:
        encoding = "utf-8-sig"
    try:
        text = file.decode(encoding)
    except UnicodeDecodeError as fault:
        row = file[: fault.start].count(b"\n") + 1
        raise BadFile(
            f"Row {row} is not written in UTF-8, so letters would be lost. Nothing was imported. "
            "Save the file again as CSV UTF-8 and send it once more."
        ) from None
    if "\x00" in text:
        raise BadFile("This is not a text file. Save the list as CSV UTF-8. Nothing was imported.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _reader(text: str, delimiter: str) -> Iterator[list[str]]:
    return csv.reader(_lines(text.lstrip("\n")), delimiter=delimiter, strict=False)


def _lines(text: str) -> Iterator[str]:
    # A `StringIO` would hold the whole text once more, at four bytes a letter.
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield text[start:end]
        start = end


def _guarded(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error:
        raise BadFile(
            "A cell is too long or its quotation mark is not closed. Nothing was imported."
        ) from None


def _column(cell: str) -> str:
    name = "_".join(cell.strip().lower().split())
    return OTHER_NAMES.get(name, name)


def _check_columns(known: list[str]) -> None:
    missing = [name for name in ("name",) if name not in known]
    if not {"email", "phone"} & set(known):
        missing.append("email or phone")
    if missing:
        raise BadFile(
            f"The first row names no column {' and no column '.join(missing)}. Nothing was "
            f"imported. The columns are: {', '.join(COLUMNS)}, {', '.join(addresses.ATTRIBUTES)}."
        )
    double = sorted({name for name in known if known.count(name) > 1})
    if double:
        raise BadFile(f"The column {double[0]} is there twice. Nothing was imported.")


def _judge(row: int, found: list[str], columns: tuple[str, ...]) -> Line:
    if len(found) > len(columns):
        return Line(row, None, "", (RowProblem(row, "", "", TOO_MANY_CELLS),))
    values = dict(zip(columns, found, strict=False))
    claim = CLAIMS.get(values.get("consent", "").strip().lower())
    problems = [] if claim is not None else [_unclear_claim(row, values["consent"])]
    person = _person(row, values, problems)
    return Line(row, None if problems else person, claim or "", tuple(problems))


def _person(row: int, values: Mapping[str, str], problems: list[RowProblem]) -> Person | None:
    fields = {name: values.get(name, "") for name in COLUMNS if name != "consent"}
    extra = {name: values[name] for name in addresses.ATTRIBUTES if name in values}
    try:
        return addresses.clean(**fields, attributes=extra)
    except NotAContact:
        # One fault was found: look at each field by itself, so that all are named at once.
        problems += _all_problems(row, fields, extra)
    return None


def _all_problems(
    row: int, fields: Mapping[str, str], extra: Mapping[str, str]
) -> Iterator[RowProblem]:
    country = _country_or_none(fields["country"])
    checks: dict[str, Callable[[], object]] = {
        "name": lambda: addresses.clean_name(fields["name"]),
        "email": lambda: addresses.clean_email(fields["email"]),
        "phone": lambda: addresses.clean_phone(fields["phone"], country=country),
        "language": lambda: addresses.clean_language(fields["language"]),
        "time_zone": lambda: addresses.clean_time_zone(fields["time_zone"]),
        "country": lambda: addresses.clean_country(fields["country"]),
        "region": lambda: addresses.clean_region(fields["region"]),
        "attributes": lambda: addresses.clean_attributes(extra),
    }
    for column, check in checks.items():
        try:
            check()
        except NotAContact as fault:
            named = fault.field if fault.field in extra else column
            value = {**fields, **extra}.get(named, "")
            yield RowProblem(row, named, addresses.mask(column, value[:200]), fault.problem)
    if not fields["email"].strip() and not fields["phone"].strip():
        yield RowProblem(row, "email", "", "There is neither an e-mail address nor a phone number.")


def _country_or_none(text: str) -> str:
    try:
        return addresses.clean_country(text)
    except NotAContact:
        return ""


def _unclear_claim(row: int, value: str) -> RowProblem:
    return RowProblem(row, "consent", addresses.mask("", value[:40]), "Write yes, no or nothing.")
