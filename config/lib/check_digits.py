"""Is this run of signs a real number of its kind? The checksums that card, bank and state use.

Each function takes the number without separators and answers for that kind alone.
"""

from collections.abc import Iterable, Sequence

_VERHOEFF_STEP = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 2, 3, 4, 0, 6, 7, 8, 9, 5),
    (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7),
    (4, 0, 1, 2, 3, 9, 5, 6, 7, 8),
    (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2),
    (7, 6, 5, 9, 8, 2, 1, 0, 4, 3),
    (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)
_VERHOEFF_SHIFT = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
_SPANISH_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
# fmt: off
_ITALIAN_ODD = (
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
)
# fmt: on
_VIN_VALUES = {
    **{str(digit): digit for digit in range(10)},
    **dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", map(int, "12345678123457923456789"), strict=True)),
}
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def luhn(number: str) -> bool:
    """Judge a payment card, an IMEI or another number with a Luhn digit."""
    total = 0
    for place, digit in enumerate(_digits(reversed(number))):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def iban(number: str) -> bool:
    """Judge a bank account number (ISO 13616, modulo 97)."""
    turned = number[4:] + number[:4]
    return int("".join(str(int(sign, 36)) for sign in turned)) % 97 == 1


def verhoeff(number: str) -> bool:
    """Judge an Indian Aadhaar number."""
    state = 0
    for place, digit in enumerate(_digits(reversed(number))):
        for _ in range(place % 8):
            digit = _VERHOEFF_SHIFT[digit]  # noqa: PLW2901 - the digit is permuted again and again
        state = _VERHOEFF_STEP[state][digit]
    return state == 0


def nhs(number: str) -> bool:
    """Judge a British NHS number (modulo 11)."""
    rest = 11 - _weighted(number[:9], range(10, 1, -1)) % 11
    return rest != 10 and rest % 11 == int(number[9])


def spanish(number: str) -> bool:
    """Judge a Spanish DNI or NIE: the letter follows from the digits."""
    digits = number[:-1].replace("X", "0").replace("Y", "1").replace("Z", "2")
    return _SPANISH_LETTERS[int(digits) % 23] == number[-1]


def french(number: str) -> bool:
    """Judge a French NIR of 15 signs, Corsica's letters included (modulo 97)."""
    digits = number.replace("2A", "19").replace("2B", "18")
    return digits.isdigit() and 97 - int(digits[:13]) % 97 == int(digits[13:])


def german_tax(number: str) -> bool:
    """Judge a German tax identification number (ISO 7064, modulo 11, 10)."""
    product = 10
    for digit in _digits(number[:10]):
        total = (digit + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(number[10])


def dutch(number: str) -> bool:
    """Judge a Dutch BSN (the proof by eleven)."""
    return int(number) > 0 and _weighted(number, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def polish(number: str) -> bool:
    """Judge a Polish PESEL."""
    return _weighted(number, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def italian(number: str) -> bool:
    """Judge an Italian codice fiscale: its last letter follows from the others."""
    total = 0
    for place, sign in enumerate(number[:15]):
        value = int(sign) if sign.isdigit() else ord(sign) - ord("A")
        total += value if place % 2 else _ITALIAN_ODD[value]
    return chr(ord("A") + total % 26) == number[15]


def vehicle(number: str) -> bool:
    """Judge a vehicle identification number of 17 signs by its check digit."""
    if any(sign not in _VIN_VALUES for sign in number):
        return False
    pairs = zip(number, _VIN_WEIGHTS, strict=True)
    rest = sum(_VIN_VALUES[sign] * weight for sign, weight in pairs) % 11
    return number[8] == ("X" if rest == 10 else str(rest))


def _digits(signs: Iterable[str]) -> list[int]:
    return [int(sign) for sign in signs]


def _weighted(number: str, weights: Sequence[int]) -> int:
    return sum(int(sign) * weight for sign, weight in zip(number, weights, strict=True))


def finnish(number: str) -> bool:
    """Judge a Finnish personal identity code, its sign of the century included."""
    signs = "0123456789ABCDEFHJKLMNPRSTUVWXY"
    return signs[int(number[:6] + number[7:10]) % len(signs)] == number[10]
