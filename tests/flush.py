"""How do tests empty tables that refuse to be emptied? Here only: the code has no switch for it.

Evidence tables carry triggers `append_only_*` that refuse DELETE and TRUNCATE. A test with real
transactions is cleaned up afterwards, so the triggers step aside for that alone. Only what holds
something is emptied: Django's own flush truncates every table, which on PostgreSQL makes and drops
a thousand files.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from django.test import TransactionTestCase

SQLITE_TRIGGERS = (
    "SELECT tbl_name, name, sql FROM sqlite_master"
    " WHERE type = 'trigger' AND name LIKE 'append_only_%'"
)
POSTGRES_TRIGGERS = (
    "SELECT tgrelid::regclass::text, tgname, '' FROM pg_trigger WHERE tgname LIKE 'append_only_%'"
)
# What Django itself writes after a migration, and no test changes.
KEPT = {"django_content_type", "auth_permission"}


def _rows(query: str) -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def _run(statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@contextmanager
def append_only_suspended(tables: Collection[str] = ()) -> Iterator[None]:
    """Take the append-only triggers of tables, or all, away and put the same ones back."""
    sqlite = connection.vendor == "sqlite"
    triggers = _rows(SQLITE_TRIGGERS if sqlite else POSTGRES_TRIGGERS)
    found = [trigger for trigger in triggers if not tables or trigger[0] in tables]
    if sqlite:
        before = [f'DROP TRIGGER "{name}"' for _, name, _ in found]
        after = [sql for _, _, sql in found]
    else:
        # Not session_replication_role: a reader's test server need not make us superuser.
        before = [f'ALTER TABLE {table} DISABLE TRIGGER "{name}"' for table, name, _ in found]
        after = [f'ALTER TABLE {table} ENABLE TRIGGER "{name}"' for table, name, _ in found]
        # Inside a transaction: a table whose foreign keys are still to be checked is not altered.
        before.insert(0, "SET CONSTRAINTS ALL IMMEDIATE")
        after.append("SET CONSTRAINTS ALL DEFERRED")
    _run(before)
    try:
        yield
    finally:
        _run(after)


def empty() -> None:
    """Empty every table that holds something, but for what Django writes."""
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    looks = [
        f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in sorted(set(names) - KEPT)
    ]
    full = [name for (name,) in _rows(" UNION ALL ".join(looks))]
    if not full:
        return
    with append_only_suspended(full), transaction.atomic():
        # Foreign keys are checked at the commit, so that any order is one.
        _run([f"DELETE FROM {name}" for name in full])


def install() -> None:
    """Make every test with real transactions clean up this way."""
    TransactionTestCase._fixture_teardown = lambda _: empty()  # type: ignore[attr-defined]
