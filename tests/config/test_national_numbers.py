"""Published examples and specimens hold; one digit off, they do not."""

from collections.abc import Callable

import pytest

from config.lib import national_numbers

HELD: list[tuple[Callable[[str], bool], str]] = [
    (national_numbers.swedish, "8112189876"),
    (national_numbers.norwegian, "15108695088"),
    (national_numbers.belgian, "85073003328"),
    (national_numbers.portuguese, "501964843"),
    (national_numbers.austrian, "1237010180"),
    (national_numbers.swiss, "7569217076985"),
    (national_numbers.czech, "7103192745"),
    (national_numbers.romanian, "1630615123457"),
    (national_numbers.bulgarian, "7523169263"),
    (national_numbers.greek, "01013099997"),
    (national_numbers.croatian, "33392005961"),
    (national_numbers.baltic, "36805280109"),
    (national_numbers.brazilian, "39053344705"),
    (national_numbers.turkish, "17291716060"),
    (national_numbers.chinese, "11010519491231002X"),
    (national_numbers.south_african, "7503305044089"),
    (national_numbers.german_health, "A123456780"),
]


@pytest.mark.parametrize(("holds", "number"), HELD)
def test_a_number_holds_and_its_neighbour_does_not(
    holds: Callable[[str], bool], number: str
) -> None:
    assert holds(number)
    other = "1" if number[-2] != "1" else "2"
    assert not holds(number[:-2] + other + number[-1])


@pytest.mark.parametrize("number", ["6433435F", "6433435OA"])
def test_an_irish_number_holds_by_its_letter(number: str) -> None:
    assert national_numbers.irish(number)
    assert not national_numbers.irish(number[:7] + "A" + number[8:])


def test_a_day_may_carry_what_states_add_to_it() -> None:
    assert national_numbers.born("801231")
    assert national_numbers.born("805291")
    assert not national_numbers.born("801300")
    assert national_numbers.danish("3112801234")
    assert not national_numbers.danish("3213801234")
