"""How is a CRM read while what came before is written? Some pages ahead, and never more.

Where the CRM answers faster than we write, the pages that have come are written together: most of
what a transaction costs is the same for a hundred people and for a thousand.

The thread that asks has a database connection of its own. On SQLite its first statement, the use of
a token, would wait for the page's transaction: there it asks for one page, and that transaction
begins once the request has left.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from threading import Event
from types import TracebackType
from typing import Self

from django.db import connection, connections

from integrations import crm
from integrations.crm.base import Crm, CrmError, Cursor, Page
from integrations.models import CrmSync

Now = Callable[[], datetime]
# Written in one transaction, which holds the rows of whom it changes.
RECORDS_TOGETHER = 500
# Longer than a token takes to be renewed; who waits in vain asks by itself all the same.
LEAVES_WITHIN_SECONDS = 30
Place = tuple[object, int, Cursor | None, dict[str, str]]


def ask(*, sync: CrmSync, now: Now) -> Page:
    """Ask for the page at the place that is kept.

    :raises CrmError: it could not be read.
    """
    reader = crm.reader_for(connection=sync.connection, fields=sync.fields, now=now)
    return reader.page(cursor=sync.cursor or {})


class Ahead:
    """Asks for the next pages of one reading; to be left when the reading ends."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="crm-ahead")
        self._place: Place | None = None
        self._pages: Future[list[Page]] | None = None
        # Set where somebody waits for what has come.
        self._wanted = Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _fault: object, _trace: TracebackType | None
    ) -> None:
        self._wanted.set()
        self._pool.submit(connections.close_all)
        self._pool.shutdown(wait=True)

    def pages(self, *, sync: CrmSync, now: Now) -> list[Page]:
        """Return what has come from the place that is kept, and let what follows be asked for.

        :raises CrmError: nothing came.
        """
        asked, self._pages = self._pages, None
        self._wanted.set()
        same = self._place == (sync.pk, sync.step, sync.cursor, sync.fields)
        pages = asked.result() if asked is not None and same else [ask(sync=sync, now=now)]
        # Where the provider's limit is near, the next page waits its time first.
        if pages[-1].cursor is not None and not pages[-1].wait_seconds:
            self._begin(sync, pages[-1].cursor, now)
        return pages

    def _begin(self, sync: CrmSync, cursor: Cursor, now: Now) -> None:
        left, self._wanted = Event(), Event()
        reader = crm.reader_for(
            connection=sync.connection, fields=sync.fields, now=now, leaving=left.set
        )
        self._place = (sync.pk, sync.step + 1, cursor, dict(sync.fields))
        many = connection.vendor == "postgresql"
        self._pages = self._pool.submit(_read, reader, cursor, many, self._wanted)
        if not many:
            self._pages.add_done_callback(lambda _: left.set())
            left.wait(LEAVES_WITHIN_SECONDS)


def _read(reader: Crm, cursor: Cursor, many: bool, wanted: Event) -> list[Page]:  # noqa: FBT001
    pages = [reader.page(cursor=cursor)]
    records = len(pages[0].records)
    while many and records < RECORDS_TOGETHER and not wanted.is_set():
        page = pages[-1]
        if page.cursor is None or page.wait_seconds:
            break
        try:
            pages.append(reader.page(cursor=page.cursor))
        except CrmError:
            # What came is kept first; then this is asked for again, and its answer acted upon.
            break
        records += len(pages[-1].records)
    return pages
