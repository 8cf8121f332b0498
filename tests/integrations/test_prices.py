"""Is the price of a country the one that was typed, and never a guess?"""

from decimal import Decimal

import pytest

from integrations import prices
from integrations.prices import BadPrices, Prices

LIST = "+1 0.0079, +44 0.0463;+1242 0.05\n+91 0.083"


def test_the_longest_prefix_that_fits_a_country_counts() -> None:
    found = prices.read(by_prefix=LIST, elsewhere="0.09", currency="usd")
    assert found.currency == "USD"
    for country, price in {"US": "0.0079", "CA": "0.0079", "BS": "0.05", "FR": "0.09"}.items():
        assert found.of(country=country) == (Decimal(price), Decimal(price)), country


def test_an_unknown_country_may_cost_any_of_them() -> None:
    found = prices.read(by_prefix=LIST)
    assert found.of(country="") == (Decimal("0.0079"), Decimal("0.083"))
    assert found.of(country="FR") is None


def test_nothing_typed_is_no_price() -> None:
    assert not prices.read(by_prefix=" ")
    assert Prices().of(country="US") is None
    assert Prices().of(country="") is None
    free = prices.read(by_prefix="+1 0")
    assert free
    assert free.of(country="US") == (Decimal(0), Decimal(0))


@pytest.mark.parametrize("typed", ["44 0.05", "+44", "+44 0,05", "+44 -1", "+1 1, +1 2", "+0 1"])
def test_what_is_no_list_is_refused(typed: str) -> None:
    with pytest.raises(BadPrices):
        prices.read(by_prefix=typed)
    with pytest.raises(BadPrices):
        prices.read(by_prefix="", elsewhere="cheap")
