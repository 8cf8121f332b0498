"""How is a row named to the outside? By a prefix and its random id, never by a number."""

import uuid


class NotAnId(ValueError):
    """The text is no id of the kind asked for."""


def public(prefix: str, value: uuid.UUID) -> str:
    """Return the public name of a row, such as `con_3f2a...`."""
    return f"{prefix}_{value.hex}"


def parse(prefix: str, text: str) -> uuid.UUID:
    """Return the row id that a public name holds.

    :raises NotAnId: the prefix is another's or the rest is no id.
    """
    head, _, tail = text.partition("_")
    if head != prefix or len(tail) != 32:
        raise NotAnId(prefix)
    try:
        return uuid.UUID(hex=tail)
    except ValueError:
        raise NotAnId(prefix) from None
