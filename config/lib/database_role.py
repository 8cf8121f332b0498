"""What may the application do in its own database? Less than the owner of the tables. Pure: SQL.

Migrations run as the owner, serving runs as this role: it owns nothing, so that it can neither
change evidence nor take away what guards it, even when the application is taken over.
"""

import re
from collections.abc import Iterable

NAME = re.compile(r"^[a-z_][a-z0-9_]{0,62}$")
# What the role only reads: which migrations were applied is the owner's to say.
READ_ONLY = ("django_migrations",)
ATTRIBUTES = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
MAKE = """DO $$ BEGIN
IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') THEN
    CREATE ROLE "{name}" {attributes};
END IF;
IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}' AND (rolsuper OR rolbypassrls)) THEN
    RAISE EXCEPTION '{name} is a superuser: nothing can be kept from it';
END IF;
IF EXISTS (SELECT FROM pg_tables WHERE schemaname = current_schema()
    AND pg_has_role('{name}', tableowner, 'MEMBER')) THEN
    RAISE EXCEPTION '{name} owns tables: nothing can be kept from it';
END IF;
END $$"""


class NotAName(ValueError):
    """The name is none that a role of ours can have."""


def statements(
    *, name: str, schema: str, tables: Iterable[str], append_only: Iterable[str]
) -> list[str]:
    """Return the statements that make a role, or bring its rights up to date.

    To be run again after each migration: a new table is nobody's until it is granted.
    :raises NotAName: the name would need quoting.
    """
    if not NAME.match(name) or not NAME.match(schema):
        raise NotAName(name)
    guarded = set(append_only)
    known = sorted(set(tables))
    ordinary = [table for table in known if table not in guarded and table not in READ_ONLY]
    return [
        MAKE.format(name=name, attributes=ATTRIBUTES),
        f'REVOKE ALL ON ALL TABLES IN SCHEMA "{schema}" FROM "{name}"',
        f'REVOKE ALL ON ALL SEQUENCES IN SCHEMA "{schema}" FROM "{name}"',
        f'REVOKE CREATE ON SCHEMA "{schema}" FROM PUBLIC, "{name}"',
        f'GRANT USAGE ON SCHEMA "{schema}" TO "{name}"',
        _grant("SELECT, INSERT, UPDATE, DELETE", ordinary, schema, name),
        _grant("SELECT, INSERT", sorted(guarded), schema, name),
        _grant("SELECT", READ_ONLY, schema, name),
        f'GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA "{schema}" TO "{name}"',
    ]


def _grant(rights: str, tables: Iterable[str], schema: str, name: str) -> str:
    listed = ", ".join(f'"{schema}"."{table}"' for table in tables)
    return f'GRANT {rights} ON {listed} TO "{name}"'
