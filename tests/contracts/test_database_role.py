"""Can the application change its own evidence? Asked as the role that serves, on a real server."""

import secrets
from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from accounts import audit
from accounts.audit import SYSTEM
from config.lib import database_role
from consent import gate, ledger, purposes, standing
from consent.models import ConsentEvent, Decision
from tests.consent import grants
from tests.consent.people import NOON, agreed, person
from tests.contracts.test_append_only import declared

ROLE = "sealcast_test_app"
on_postgres = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="SQLite has no roles: see the test of triggers"
)


@pytest.fixture
def serving(transactional_db: None) -> Iterator[None]:
    """Connect again as the role, as `serve` does in production."""
    password = secrets.token_urlsafe(24)
    purposes.ensure_defaults(at=NOON)
    call_command("database_role", "--name", ROLE, stdout=StringIO())
    run(f"ALTER ROLE {ROLE} PASSWORD '{password}'")
    kept = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update(USER=ROLE, PASSWORD=password)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.clear()
        connection.settings_dict.update(kept)
        run(f"DROP OWNED BY {ROLE}")
        run(f"DROP ROLE {ROLE}")


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def denied(statement: str) -> bool:
    try:
        with transaction.atomic():
            run(statement)
    except DatabaseError as fault:
        return "permission denied" in str(fault) or "must be owner" in str(fault)
    return False


@on_postgres
@pytest.mark.usefixtures("serving")
def test_the_role_that_serves_cannot_change_evidence_nor_its_guards() -> None:
    passed = [
        statement
        for model in declared()
        for table, key in [(model._meta.db_table, model._meta.pk.column)]
        for statement in (
            f"UPDATE {table} SET {key} = {key}",
            f"DELETE FROM {table}",
            f"TRUNCATE {table} CASCADE",
            f"ALTER TABLE {table} DISABLE TRIGGER USER",
            f"DROP TRIGGER append_only_{table}_rows ON {table}",
            f"DROP TABLE {table}",
            f"CREATE TRIGGER mine BEFORE INSERT ON {table} "
            "EXECUTE FUNCTION sealcast_refuse_change()",
            f"SELECT * FROM {table} FOR UPDATE",
        )
        if not denied(statement)
    ]
    assert passed == []


@on_postgres
@pytest.mark.usefixtures("serving")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE consent_consentevent SET kind = 'confirmed'",
        "UPDATE consent_purpose SET basis = 'consent'",
        "UPDATE django_migrations SET name = name",
        "TRUNCATE consent_contact CASCADE",
        "SET session_replication_role = replica",
        "CREATE OR REPLACE FUNCTION sealcast_refuse_change() RETURNS trigger LANGUAGE plpgsql "
        "AS 'BEGIN RETURN NEW; END'",
        "CREATE TABLE mine (id int)",
        f"ALTER ROLE {ROLE} SUPERUSER",
        "SET ROLE postgres",
    ],
)
def test_nor_what_stands_around_it(statement: str) -> None:
    assert denied(statement)


@on_postgres
@pytest.mark.usefixtures("serving")
def test_the_ordinary_work_goes_on() -> None:
    contact = agreed(person(), "email")
    grants.written(contact)
    verdict = gate.judge(contact=contact, purpose_code="marketing", channel="email", at=NOON)
    decision = gate.prepare(
        verdict=verdict,
        contact=contact,
        purpose_code="marketing",
        channel="email",
        context_type="consent.test",
        context_id=None,
        message_id=None,
        phase="queue",
        at=NOON,
    )
    decision.save(force_insert=True)
    ledger.withdraw(contact=contact, act="button", source="page", at=NOON, actor=SYSTEM)
    assert audit.seal(at=NOON) > 0
    assert ConsentEvent.objects.filter(kind="withdrawn").count() == 3
    assert Decision.objects.count() == 1
    assert standing.disagreements() == []


@on_postgres
@pytest.mark.django_db
def test_the_owner_is_no_role_to_serve_with() -> None:
    owner = str(connection.settings_dict["USER"])
    with pytest.raises(DatabaseError, match="nothing can be kept from it"):
        call_command("database_role", "--name", owner, stdout=StringIO())


@pytest.mark.django_db
@pytest.mark.skipif("connection.vendor == 'postgresql'", reason="here there are roles")
def test_where_there_are_no_roles_it_says_so() -> None:
    with pytest.raises(CommandError, match="Only PostgreSQL has roles"):
        call_command("database_role", stdout=StringIO())


@pytest.mark.parametrize("name", ["", "Robert'); DROP TABLE x; --", "app role", "a" * 64])
def test_a_name_that_needs_quoting_is_refused(name: str) -> None:
    with pytest.raises(database_role.NotAName):
        database_role.statements(name=name, schema="public", tables=[], append_only=[])


def test_each_table_has_the_rights_of_its_kind() -> None:
    made = database_role.statements(
        name="app", schema="public", tables=["a", "b", "django_migrations"], append_only=["b"]
    )
    assert 'GRANT SELECT, INSERT, UPDATE, DELETE ON "public"."a" TO "app"' in made
    assert 'GRANT SELECT, INSERT ON "public"."b" TO "app"' in made
    assert 'GRANT SELECT ON "public"."django_migrations" TO "app"' in made
    assert not any("TRUNCATE" in line or "TRIGGER" in line for line in made)
