"""How are a link, and the parts of its video, read with all that decides? By prepared statements.

A wrong token takes the same way as a dead one: some other row is read in its place and thrown
away, since the time that an answer takes would tell which of the two it was.

Asked for every range of every viewer. The ORM writes each statement, once a process; what comes
back are its own rows, with the columns that nobody asked for deferred, so that the rule that judges
them (`links.is_live`) is the one that judges all others. Built for each request, the same query
costs some thirty times as much (`make bench-tokens`).
"""

import hmac
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple, cast

from django.db import connection, models
from django.db.backends.utils import CursorWrapper
from django.db.models.expressions import RawSQL
from django.db.models.sql.compiler import SQLCompiler

from accounts.models import DataKey
from config.lib import prepared
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
                one.attname for one in model._meta.concrete_fields if one.attname in names.split()
            ),
        )
        for path, model, names in words
    )


KEY = "id scope owner_id parent_id root_key_id wrapped delete_at destroyed_at"
LINK = _rows(
    (
        "",
        Link,
        "id token_index created_at not_before expires_at revoked_at plays plays_allowed contact_id"
        " asset_id",
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
PARTS = _rows(
    ("asset__extents__", Extent, "id asset_id number size_bytes sealed_object_id"),
    ("asset__extents__sealed_object__", SealedObject, "id name key_id state size_bytes"),
    ("asset__extents__sealed_object__key__", DataKey, KEY),
    ("asset__extents__sealed_object__key__parent__", DataKey, KEY),
)

# The link of a token, or else the first there is; the order makes both be looked for each time.
SOME_LINK = """SELECT id FROM (
    SELECT id, 0 AS place FROM videos_link WHERE token_index = %s
    UNION ALL SELECT id, 1 AS place FROM (SELECT id FROM videos_link ORDER BY id LIMIT 1) other
) either ORDER BY place LIMIT 1"""
BY_TOKEN, BY_ID = "token_index", "id"


class Playable(NamedTuple):
    """A link and the parts of its video in order. Rows that threads share: only to be read."""

    link: Link
    parts: tuple[Extent, ...]


class Statement(NamedTuple):
    """One query of one engine, and how its columns become values."""

    sql: str
    converters: Converters


def by_token(*, token_index: str) -> Link | None:
    """Return the link of a token's hash, alive or dead."""
    link = _one(BY_TOKEN, token_index)
    if link is None or not hmac.compare_digest(link.token_index.encode(), token_index.encode()):
        return None
    return link


def by_id(*, link_id: uuid.UUID) -> Link | None:
    """Return a link, alive or dead."""
    return _one(BY_ID, link_id)


def playable(*, link_id: uuid.UUID) -> Playable | None:
    """Return a link, alive or dead, with its video's parts; one query, asked for each range."""
    found = _read(LINK + PARTS, BY_ID, link_id)
    return _assembled(tuple(found), connection.vendor) if found else None


@lru_cache(maxsize=512)
def _assembled(found: tuple[Values, ...], vendor: str) -> Playable:
    # The database is asked each time. What it says again, value for value, makes the same rows
    # again, and making them costs more than asking.
    converters = _statement(LINK + PARTS, BY_ID, vendor).converters
    rows = [_converted(values, converters) for values in found]
    own = sum(len(names) for *_, names in LINK)
    parts = [_built(values[own:], PARTS)["asset__extents__"] for values in rows]
    return Playable(_link(rows[0]), tuple(cast(Extent, one) for one in parts if one))


def _one(field: str, value: object) -> Link | None:
    found = _read(LINK, field, value)
    converters = _statement(LINK, field, connection.vendor).converters
    return _link(_converted(found[0], converters)) if found else None


def _link(values: Values) -> Link:
    built = _built(values, LINK)
    _join(built["asset__"], "contact", built["contact__"])
    return cast(Link, built[""])


def _read(rows: tuple[Row, ...], field: str, value: object) -> list[Values]:
    statement = _statement(rows, field, connection.vendor)
    column = cast("models.Field[object, object]", Link._meta.get_field(field))
    wanted = column.get_db_prep_value(value, connection)
    if connection.vendor != "postgresql" and connection.queries_logged:
        with connection.cursor() as cursor:
            cursor.execute(statement.sql.replace("?", "%s"), [wanted])
            return list(cursor.fetchall())
    with _cursor() as cursor:
        cursor.execute(statement.sql, [wanted])
        return list(cursor.fetchall())


@lru_cache(maxsize=8)
def _statement(rows: tuple[Row, ...], field: str, vendor: str) -> Statement:
    wanted: Any = uuid.UUID(int=0)
    if field == BY_TOKEN:
        wanted = RawSQL(SOME_LINK, ["marker"])  # noqa: S611 a constant; the value is a parameter
    columns = [f"{path}{name}" for path, _, names in rows for name in names]
    order = ["asset__extents__number"] if len(rows) > len(LINK) else []
    query = Link.objects.filter(pk=wanted).values_list(*columns).order_by(*order).query
    compiler: SQLCompiler = query.get_compiler(connection=connection)
    sql, _ = compiler.as_sql()
    if vendor != "postgresql":
        sql = sql.replace("%s", "?")
    return Statement(sql, compiler.get_converters([one for one, *_ in compiler.select]))


@contextmanager
def _cursor() -> Iterator[CursorWrapper]:
    if connection.vendor == "postgresql":
        with prepared.cursor() as cursor:
            yield cursor
        return
    connection.ensure_connection()
    # Django's own looks through the whole text for marks, which takes as long as reading does.
    with connection.make_cursor(connection.connection.cursor()) as cursor:
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
        above, _, name = path.removesuffix("__").rpartition("__")
        _join(built.get(f"{above}__" if above else ""), name, built[path])
    return built


def _join(row: models.Model | None, name: str, other: models.Model | None) -> None:
    if row is not None and name:
        row._state.fields_cache[name] = other
