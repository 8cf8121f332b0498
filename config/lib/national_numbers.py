"""Is this a real identity or tax number of its state? By the checksum that the state uses.

Each function takes the number without separators, of the length that its pattern found.
"""

from collections.abc import Sequence

from config.lib import check_digits

_IRISH = "WABCDEFGHIJKLMNOPQRSTUV"
_CHINESE = "10X98765432"
_LOW, _HIGH = (1, 2, 3, 4, 5, 6, 7, 8, 9, 1), (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)


def swedish(number: str) -> bool:
    """Judge a Swedish personnummer of 10 or 12 digits."""
    return check_digits.luhn(number[-10:]) and born(number[-6 - 4 : -4])


def norwegian(number: str) -> bool:
    """Judge a Norwegian fødselsnummer: two check digits (modulo 11)."""
    return (
        _weighted(number, (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)) % 11 == 0
        and _weighted(number, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0
    )


def danish(number: str) -> bool:
    """Judge a Danish CPR number by its day; since 2007 some have no checksum."""
    return born(number[4:6] + number[2:4] + number[:2])


def belgian(number: str) -> bool:
    """Judge a Belgian rijksregisternummer (modulo 97), of either century."""
    body, check = number[:9], int(number[9:])
    return check in {97 - int(body) % 97, 97 - int(f"2{body}") % 97}


def portuguese(number: str) -> bool:
    """Judge a Portuguese NIF (modulo 11)."""
    rest = 11 - _weighted(number, range(9, 1, -1)) % 11
    return int(number[8]) == (0 if rest > 9 else rest)


def austrian(number: str) -> bool:
    """Judge an Austrian social insurance number (modulo 11)."""
    total = _weighted(number[:3] + number[4:], (3, 7, 9, 5, 8, 4, 2, 1, 6))
    return total % 11 == int(number[3])


def swiss(number: str) -> bool:
    """Judge a Swiss AHV number (as an EAN of 13 digits)."""
    return _weighted(number, (1, 3) * 6 + (1,)) % 10 == 0


def czech(number: str) -> bool:
    """Judge a Czech or Slovak rodné číslo of ten digits (modulo 11; ten is written as nought)."""
    rest = int(number[:9]) % 11 % 10
    return int(number[9]) == rest and int(number[2:4]) % 50 % 20 in range(1, 13)


def romanian(number: str) -> bool:
    """Judge a Romanian CNP (modulo 11)."""
    rest = _weighted(number, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    return int(number[12]) == (1 if rest == 10 else rest)


def bulgarian(number: str) -> bool:
    """Judge a Bulgarian EGN (modulo 11)."""
    rest = _weighted(number, (2, 4, 8, 5, 10, 9, 7, 3, 6)) % 11
    return int(number[9]) == rest % 10 and int(number[2:4]) % 20 in range(1, 13)


def greek(number: str) -> bool:
    """Judge a Greek AMKA: a day of birth and a Luhn digit."""
    return check_digits.luhn(number) and danish(number)


def croatian(number: str) -> bool:
    """Judge a Croatian OIB (ISO 7064, modulo 11, 10)."""
    return check_digits.german_tax(number)


def irish(number: str) -> bool:
    """Judge an Irish PPS number: the letter after the digits follows from them (modulo 23)."""
    second = ord(number[8]) - ord("A") + 1 if number[8:] not in {"", "W"} else 0
    total = _weighted(number[:7], range(8, 1, -1)) + 9 * second
    return _IRISH[total % 23] == number[7]


def baltic(number: str) -> bool:
    """Judge an Estonian or Lithuanian personal code (modulo 11, in two rounds)."""
    rest = _weighted(number, _LOW) % 11
    if rest == 10:
        rest = _weighted(number, _HIGH) % 11 % 10
    return int(number[10]) == rest and int(number[3:5]) in range(1, 13)


def hungarian(number: str) -> bool:
    """Judge a Hungarian TAJ number of nine digits (modulo 10)."""
    return _weighted(number, (3, 7) * 4) % 10 == int(number[8])


def brazilian(number: str) -> bool:
    """Judge a Brazilian CPF: two check digits (modulo 11)."""
    first = _weighted(number, range(10, 1, -1)) * 10 % 11 % 10
    second = _weighted(number, range(11, 1, -1)) * 10 % 11 % 10
    return number[9:] == f"{first}{second}" and len(set(number)) > 1


def turkish(number: str) -> bool:
    """Judge a Turkish T.C. kimlik number: two check digits."""
    digits = [int(sign) for sign in number]
    tenth = (sum(digits[0:9:2]) * 7 - sum(digits[1:8:2])) % 10
    return digits[9] == tenth and digits[10] == sum(digits[:10]) % 10


def korean(number: str) -> bool:
    """Judge a South Korean resident registration number; since 2020 its last digit is free."""
    return born(number[:6])


def chinese(number: str) -> bool:
    """Judge a Chinese resident identity number of 18 signs (ISO 7064, modulo 11, 2)."""
    total = _weighted(number, (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2))
    return _CHINESE[total % 11] == number[17]


def south_african(number: str) -> bool:
    """Judge a South African identity number: a day of birth and a Luhn digit."""
    return check_digits.luhn(number) and born(number[:6])


def german_health(number: str) -> bool:
    """Judge the number on a German health card: a letter, eight digits, a Luhn-like digit."""
    digits = f"{ord(number[0]) - ord('A') + 1:02d}{number[1:9]}"
    total = sum(
        sum(map(int, str(int(sign) * (1 + place % 2)))) for place, sign in enumerate(digits)
    )
    return total % 10 == int(number[9])


def born(digits: str) -> bool:
    """Say whether six digits may be a day: year, month, day; some states add 20, 40 or 60."""
    month, day = int(digits[2:4]) % 20, int(digits[4:6])
    return 1 <= month <= 12 and 1 <= (day - 60 if day > 60 else day) <= 31


def _weighted(number: str, weights: Sequence[int]) -> int:
    return sum(int(sign) * weight for sign, weight in zip(number, weights, strict=False))
