"""How long is a text message, and what does it cost? In the segments that a network counts."""

from dataclasses import dataclass
from decimal import Decimal

# 3GPP TS 23.038: one letter outside of it makes the whole message UCS-2.
GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM7_TWICE = frozenset("^{}\\[~]|€\f")
GSM7_ONE, GSM7_MANY = 160, 153
UCS2_ONE, UCS2_MANY = 70, 67


@dataclass(frozen=True)
class Length:
    """What a network counts of one text: its alphabet, units, and segments to pay for."""

    alphabet: str
    units: int
    segments: int

    def cost(self, *, price_per_segment: Decimal) -> Decimal:
        """Return the price of one message."""
        return price_per_segment * self.segments


def of_sms(*, text: str) -> Length:
    """Count the segments of a text message.

    Law: 3GPP TS 23.040 9.2.3.24: a header of six octets in each part of several.
    """
    if all(char in GSM7 or char in GSM7_TWICE for char in text):
        widths = [2 if char in GSM7_TWICE else 1 for char in text]
        return Length("GSM-7", sum(widths), _segments(widths, GSM7_ONE, GSM7_MANY))
    widths = [2 if ord(char) > 0xFFFF else 1 for char in text]
    return Length("UCS-2", sum(widths), _segments(widths, UCS2_ONE, UCS2_MANY))


def _segments(widths: list[int], one: int, many: int) -> int:
    if sum(widths) <= one:
        return 1
    count, used = 1, 0
    for width in widths:
        # A letter of two units is not cut in half: it begins the next part.
        if used + width > many:
            count, used = count + 1, 0
        used += width
    return count
