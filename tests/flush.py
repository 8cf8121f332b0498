"""How do tests empty tables that refuse to be emptied? Here only: the code has no switch for it.

Evidence tables carry triggers `append_only_*` that refuse DELETE and TRUNCATE. A test with real
transactions is cleaned up by a flush, so the triggers step aside for that flush alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from django.core.management.commands import flush
from django.db import connection
from django.test import TransactionTestCase

SQLITE_TRIGGERS = (
    "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'append_only_%'"
)
POSTGRES_TRIGGERS = (
    "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE tgname LIKE 'append_only_%'"
)
KEPT = {"django_content_type", "auth_permission"}


def _rows(query: str) -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [(str(first), str(second)) for first, second in cursor.fetchall()]


def _run(statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@contextmanager
def append_only_suspended() -> Iterator[None]:
    """Take the append-only triggers away and put the same ones back, whatever happens."""
    if connection.vendor == "sqlite":
        found = _rows(SQLITE_TRIGGERS)
        before = [f'DROP TRIGGER "{name}"' for name, _ in found]
        after = [sql for _, sql in found]
    else:
        # Not session_replication_role: a reader's test server need not make us superuser.
        found = _rows(POSTGRES_TRIGGERS)
        before = [f'ALTER TABLE {table} DISABLE TRIGGER "{name}"' for table, name in found]
        after = [f'ALTER TABLE {table} ENABLE TRIGGER "{name}"' for table, name in found]
        # Inside a transaction: a table whose foreign keys are still to be checked is not altered.
        before.insert(0, "SET CONSTRAINTS ALL IMMEDIATE")
        after.append("SET CONSTRAINTS ALL DEFERRED")
    _run(before)
    try:
        yield
    finally:
        _run(after)


@contextmanager
def packages_kept() -> Iterator[None]:
    """Let what Django itself writes after a migration stand, which no test changes.

    To empty it and write it anew costs more than all the rest of a flush.
    """
    named = connection.introspection.django_table_names

    def others(**options: bool) -> list[str]:
        return [name for name in named(**options) if name not in KEPT]

    with (
        patch.object(connection.introspection, "django_table_names", others),
        patch.object(flush, "emit_post_migrate_signal"),
    ):
        yield


def install() -> None:
    """Make every test with real transactions flush this way."""
    emptied = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]

    def tear_down(case: TransactionTestCase) -> None:
        with append_only_suspended(), packages_kept():
            emptied(case)

    TransactionTestCase._fixture_teardown = tear_down  # type: ignore[attr-defined]
