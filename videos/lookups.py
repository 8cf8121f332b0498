"""How is one link read with all that decides whether it lives? By one statement, kept prepared.

Asked for every range of every viewer. The ORM writes the statement, once a process; what comes
back are its own rows, with the columns that nobody asked for deferred, so that the rule that judges
them (`links.is_live`) is the one that judges all others. Built for each request, the same query
costs some thirty times as much (`make bench-tokens`).
"""

import uuid
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, cast

from django.db import connection, models
from django.db.models.sql.compiler import SQLCompiler

from accounts.models import DataKey
from config.lib import prepared
from consent.models import Contact
from videos.models import Asset, Link

Converters = dict[int, tuple[list[Callable[..., Any]], Any]]
KEY = "id scope owner_id parent_id root_key_id wrapped delete_at destroyed_at"
# Where each row stands, seen from the link, and which of its columns are read.
READ: tuple[tuple[str, type[models.Model], str], ...] = (
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


def _in_order(model: type[models.Model], words: str) -> list[str]:
    # A row is built from its values in the order of the model's own columns.
    wanted = set(words.split())
    return [field.attname for field in model._meta.concrete_fields if field.attname in wanted]


ROWS = [(path, model, _in_order(model, words)) for path, model, words in READ]
COLUMNS = [f"{path}{name}" for path, _, names in ROWS for name in names]


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


def _one(field: str, value: object) -> Link | None:
    statement = _statement(field, connection.vendor)
    column = cast("models.Field[object, object]", Link._meta.get_field(field))
    wanted = column.get_db_prep_value(value, connection)
    with prepared.cursor() as cursor:
        cursor.execute(statement.sql, [wanted])
        row = cursor.fetchone()
    return _link(_converted(row, statement.converters)) if row else None


@lru_cache(maxsize=4)
def _statement(field: str, _vendor: str) -> Statement:
    marker = uuid.UUID(int=0) if field == "id" else "marker"
    query = Link.objects.filter(**{field: marker}).values_list(*COLUMNS).query
    compiler: SQLCompiler = query.get_compiler(connection=connection)
    sql, _ = compiler.as_sql()
    return Statement(sql, compiler.get_converters([one for one, *_ in compiler.select]))


def _converted(row: Sequence[Any], converters: Converters) -> list[Any]:
    values = list(row)
    for place, (steps, expression) in converters.items():
        for step in steps:
            values[place] = step(values[place], expression, connection)
    return values


def _link(values: Sequence[Any]) -> Link:
    built: dict[str, Any] = {}
    start = 0
    for path, model, names in ROWS:
        part = values[start : start + len(names)]
        start += len(names)
        # A video without a key, or a key without a parent, has no such row.
        built[path] = model.from_db(connection.alias, names, part) if part[0] else None
    link, asset, key = built[""], built["asset__"], built["asset__key__"]
    _join(link, contact=built["contact__"], asset=asset)
    _join(asset, contact=built["contact__"], key=key)
    if key is not None:
        _join(key, parent=built["asset__key__parent__"])
    found: Link = link
    return found


def _join(row: models.Model, **related: models.Model | None) -> None:
    for name, other in related.items():
        row._state.fields_cache[name] = other
