from collections.abc import Callable

import pytest

from config.lib import check_digits

# One real number of each kind, from the documents of those who issue them.
NUMBERS = [
    (check_digits.luhn, "4111111111111111"),
    (check_digits.iban, "DE89370400440532013000"),
    (check_digits.iban, "GB82WEST12345698765432"),
    (check_digits.verhoeff, "234123412346"),
    (check_digits.nhs, "9434765919"),
    (check_digits.spanish, "12345678Z"),
    (check_digits.spanish, "X1234567L"),
    (check_digits.french, "269054958815780"),
    (check_digits.german_tax, "86095742719"),
    (check_digits.dutch, "111222333"),
    (check_digits.polish, "44051401359"),
    (check_digits.italian, "RSSMRA85T10A562S"),
    (check_digits.finnish, "131052-308T"),
    (check_digits.vehicle, "1HGCM82633A004352"),
]


@pytest.mark.parametrize(("holds", "number"), NUMBERS)
def test_a_real_number_holds(holds: Callable[[str], bool], number: str) -> None:
    assert holds(number)


@pytest.mark.parametrize(("holds", "number"), NUMBERS)
def test_a_number_with_one_other_sign_does_not(holds: Callable[[str], bool], number: str) -> None:
    last = number[-1]
    others = "0123456789" if last.isdigit() else "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    wrong = [number[:-1] + sign for sign in others if sign != last]
    assert not any(holds(each) for each in wrong)


@pytest.mark.parametrize("letter", ["I", "O", "Q"])
def test_letters_that_no_vehicle_has_are_refused(letter: str) -> None:
    assert not check_digits.vehicle(letter + "HGCM82633A004352")
