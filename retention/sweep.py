"""Does a personal value or a token stand anywhere in the clear? Every table and file is read.

"Erased" and "sealed" are tests here, not statuses: the bytes themselves are searched.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import ahocorasick
from django.conf import settings
from django.db import connection

BLOCK_BYTES = 4 << 20
# What holds secrets by design and is never part of the data: read by its owner only (0600).
NOT_DATA = {"keyring.json", "secret_key", "demo.json"}


@dataclass(frozen=True)
class Found:
    """Where a value stood: a table and column or a file; `value_number` counts from 0."""

    place: str
    value_number: int


@dataclass(frozen=True)
class Swept:
    """What was read and what was found."""

    cells: int
    files: int
    size_bytes: int
    found: tuple[Found, ...]


def sweep(*, values: Iterable[str], home: Path | None = None) -> Swept:
    """Search every cell of the database and every file of the home folder for these values.

    Values shorter than four characters are passed over: they would be found in any ciphertext.
    """
    wanted = {value: number for number, value in enumerate(values) if len(value) >= 4}
    needles = _automaton(wanted)
    found: dict[Found, None] = {}
    cells = 0
    for place, data in _cells():
        cells += 1
        for number in _hits(needles, data):
            found[Found(place, number)] = None
    files = size = 0
    for path in _files(home or settings.HOME):
        files += 1
        size += path.stat().st_size
        for number in _hits_in_file(needles, path, max(map(len, wanted), default=1) * 4):
            found[Found(path.name, number)] = None
    return Swept(cells, files, size, tuple(found))


def _automaton(wanted: dict[str, int]) -> ahocorasick.Automaton:
    # Bytes are searched as Latin-1 text, one character a byte: values as UTF-8, any case of ASCII.
    needles = ahocorasick.Automaton()
    for value, number in wanted.items():
        needles.add_word(_bytes_as_text(value.encode()), number)
    if wanted:
        needles.make_automaton()
    return needles


def _bytes_as_text(data: bytes) -> str:
    return data.decode("latin-1").lower()


def _hits(needles: ahocorasick.Automaton, data: bytes) -> set[int]:
    if not len(needles):
        return set()
    return {number for _, number in needles.iter(_bytes_as_text(data))}


def _hits_in_file(needles: ahocorasick.Automaton, path: Path, overlap: int) -> set[int]:
    hits: set[int] = set()
    with path.open("rb") as file:
        kept = b""
        while block := file.read(BLOCK_BYTES):
            hits |= _hits(needles, kept + block)
            kept = block[-overlap:]
    return hits


def _cells() -> Iterator[tuple[str, bytes]]:
    with connection.cursor() as cursor:
        tables = sorted(connection.introspection.table_names(cursor))
    for table in tables:
        # Names come from the database's own catalogue and are quoted by Django.
        query = f"SELECT * FROM {connection.ops.quote_name(table)}"  # noqa: S608
        with connection.chunked_cursor() as cursor:
            cursor.execute(query)
            for row in cursor:
                for column, value in zip(cursor.description or (), row, strict=False):
                    if value is not None and not isinstance(value, bool | int | float):
                        yield f"{table}.{column[0]}", _as_bytes(value)


def _as_bytes(value: object) -> bytes:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    return str(value).encode()


def _files(home: Path) -> Iterator[Path]:
    # The database's own file is among them: pages that were freed are read too.
    for path in sorted(home.rglob("*")):
        if path.is_file() and path.name not in NOT_DATA and "static" not in path.parts:
            yield path
