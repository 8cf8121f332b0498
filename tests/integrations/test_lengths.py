"""Are segments counted as a network counts them?"""

from decimal import Decimal

import pytest

from integrations import lengths


@pytest.mark.parametrize(
    ("text", "alphabet", "units", "segments"),
    [
        ("", "GSM-7", 0, 1),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("€" * 80, "GSM-7", 160, 1),
        # 153 is odd: a letter of two units is not cut in half.
        ("€" * 153, "GSM-7", 306, 3),
        ("ж" * 70, "UCS-2", 70, 1),
        ("ж" * 71, "UCS-2", 71, 2),
        ("\U0001f600" * 35, "UCS-2", 70, 1),
        ("\U0001f600" * 67, "UCS-2", 134, 3),
        ("a" * 159 + "’", "UCS-2", 160, 3),
    ],
)
def test_segments(text: str, alphabet: str, units: int, segments: int) -> None:
    assert lengths.of_sms(text=text) == lengths.Length(alphabet, units, segments)


def test_each_segment_is_paid_for() -> None:
    long = lengths.of_sms(text="a" * 161)
    assert long.cost(price_per_segment=Decimal("0.0079")) == Decimal("0.0158")
