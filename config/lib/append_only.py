"""How is evidence kept from being changed? The database refuses UPDATE, DELETE and TRUNCATE."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

POSTGRES = """
CREATE OR REPLACE FUNCTION sealcast_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'append-only: % of % is refused', TG_OP, TG_TABLE_NAME; END $$;
CREATE OR REPLACE TRIGGER append_only_{table}_rows BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION sealcast_refuse_change();
CREATE OR REPLACE TRIGGER append_only_{table}_all BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION sealcast_refuse_change();
"""
SQLITE = """
CREATE TRIGGER IF NOT EXISTS append_only_{table}_{word} BEFORE {verb} ON {table}
    BEGIN SELECT RAISE(ABORT, 'append-only: {verb} of {table} is refused'); END
"""


def _statements(vendor: str, table: str) -> list[str]:
    if vendor == "postgresql":
        return [POSTGRES.format(table=table)]
    return [
        SQLITE.format(table=table, verb=verb, word=verb.lower()) for verb in ("UPDATE", "DELETE")
    ]


def append_only(*tables: str) -> migrations.RunPython:
    """Return the migration operation that makes these tables append-only on either engine.

    To be repeated after a column was added: SQLite makes the table anew, without its guards.
    """

    def forwards(_apps: StateApps, schema: BaseDatabaseSchemaEditor) -> None:
        for table in tables:
            for statement in _statements(schema.connection.vendor, table):
                schema.execute(statement, params=None)

    return migrations.RunPython(forwards, migrations.RunPython.noop)
