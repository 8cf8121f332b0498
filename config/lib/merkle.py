"""Is this entry one of those that were signed? Merkle trees as in RFC 6962."""

import hashlib
from collections.abc import Sequence


def _leaf(value: str) -> bytes:
    # The prefixes keep a leaf from being passed off as a node (RFC 6962, section 2.1).
    return hashlib.sha256(b"\x00" + bytes.fromhex(value)).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _split(count: int) -> int:
    return 1 << ((count - 1).bit_length() - 1)


def _root(leaves: Sequence[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    middle = _split(len(leaves))
    return _node(_root(leaves[:middle]), _root(leaves[middle:]))


def root(hashes: Sequence[str]) -> str:
    """Return the root over hex hashes, which must not be empty."""
    return _root([_leaf(value) for value in hashes]).hex()


def path(hashes: Sequence[str], index: int) -> list[str]:
    """Return the audit path of the entry at `index`, nearest first."""

    def walk(leaves: Sequence[bytes], place: int) -> list[bytes]:
        if len(leaves) == 1:
            return []
        middle = _split(len(leaves))
        if place < middle:
            return [*walk(leaves[:middle], place), _root(leaves[middle:])]
        return [*walk(leaves[middle:], place - middle), _root(leaves[:middle])]

    return [value.hex() for value in walk([_leaf(value) for value in hashes], index)]


def holds(*, value: str, index: int, count: int, path: Sequence[str], root: str) -> bool:
    """Say whether the path leads from an entry to the root."""

    def climb(place: int, size: int, rest: Sequence[str]) -> bytes | None:
        if size == 1:
            return _leaf(value) if not rest else None
        if not rest:
            return None
        middle, sibling = _split(size), bytes.fromhex(rest[-1])
        left = place < middle
        place, size = (place, middle) if left else (place - middle, size - middle)
        below = climb(place, size, rest[:-1])
        if below is None:
            return None
        return _node(below, sibling) if left else _node(sibling, below)

    reached = climb(index, count, path) if 0 <= index < count else None
    return reached is not None and reached.hex() == root
