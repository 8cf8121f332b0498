"""Do equal facts have equal bytes, on every machine?"""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from config.lib import canonical


def test_the_bytes_are_the_known_ones() -> None:
    value = {"b": [1, True, None, "é"], "a": {"z": "x y", "ä": -3}}
    assert canonical.encode(value) == '{"a":{"z":"x y","ä":-3},"b":[1,true,null,"é"]}'.encode()


def test_the_digest_is_sha_256_of_the_bytes() -> None:
    known = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert canonical.digest({}) == known


def test_order_of_members_does_not_matter_and_order_of_a_list_does() -> None:
    assert canonical.digest({"a": 1, "b": 2}) == canonical.digest({"b": 2, "a": 1})
    assert canonical.digest([1, 2]) != canonical.digest([2, 1])


@pytest.mark.parametrize("value", [1.5, {"a": 1.0}, [[0.1]], ({"a": [2.0]},)])
def test_a_float_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        canonical.encode(value)


@pytest.mark.parametrize("value", [b"bytes", {1, 2}, object()])
def test_what_json_has_no_word_for_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        canonical.encode(value)


def test_an_instant_is_utc_to_the_microsecond() -> None:
    at = datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC)
    assert canonical.instant(at) == "2026-03-01T12:00:00.000005Z"


def test_one_instant_in_two_zones_is_one_text() -> None:
    east = timezone(timedelta(hours=5, minutes=30))
    at = datetime(2026, 3, 1, 17, 30, tzinfo=east)
    assert canonical.instant(at) == "2026-03-01T12:00:00.000000Z"
