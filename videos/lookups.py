"""How are a link, and the parts of its video, read with all that decides? By prepared statements.

Asked for every range of every viewer. The ORM writes each statement, once a process; what comes
back are its own rows, with the columns that nobody asked for deferred, so that the rule that judges
them (`links.is_live`) is the one that judges all others. Built for each request, the same query
costs some thirty times as much (`make bench-tokens`).
"""

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple, cast

import psycopg
from django.db import connection, models
from django.db.backends.utils import CursorWrapper
from django.db.models.sql.compiler import SQLCompiler

from accounts.models import DataKey
from consent.models import Contact
from videos.models import Asset, Extent, Link, SealedObject

Converters = dict[int, tuple[list[Callable[..., Any]], Any]]
Values = Sequence[Any]
Row = tuple[str, type[models.Model], tuple[str, ...]]


def _rows(*words: tuple[str, type[models.Model], str]) -> tuple[Row, ...]:
    """Say where each row stands, seen from the first, and which of its columns are read."""
    # A row is built from its values in the order of the model's own columns.
    return tuple(
        (
            path,
            model,
            tuple(
                one.attname
                for one in model._meta.concrete_fields
                if one.attname in set(names.split())
            ),
        )
        for path, model, names in words
    )


KEY = "id scope owner_id parent_id root_key_id wrapped delete_at destroyed_at"
LINK = _rows(
    (
        "",
        Link,
        "id created_at not_before expires_at revoked_at plays plays_allowed contact_id asset_id",
    ),
    ("contact__", Contact, "id erased_at stopped_at"),
    (
        "asset__",
        Asset,
        "id contact_id campaign_id render_id key_id state size_bytes content_sha256 labelled_ai"
        " delete_at",
    ),
    ("asset__key__", DataKey, KEY),
    ("asset__key__parent__", DataKey, KEY),
)
EXTENT = _rows(
    ("", Extent, "id asset_id number size_bytes sealed_object_id"),
    ("sealed_object__", SealedObject, "id name key_id state size_bytes"),
    ("sealed_object__key__", DataKey, KEY),
    ("sealed_object__key__parent__", DataKey, KEY),
)


class Statement(NamedTuple):
    """One query of one engine, and how its columns become values."""

    sql: str
    converters: Converters


def by_token(*, token_index: str) -> Link | None:
    """Return the link of a token's hash, alive or dead."""
    return _one("token_index", token_index)


def by_id(*, link_id: uuid.UUID) -> Link | None:
    """Return a link, alive or dead."""
    return _one("id", link_id)


def extents(*, asset_id: uuid.UUID) -> list[Extent]:
    """Return the parts of a video in their order, with the keys that open them."""
    built = [_built(values, EXTENT)[""] for values in _read(EXTENT, "asset_id", asset_id)]
    return cast("list[Extent]", built)


def _one(field: str, value: object) -> Link | None:
    for values in _read(LINK, field, value):
        built = _built(values, LINK)
        _join(cast(Asset, built["asset__"]), "contact", built["contact__"])
        return cast(Link, built[""])
    return None


def _read(rows: tuple[Row, ...], field: str, value: object) -> list[Values]:
    statement = _statement(rows, field, connection.vendor)
    model = rows[0][1]
    column = cast("models.Field[object, object]", model._meta.get_field(field))
    wanted = column.get_db_prep_value(value, connection)
    with _cursor() as cursor:
        cursor.execute(statement.sql, [wanted])
        found = cursor.fetchall()
    return [_converted(values, statement.converters) for values in found]


@lru_cache(maxsize=8)
def _statement(rows: tuple[Row, ...], field: str, _vendor: str) -> Statement:
    model = rows[0][1]
    marker = "marker" if field == "token_index" else uuid.UUID(int=0)
    columns = [f"{path}{name}" for path, _, names in rows for name in names]
    query = model._default_manager.filter(**{field: marker}).values_list(*columns).query
    compiler: SQLCompiler = query.get_compiler(connection=connection)
    sql, _ = compiler.as_sql()
    return Statement(sql, compiler.get_converters([one for one, *_ in compiler.select]))


@contextmanager
def _cursor() -> Iterator[CursorWrapper]:
    if connection.vendor != "postgresql":
        with connection.cursor() as cursor:
            yield cursor
        return
    connection.ensure_connection()
    # Django's own cursor writes values into the text, and then nothing can be prepared: planning
    # the joins again for every range costs more than reading the rows.
    server_side = psycopg.Cursor(connection.connection)
    server_side.format = psycopg.pq.Format.BINARY
    wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    with wrap(cast(CursorWrapper, server_side)) as cursor:
        yield cursor


def _converted(row: Values, converters: Converters) -> Values:
    values = list(row)
    for place, (steps, expression) in converters.items():
        for step in steps:
            values[place] = step(values[place], expression, connection)
    return values


def _built(values: Values, rows: tuple[Row, ...]) -> dict[str, models.Model | None]:
    built: dict[str, models.Model | None] = {}
    start = 0
    for path, model, names in rows:
        part = values[start : start + len(names)]
        start += len(names)
        # A video without a key, or a key without a parent, has no such row.
        built[path] = model.from_db(connection.alias, names, part) if part[0] else None
        if path:
            above, _, name = path.removesuffix("__").rpartition("__")
            _join(built[f"{above}__" if above else ""], name, built[path])
    return built


def _join(row: models.Model | None, name: str, other: models.Model | None) -> None:
    if row is not None:
        row._state.fields_cache[name] = other
