"""Which identifiers can be made by the thousand, of nobody, and what only looks like each?

One `Kind` a class: how one is made, by which kinds of ours it may be named, what is said around it,
and how a near miss is made. Phones are of the ranges that are kept free for fiction; all else is
drawn by a seed and kept nowhere.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

Maker = Callable[[random.Random], str]
DIGITS, NOT_ZERO = "0123456789", "123456789"
LETTERS, CONSONANTS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "BCDFGHJKLMNPRSTVWXYZ"
FILLED = {"#": DIGITS, "%": NOT_ZERO, "?": LETTERS, "!": CONSONANTS, "*": DIGITS + LETTERS}
FILLED |= {"~": "0123456789abcdef", "&": "CFGHJKLMNPRTVWXYZ"}
MONTHS = "January February March April June July August September October November December".split()
MONTHS_DE = "Januar Februar März April Mai Juni Juli August September Oktober Dezember".split()
MONTHS_FR = "janvier février mars avril mai juin juillet août septembre octobre décembre".split()
MONTHS_ES = "enero febrero marzo abril mayo junio julio agosto septiembre octubre".split()
TRIES = 10_000
# States, and how many letters and digits an account number has after the checksum.
ACCOUNTS = (
    *(("DE", 0, 18), ("FR", 0, 23), ("GB", 4, 14), ("IT", 1, 22), ("ES", 0, 20), ("NL", 4, 10)),
    *(("BE", 0, 12), ("AT", 0, 16), ("CH", 0, 17), ("PL", 0, 24), ("PT", 0, 21), ("IE", 4, 14)),
    *(("SE", 0, 20), ("DK", 0, 14), ("NO", 0, 11), ("FI", 0, 14)),
)
GROUPS = (
    "Dear customers|Hello everyone|Liebe Kundin|Chers clients|Hi there|Dear Friends|Hello World|"
    "Welcome Back|Good morning all|Dear Sir or Madam|Hallo zusammen|Estimados clientes"
)
NO_PHONES = (
    "%##,### of you|200%-202%|% of %# in 20##|%#/%#|open 9-%|call before %:00|%##-% win|24/7|"
    "90-60-90|%,###-%,### visits|on page %##"
)
SYLLABLES = "ba be bi do du ka ke ko la le lo ma me mi mo na ne no ra re ro sa se so ta".split()


@dataclass(frozen=True)
class Kind:
    """One class of identifiers; `group` is its number in HIPAA's list, or where it belongs."""

    name: str
    group: str
    make: Maker
    named: str
    label: str
    miss: Maker
    # Whether a near miss may leave; another is refused by a wider rule, and only its name counts.
    free: bool = True


def fill(luck: random.Random, shape: str) -> str:
    """Fill a shape: # digit, % not zero, ? letter, ! consonant, * letter or digit, ~ hexadecimal.

    & is a letter of a German passport.
    """
    return "".join(luck.choice(FILLED[sign]) if sign in FILLED else sign for sign in shape)


def of(*shapes: str) -> Maker:
    return lambda luck: fill(luck, luck.choice(shapes))


def that_holds(holds: Callable[[str], bool], *shapes: str, wanted: bool = True) -> Maker:
    """Draw until the checksum says what is wanted; written as one of the shapes."""

    def make(luck: random.Random) -> str:
        for _ in range(TRIES):
            made = fill(luck, luck.choice(shapes))
            bare = "".join(sign for sign in made if sign.isalnum())
            try:
                right = holds(bare)
            except (ValueError, IndexError):
                right = False
            if right is wanted:
                return made
        raise ValueError(f"nothing of {shapes} is so")

    return make


def word(luck: random.Random, syllables: int = 3) -> str:
    return "".join(luck.choices(SYLLABLES, k=syllables)).capitalize() + luck.choice("lnrst")


def one_of(*makers: Maker) -> Maker:
    return lambda luck: luck.choice(makers)(luck)


def date(luck: random.Random) -> str:
    day, month, year = luck.randint(1, 28), luck.randint(1, 12), luck.randint(1930, 2025)
    return luck.choice(
        [
            f"{day}.{month}.{year}",
            f"{day:02d}/{month:02d}/{year % 100:02d}",
            f"{year}-{month:02d}-{day:02d}",
            f"{day} {luck.choice(MONTHS)} {year}",
            f"{luck.choice(MONTHS)} {day}, {year}",
            f"{day}. {luck.choice(MONTHS_DE)} {year}",
            f"{day} {luck.choice(MONTHS_FR)} {year}",
            f"{day} de {luck.choice(MONTHS_ES)} de {year}",
        ]
    )


def no_date(luck: random.Random) -> str:
    month, year = luck.choice(MONTHS), luck.randint(1990, 2030)
    return luck.choice(
        [
            f"{month} {year}",
            f"{luck.randint(1, 28)} {month}",
            f"{year} to {year + 3}",
            f"{luck.randint(1, 9)}.{luck.randint(1, 9)} per cent of {year}",
            f"{luck.randint(1, 23)}:{luck.randint(10, 59)}",
            f"version {luck.randint(1, 9)}.{luck.randint(0, 9)}",
        ]
    )


def small_number(luck: random.Random) -> str:
    """What a marketer writes: prices, counts, years, times, sizes."""
    return fill(
        luck,
        luck.choice(
            "%# %,### %#,### %,###,### %#.# %.## 20## %#% %#:## %/% %# %### 2026 24/7 %x%".split()
        ),
    )


def name(luck: random.Random) -> str:
    first, last = word(luck, 2), word(luck)
    return luck.choice([f"Dear {first}", f"Mr. {last}", f"Frau {last}", f"Hello {first} {last}"])


def no_name(luck: random.Random) -> str:
    more = luck.choice(["", " and welcome", f", here are {luck.randint(2, 99)} ideas"])
    return luck.choice(GROUPS.split("|")) + more


def address(luck: random.Random) -> str:
    number, road = luck.randint(1, 300), word(luck)
    return luck.choice(
        [
            f"{number} {road} {luck.choice(['Street', 'Road', 'Avenue', 'Lane', 'Drive'])}",
            f"{road}{luck.choice(['straße', 'strasse', 'weg', 'platz', 'allee'])} {number}",
            f"{number} rue {road}",
            f"calle {road} {number}",
            f"{road}{luck.choice(['straat', 'laan'])} {number}",
        ]
    )


def no_address(luck: random.Random) -> str:
    number = luck.randint(2, 99)
    return luck.choice(
        [
            f"{number} new ways",
            f"hall {number}",
            f"{number} roads to success",
            f"platform {number}",
            f"the way {number} of us go",
            f"a street with {number} trees",
            f"gate {number}",
        ]
    )


def mail(luck: random.Random) -> str:
    local = word(luck).lower()
    domain = luck.choice(["example.org", "example.com", "mail.example.net", "sub.example.co.uk"])
    return luck.choice(
        [f"{local}@{domain}", f"{local}.{word(luck).lower()}@{domain}", f"{local}+a1@{domain}"]
    )


def phone(luck: random.Random) -> str:
    """Numbers kept free for fiction in the States, Britain, Germany, France, Australia."""
    return fill(
        luck,
        luck.choice(
            [
                "+1 212 555 01##",
                "(415) 555-01##",
                "312-555-01##",
                "+44 7700 900###",
                "020 7946 0###",
                "+49 30 23125 ###",
                "+33 1 99 00 ## ##",
                "+61 491 570 1##",
            ]
        ),
    )


def no_phone(luck: random.Random) -> str:
    return fill(luck, luck.choice(NO_PHONES.split("|")))


def iban(luck: random.Random) -> str:
    """An account of one of sixteen states, with its real length and a right checksum."""
    country, letters, digits = luck.choice(ACCOUNTS)
    body = fill(luck, "?" * letters + "#" * digits)
    turned = "".join(str(int(sign, 36)) for sign in f"{body}{country}00")
    whole = f"{country}{98 - int(turned) % 97:02d}{body}"
    spaced = " ".join(whole[at : at + 4] for at in range(0, len(whole), 4))
    return luck.choice([whole, spaced, whole.lower()])


def ip_6(luck: random.Random) -> str:
    groups = ":".join(fill(luck, "~~~~") for _ in range(6))
    return luck.choice([f"2001:db8:{groups}", f"fe80::{groups}"])


def born(luck: random.Random, form: str) -> str:
    """Write a day of birth: `%y%m%d` and the like, in this century's people."""
    made = form
    for sign, value in (
        ("y", luck.randint(40, 99)),
        ("m", luck.randint(1, 12)),
        ("d", luck.randint(1, 28)),
    ):
        made = made.replace(f"%{sign}", f"{value:02d}")
    return made


def dated(holds: Callable[[str], bool], form: str, *, wanted: bool = True) -> Maker:
    """Draw numbers that hold a day of birth until the checksum says what is wanted."""
    return lambda luck: that_holds(holds, born(luck, form), wanted=wanted)(luck)


def national(
    name: str,
    label: str,
    holds: Callable[[str], bool],
    *shapes: str,
    dated_shape: str = "",
    miss: Maker | None = None,
) -> Kind:
    """A number with a checksum; a near miss has all of it but the checksum."""
    if dated_shape:
        make, wrong = dated(holds, dated_shape), dated(holds, dated_shape, wanted=False)
    else:
        make, wrong = that_holds(holds, *shapes), that_holds(holds, *shapes, wanted=False)
    return Kind(name, "identity", make, "national_id", label, miss or wrong, free=False)
