"""Does the database itself refuse to change evidence, on the engine at hand?"""

import uuid
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, models, transaction

from config.lib import append_only
from tests.consent.people import NOON

pytestmark = pytest.mark.django_db
GUARDED = {
    "sqlite": "SELECT DISTINCT tbl_name FROM sqlite_master "
    "WHERE type = 'trigger' AND name LIKE 'append_only_%'",
    "postgresql": "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger "
    "WHERE tgname LIKE 'append_only_%'",
}


def declared() -> list[type[models.Model]]:
    tables = {model._meta.db_table: model for model in apps.get_models()}
    return [tables[name] for name in append_only.TABLES]


def filled(field: "models.Field[object, object]") -> object:
    """Return some value that the column and its constraints take."""
    target = field.related_model
    if isinstance(target, type) and issubclass(target, models.Model):
        return filled(target._meta.pk)
    samples: list[tuple[type[models.Field[object, object]], object]] = [
        (models.UUIDField, uuid.uuid4()),
        (models.BooleanField, True),
        (models.DateTimeField, NOON + timedelta(days=1)),
        (models.IntegerField, 1),
        (models.BinaryField, b"x"),
        (models.JSONField, []),
    ]
    return next((value for kind, value in samples if isinstance(field, kind)), "x")


def planted(model: type[models.Model]) -> models.Model:
    # What it points to need not be there: nothing of this is ever committed.
    fields = [field for field in model._meta.concrete_fields if not field.null]
    return model(**{field.attname: filled(field) for field in fields})


def refused(statement: str) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    except DatabaseError as fault:
        return "append-only" in str(fault)
    return False


@pytest.mark.parametrize("model", declared(), ids=lambda model: model._meta.db_table)
def test_a_row_of_evidence_is_neither_changed_nor_deleted(model: type[models.Model]) -> None:
    table, column = model._meta.db_table, model._meta.concrete_fields[-1].column
    if connection.vendor == "postgresql":
        assert refused(f"TRUNCATE {table} CASCADE")
    with transaction.atomic():
        planted(model).save(force_insert=True)
        assert refused(f"UPDATE {table} SET {column} = {column}")
        assert refused(f"DELETE FROM {table}")
        transaction.set_rollback(True)


def test_what_is_guarded_is_what_is_declared() -> None:
    with connection.cursor() as cursor:
        cursor.execute(GUARDED[connection.vendor])
        assert {name for (name,) in cursor.fetchall()} == set(append_only.TABLES)


def test_a_row_of_another_table_can_be_changed() -> None:
    """The test of a refusal can fail: an ordinary table takes both."""
    assert not refused("UPDATE consent_suppression SET reason = reason")
    assert not refused("DELETE FROM consent_suppression")


def test_a_table_that_is_not_on_the_list_gets_no_guards() -> None:
    with pytest.raises(ValueError, match="not on the list"):
        append_only.append_only("consent_suppression")
