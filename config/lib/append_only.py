"""How is evidence kept from being changed? The database refuses UPDATE, DELETE and TRUNCATE."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

# Every table of evidence, once: the triggers, the grants of the application's role and `verify`
# read it here. A migration guards a table, and again after a column was added to it.
TABLES = (
    "accounts_trailleaf",
    "accounts_trailentry",
    "accounts_trailseal",
    "consent_purpose",
    "consent_notice",
    "consent_renderedform",
    "consent_consentevent",
    "consent_writtenconsent",
    "consent_softoptin",
    "consent_impliedconsent",
    "consent_healthauthorisation",
    "consent_revocation",
    "consent_decision",
    "videos_egressmanifest",
    "videos_deletionreceipt",
    "videos_vendorattestation",
    "retention_certificate",
)
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
    :raises ValueError: a table is not on the list of `TABLES`.
    """
    if unlisted := set(tables) - set(TABLES):
        raise ValueError(f"{min(unlisted)} is not on the list of append-only tables")

    def forwards(_apps: StateApps, schema: BaseDatabaseSchemaEditor) -> None:
        for table in tables:
            for statement in _statements(schema.connection.vendor, table):
                schema.execute(statement, params=None)

    return migrations.RunPython(forwards, migrations.RunPython.noop)
