"""How do many rows of one table go into it? As plain tuples, past the machinery for one row.

What the ORM does for each value of each row costs more than sealing it. The types that our tables
have are turned into the driver's own here; any other is asked of its field.
"""

import json
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, TypeVar

from django.db import connection, models
from django.db.models.base import ModelState

M = TypeVar("M", bound=models.Model)
Turn = Callable[[Any], Any] | None
PLAIN = {
    models.CharField,
    models.TextField,
    models.BooleanField,
    models.IntegerField,
    models.PositiveIntegerField,
    models.PositiveSmallIntegerField,
    models.BigIntegerField,
    models.BinaryField,
}
# For fewer than these one ordinary statement is quicker than a copy.
FEW = 8


def row(model: type[M], **given: Any) -> M:
    """Make an unsaved row as `model(**given)` does, for those who make thousands.

    It is given each column by its own name, or a relation by its row.
    :raises TypeError: there is no such column.
    """
    made = model.__new__(model)
    made._state = ModelState()
    plain, asked, related = _defaults(model)
    columns = made.__dict__
    columns.update(plain)
    for name, default in asked:
        if name not in given:
            columns[name] = default()
    for name, value in given.items():
        if name in related:
            columns[related[name]] = None if value is None else value.pk
            made._state.fields_cache[name] = value
        else:
            columns[name] = value
    # Beside the columns there is `_state` only.
    if len(columns) != len(plain) + len(asked) + 1:
        raise TypeError(f"{model.__name__} has other columns")
    return made


def insert(rows: Sequence[models.Model]) -> None:
    """Insert unsaved rows of one model; an id that the database gives is not brought back.

    :raises django.db.IntegrityError: one is refused; none is kept.
    """
    if len(rows) < FEW:
        if rows:
            type(rows[0])._base_manager.bulk_create(rows)
        return
    meta = rows[0]._meta
    given = [field for field in meta.concrete_fields if not isinstance(field, models.AutoField)]
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in given)
    told = itemgetter(*[field.attname for field in given])
    turns = [(place, turn) for place, field in enumerate(given) if (turn := _turn(field))]
    values = (_turned(told(row.__dict__), turns) for row in rows)
    table = connection.ops.quote_name(meta.db_table)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with (
                connection.wrap_database_errors,
                cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy,
            ):
                for line in values:
                    copy.write_row(line)
        else:
            places = ", ".join(["%s"] * len(given))
            # The names are the model's own; every value is bound.
            statement = f"INSERT INTO {table} ({columns}) VALUES ({places})"  # noqa: S608  as above
            cursor.executemany(statement, list(values))
    for row in rows:
        row._state.adding = False


@lru_cache
def _defaults(
    model: type[models.Model],
) -> tuple[dict[str, Any], list[tuple[str, Callable[[], Any]]], dict[str, str]]:
    """Return a model's defaults that are values, those that are asked for, and its relations."""
    fields = model._meta.concrete_fields
    asked = [field for field in fields if field.has_default() and callable(field.default)]
    plain = {field.attname: field.get_default() for field in fields if field not in asked}
    related = {field.name: field.attname for field in fields if field.name != field.attname}
    return plain, [(field.attname, field.default) for field in asked], related


def _turned(told: tuple[Any, ...], turns: Sequence[tuple[int, Callable[[Any], Any]]]) -> Any:
    if not turns:
        return told
    line = list(told)
    for place, turn in turns:
        if line[place] is not None:
            line[place] = turn(line[place])
    return line


def _turn(field: "models.Field[Any, Any]") -> Turn:
    target = field.target_field if isinstance(field, models.ForeignKey) else field
    embedded = connection.vendor != "postgresql"
    kind = type(target)
    if kind is models.UUIDField:
        return _hex if embedded else None
    if kind is models.DateTimeField:
        return _naive if embedded else None
    if isinstance(target, models.JSONField) and kind is models.JSONField and not target.encoder:
        return json.dumps
    if kind in PLAIN:
        return None
    return lambda value: target.get_db_prep_save(value, connection)


def _hex(value: uuid.UUID) -> str:
    return value.hex


def _naive(value: datetime) -> str:
    # As Django writes an instant into SQLite: in UTC, without saying so.
    return str(value.astimezone(UTC).replace(tzinfo=None))
