"""How does one statement that is asked again and again stay planned? By the server's own binding.

Django's cursor writes values into the text, and then nothing can be prepared: planning a statement
again costs more than reading its rows.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper


@contextmanager
def cursor() -> Iterator[CursorWrapper]:
    """Open a cursor whose statements PostgreSQL keeps prepared; elsewhere an ordinary one."""
    if connection.vendor != "postgresql":
        with connection.cursor() as ordinary:
            yield ordinary
        return
    connection.ensure_connection()
    server_side = psycopg.Cursor(connection.connection)
    server_side.format = psycopg.pq.Format.BINARY
    wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    with wrap(cast(CursorWrapper, server_side)) as held:
        yield held
