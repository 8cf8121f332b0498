"""In which states may a North American phone number lie, and whose clocks may its owner keep?

Both come of the area code. A number says where it was given out, not where its owner is: every
possible place counts, and where the person's own place is known it counts as well.
"""

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

FILE = Path(__file__).parent / "areas.toml"
NORTH_AMERICA = "+1"
E164_LENGTH = 12
Table = Mapping[str, tuple[str, ...]]


def regions_of(phone: str) -> tuple[str, ...]:
    """Return the states or provinces (ISO 3166-2, as `US-FL`) a number in E.164 may lie in.

    Empty: not known, or its country has none; a toll-free number lies nowhere.
    Law: Fla. Stat. 501.059(8)(d) and its kin presume the area code's state.
    """
    return _by_code()[0].get(_code(phone), ())


def zones_of(phone: str) -> tuple[str, ...]:
    """Return the time zones people with this area code may live in; empty is not known."""
    return _by_code()[1].get(_code(phone), ())


def zones_in(region: str) -> tuple[str, ...]:
    """Return the time zones of a state or province, its main one first; empty is not known."""
    return _by_region().get(region, ())


def regions() -> tuple[str, ...]:
    """Return every state and province there is."""
    return tuple(_by_region())


def _code(phone: str) -> str:
    if len(phone) != E164_LENGTH or not phone.startswith(NORTH_AMERICA):
        return ""
    return phone[2:5]


@lru_cache(maxsize=1)
def _by_code() -> tuple[Table, Table]:
    data = tomllib.loads(FILE.read_text(encoding="utf-8"))
    regions: dict[str, list[str]] = defaultdict(list)
    zones: dict[str, list[str]] = defaultdict(list)
    for region, row in data["states"].items():
        for code in row["codes"].split():
            regions[code].append(region)
            zones[code].append(row["zone"])
    split = {code: text.split() for code, text in data["zones"].items()}
    return _frozen(regions), _frozen({**zones, **split})


@lru_cache(maxsize=1)
def _by_region() -> Table:
    data = tomllib.loads(FILE.read_text(encoding="utf-8"))
    zones = _by_code()[1]
    return _frozen(
        {
            region: [row["zone"], *(zone for code in row["codes"].split() for zone in zones[code])]
            for region, row in data["states"].items()
        }
    )


def _frozen(table: Mapping[str, Iterable[str]]) -> Table:
    return {key: tuple(dict.fromkeys(values)) for key, values in table.items()}
