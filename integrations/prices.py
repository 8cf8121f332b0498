"""What does a segment of a text message cost in each country? As it was typed; no vendor is asked.

Prices differ by country and by contract, and no provider's list is ours to guess: what is not
typed has no price.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import phonenumbers

PREFIX_MAX = 500
_ROW = re.compile(r"\+([1-9]\d{0,6})\s+(\d{1,6}(?:\.\d{1,6})?)")
_PRICE = re.compile(r"\d{1,6}(?:\.\d{1,6})?")
_BETWEEN = re.compile(r"[,;\n]")


class BadPrices(ValueError):
    """What was typed is no list of prices; the text says which part is not."""


@dataclass(frozen=True)
class Prices:
    """Prices of a segment by the beginning of a number, and one for all others."""

    by_prefix: Mapping[str, Decimal] = field(default_factory=dict)
    elsewhere: Decimal | None = None
    currency: str = ""

    def __bool__(self) -> bool:
        return bool(self.by_prefix) or self.elsewhere is not None

    def of(self, *, country: str) -> tuple[Decimal, Decimal] | None:
        """Return the lowest and the highest price of a segment to a country; None: no price.

        Of an unknown country it may be any that is listed.
        """
        if not country:
            known = [*self.by_prefix.values()]
            known += [] if self.elsewhere is None else [self.elsewhere]
            return (min(known), max(known)) if known else None
        number = _number(country)
        fitting = [prefix for prefix in self.by_prefix if number.startswith(prefix)]
        found = self.by_prefix[max(fitting, key=len)] if fitting else self.elsewhere
        return None if found is None else (found, found)


def read(*, by_prefix: str, elsewhere: str = "", currency: str = "") -> Prices:
    """Read prices as they were typed: `+1 0.0079, +44 0.0463`, and one for all other countries.

    :raises BadPrices: a part is not a prefix and a price.
    """
    if elsewhere and not _PRICE.fullmatch(elsewhere):
        raise BadPrices("Enter a price such as 0.0079.")
    other = Decimal(elsewhere) if elsewhere else None
    return Prices(_rows(by_prefix), other, currency.strip().upper())


def _rows(typed: str) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for part in filter(None, (row.strip() for row in _BETWEEN.split(typed))):
        row = _ROW.fullmatch(part)
        if row is None:
            raise BadPrices(f"“{part[:40]}” is not a prefix and a price, such as +44 0.0463.")
        if row[1] in found:
            raise BadPrices(f"+{row[1]} is there twice.")
        found[row[1]] = Decimal(row[2])
    if len(found) > PREFIX_MAX:
        raise BadPrices(f"Enter at most {PREFIX_MAX} prefixes.")
    return found


def _number(country: str) -> str:
    """Return digits that a mobile number of a country begins with; its code alone at the least."""
    mobile = phonenumbers.PhoneNumberType.MOBILE
    example = phonenumbers.example_number_for_type(country, mobile)
    if example is not None:
        return f"{example.country_code}{example.national_number}"
    return str(phonenumbers.country_code_for_region(country) or "")
