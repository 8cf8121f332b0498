"""How long are a campaign's text messages, and what do they cost? Bounds, and nobody's name.

A name is sealed. Of an audience up to `LOOKED_AT` all are opened and measured on this machine; of a
larger one so many, and the rest lie between two texts that no name of theirs can leave: a sealed
value tells how many bytes it holds.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal

from django.db.models import Max, QuerySet
from django.db.models.functions import Length

from accounts import keys
from consent import contacts, forecast
from consent.models import Contact
from integrations import lengths
from integrations.prices import Prices
from videos import audiences, contents, links, wording
from videos.models import Campaign

WHOLE, CENT = Decimal(1), Decimal("0.01")
LOOKED_AT = 500
SHOWN = 6


@dataclass(frozen=True)
class Span:
    """Segments of one message: the fewest, the usual number, the most."""

    fewest: int
    usual: Decimal
    most: int
    # Whether every person was looked at, so that the bounds are met by somebody.
    is_exact: bool = True


@dataclass(frozen=True)
class Amount:
    """Something counted between two bounds that hold, with what is likely in between."""

    least: Decimal
    likely: Decimal
    most: Decimal


@dataclass(frozen=True)
class Bill:
    """What an audience's messages come to, in segments and in money."""

    people: int = 0
    # The fewest and the most of one message.
    fewest: int = 0
    most: int = 0
    segments: Amount = field(default=Amount(Decimal(0), Decimal(0), Decimal(0)))
    money: Amount | None = None
    currency: str = ""
    # Countries that people are in and that have no price; the empty text is an unknown one.
    unpriced: tuple[str, ...] = ()
    is_exact: bool = True
    # How many people have a number of each country; the empty text is an unknown one.
    countries: Mapping[str, int] = field(default_factory=dict)


def bill(*, campaign: Campaign, prices: Prices, at: datetime) -> Bill:
    """Return what a campaign's text messages come to for whoever would get one."""
    rows: list[tuple[Span, str, int]] = []
    for language, read in _by_wording(campaign).items():
        people = audiences.audience(campaign).filter(language__in=read)
        reached = forecast.reached(
            people=people,
            purpose_code=campaign.purpose_code,
            channel=campaign.channel,
            content=contents.of(campaign),
            at=at,
        )
        if reached:
            one = span(campaign=campaign, people=people, language=language, at=at)
            rows += [(one, country, count) for country, count in reached.items()]
    return _sum(rows, prices) if rows else Bill()


def length_words(one: Bill) -> str:
    """Say how long the messages are, and how many segments that makes for how many people."""
    each = f"{_between(one.fewest, one.most)} segment{'s' * (one.most > 1)}"
    people = f"{one.people:,} people" if one.people > 1 else "1 person"
    words = f"Each message has {each}: for {people} {_range(one.segments, 'segments')}."
    if one.fewest < one.most:
        words += " A name with a letter such as ë or ж in it makes its message longer."
    if not one.is_exact:
        words += f" Of a large audience {LOOKED_AT:,} names were measured; the bounds hold for all."
    return words


def money_words(one: Bill) -> str:
    """Say what they cost; the empty text where no price is known."""
    if one.money is None:
        return ""
    return f"That costs {_range(one.money, one.currency)}."


def unpriced_words(one: Bill) -> str:
    """Say for which countries there is no price, so that the sum lacks them."""
    names = [code or "a country that is not known" for code in one.unpriced]
    shown = names if len(names) <= SHOWN else [*names[:SHOWN], f"{len(names) - SHOWN} more"]
    return f"No price is entered for {', '.join(shown)}: the sum lacks them."


def _between(low: int, high: int) -> str:
    return str(low) if low == high else f"{low} to {high}"


def _range(one: Amount, unit: str) -> str:
    exact = f"{one.least:,} {unit}".strip()
    if one.least == one.most:
        return exact
    return f"about {one.likely:,} {unit}".strip() + f" (from {one.least:,} to {one.most:,})"


def span(*, campaign: Campaign, people: QuerySet[Contact], language: str, at: datetime) -> Span:
    """Return how many segments the messages in one language have, by the names of these people."""
    looked = list(people.select_related("key").order_by("pk")[: LOOKED_AT + 1])
    is_exact = len(looked) <= LOOKED_AT
    names = [_name(one, at) for one in looked[:LOOKED_AT]]
    found = [_segments(campaign, language, name) for name in names]
    usual = Decimal(sum(found)) / len(found)
    if not is_exact:
        # A letter of GSM-7 has a byte or more, and one letter outside of it is enough for UCS-2.
        longest = "ж" + "a" * max(_longest_bytes(people) - 2, 0)
        found += [_segments(campaign, language, name) for name in ("a", longest)]
    return Span(min(found), usual, max(found), is_exact)


def _name(contact: Contact, at: datetime) -> str:
    try:
        return contacts.opened(contact=contact, at=at).name
    except keys.KeyRefused:
        # Gone meanwhile: nothing is sent to them either.
        return ""


def _segments(campaign: Campaign, language: str, name: str) -> int:
    words = wording.message(
        channel=campaign.channel,
        language=language,
        sender=campaign.sender_name,
        name=name,
        url=links.address("x" * links.TOKEN_LETTERS),
    )
    return lengths.of_sms(text=words.text).segments


def _longest_bytes(people: QuerySet[Contact]) -> int:
    found = people.order_by().aggregate(longest=Max(Length("name_sealed")))["longest"] or 0
    return max(found - keys.ENVELOPE_BYTES, 0)


def _by_wording(campaign: Campaign) -> Mapping[str, list[str]]:
    """Return which languages people read, by the one that they are written to in."""
    found: dict[str, list[str]] = {}
    for language in audiences.languages(campaign):
        found.setdefault(wording.written_in(language), []).append(language)
    return found


def _sum(rows: list[tuple[Span, str, int]], prices: Prices) -> Bill:
    segments = _added([_times(one, count, (WHOLE, WHOLE)) for one, _, count in rows])
    priced = [(one, count, prices.of(country=country)) for one, country, count in rows]
    money = [_times(one, count, price) for one, count, price in priced if price]
    spans, countries = [one for one, _, _ in rows], Counter[str]()
    for _, country, count in rows:
        countries[country] += count
    return Bill(
        people=sum(count for _, _, count in rows),
        fewest=min(one.fewest for one in spans),
        most=max(one.most for one in spans),
        segments=_rounded(segments, WHOLE),
        money=_rounded(_added(money), CENT) if money else None,
        currency=prices.currency,
        unpriced=tuple(sorted({row for _, row, _ in rows if not prices.of(country=row)})),
        is_exact=all(one.is_exact for one in spans),
        countries=dict(countries),
    )


def _times(one: Span, count: int, price: tuple[Decimal, Decimal]) -> Amount:
    low, high = price
    likely = one.usual * count * (low + high) / 2
    return Amount(one.fewest * count * low, likely, one.most * count * high)


def _added(amounts: list[Amount]) -> Amount:
    return Amount(
        sum((one.least for one in amounts), Decimal(0)),
        sum((one.likely for one in amounts), Decimal(0)),
        sum((one.most for one in amounts), Decimal(0)),
    )


def _rounded(one: Amount, unit: Decimal) -> Amount:
    return Amount(
        one.least.quantize(unit, ROUND_FLOOR),
        one.likely.quantize(unit, ROUND_HALF_UP),
        one.most.quantize(unit, ROUND_CEILING),
    )
