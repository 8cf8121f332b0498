"""How do many rows of one table go into it? As plain tuples, past the machinery for one row.

What the ORM does for each value of each row costs more than sealing it. The types that our tables
have are turned into the driver's own here; any other is asked of its field.
"""

import json
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connection, models

Turn = Callable[[Any], Any] | None
PLAIN = {
    models.CharField,
    models.TextField,
    models.BooleanField,
    models.IntegerField,
    models.PositiveIntegerField,
    models.PositiveSmallIntegerField,
    models.BigIntegerField,
}
# For fewer than these one ordinary statement is quicker than a copy.
FEW = 8


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
    turns = [(field.attname, _turn(field)) for field in given]
    values = (tuple(_value(row, name, turn) for name, turn in turns) for row in rows)
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


def _value(row: models.Model, name: str, turn: Turn) -> Any:
    value = row.__dict__[name]
    return value if value is None or turn is None else turn(value)


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
    if kind is models.BinaryField:
        return bytes
    if kind in PLAIN:
        return None
    return lambda value: target.get_db_prep_save(value, connection)


def _hex(value: uuid.UUID) -> str:
    return value.hex


def _naive(value: datetime) -> str:
    # As Django writes an instant into SQLite: in UTC, without saying so.
    return str(value.astimezone(UTC).replace(tzinfo=None))
