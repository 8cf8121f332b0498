import tomllib
from collections import defaultdict
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from phonenumbers.geodata import GEOCODE_DATA
from phonenumbers.tzdata import TIMEZONE_DATA

from consent import areas

STATES = (
    "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ "
    "NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY"
).split()
PROVINCES = "AB BC MB NB NL NS NT NU ON PE QC SK YT".split()
# How the geodata spells what is more than a town and its state.
SPELT = {
    "Washington D.C.": ("US-DC",),
    "Nova Scotia/Prince Edward Island": ("CA-NS", "CA-PE"),
    "Northwest Territories/Nunavut/Yukon": ("CA-NT", "CA-NU", "CA-YT"),
}
SEASONS = (datetime(2027, 1, 15, tzinfo=UTC), datetime(2027, 7, 15, tzinfo=UTC))


def phone(code: str) -> str:
    return f"+1{code}5550123"


def table() -> dict[str, dict[str, str]]:
    read: dict[str, dict[str, dict[str, str]]] = tomllib.loads(areas.FILE.read_text("utf-8"))
    return read["states"]


CODES = sorted({code for row in table().values() for code in row["codes"].split()})


def library() -> dict[str, set[str]]:
    """Each area code with the states that the library's towns lie in."""
    found: dict[str, set[str]] = defaultdict(set)
    for prefix, names in GEOCODE_DATA.items():
        if not prefix.startswith("1") or len(prefix) < 4:
            continue
        name = names.get("en", "")
        state = name.rpartition(", ")[2]
        country = "US-" if state in STATES else "CA-"
        if name in SPELT:
            found[prefix[1:4]].update(SPELT[name])
        elif state in STATES or state in PROVINCES:
            found[prefix[1:4]].add(country + state)
    return found


def offsets(zone: str) -> tuple[object, ...]:
    return tuple(at.astimezone(ZoneInfo(zone)).utcoffset() for at in SEASONS)


def test_every_state_and_province_has_its_codes() -> None:
    expected = {f"US-{state}" for state in STATES} | {f"CA-{province}" for province in PROVINCES}
    assert set(table()) == set(areas.regions()) == expected
    assert len(CODES) > 400


def test_every_state_that_the_library_names_for_a_code_is_there() -> None:
    known = library()
    assert len(known) > 290
    missing = {
        code: regions - set(areas.regions_of(phone(code)))
        for code, regions in known.items()
        if not regions <= set(areas.regions_of(phone(code)))
    }
    assert not missing


def test_every_code_of_the_two_countries_that_lies_somewhere_is_there() -> None:
    codes = {prefix[1:4] for prefix in GEOCODE_DATA if prefix.startswith("1")}
    here = {
        code
        for code in codes
        if phonenumbers.region_code_for_number(phonenumbers.parse(f"+1{code}2345678"))
        in {"US", "CA"}
    }
    assert here == set(CODES)


def test_no_zone_that_the_library_has_for_any_exchange_is_forgotten() -> None:
    ours = {code: {offsets(zone) for zone in areas.zones_of(phone(code))} for code in CODES}
    forgotten = {
        prefix: zones
        for prefix, zones in TIMEZONE_DATA.items()
        if prefix.startswith("1") and prefix[1:4] in ours
        if not {offsets(zone) for zone in zones} <= ours[prefix[1:4]]
    }
    assert not forgotten


def test_each_zone_is_one() -> None:
    for code in CODES:
        assert areas.zones_of(phone(code))
        assert all(ZoneInfo(zone) for zone in areas.zones_of(phone(code)))


@pytest.mark.parametrize(
    ("number", "regions", "zones"),
    [
        ("+12125550123", ("US-NY",), 1),
        ("+18505550123", ("US-FL",), 2),  # Tallahassee and Pensacola
        ("+12195550123", ("US-IN",), 2),  # Gary keeps the clock of Chicago
        ("+19025550123", ("CA-NS", "CA-PE"), 1),
        ("+18675550123", ("CA-NT", "CA-NU", "CA-YT"), 6),
        ("+18195550123", ("CA-QC",), 1),
    ],
)
def test_a_code_may_lie_in_several_states_and_zones(
    number: str, regions: tuple[str, ...], zones: int
) -> None:
    assert areas.regions_of(number) == regions
    assert len(areas.zones_of(number)) == zones


@pytest.mark.parametrize(
    "number",
    ["+18005550123", "+15005550123", "+17875550123", "+18765550123", "+33612345678", "+1212", ""],
    ids=["toll-free", "personal", "Puerto Rico", "Jamaica", "France", "a part", "none"],
)
def test_what_lies_in_no_state_is_unknown(number: str) -> None:
    assert areas.regions_of(number) == ()
    assert areas.zones_of(number) == ()


def test_a_state_has_all_its_zones_the_main_one_first() -> None:
    assert areas.zones_in("US-FL") == ("America/New_York", "America/Chicago")
    assert areas.zones_in("US-TX") == ("America/Chicago", "America/Denver")
    assert areas.zones_in("US-ZZ") == ()
