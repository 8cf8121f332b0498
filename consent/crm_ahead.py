"""How is a CRM read while the page before is written? One page ahead, and never more.

The thread that asks has a database connection of its own. Its first statement, the use of a token,
would wait on SQLite for the page's transaction: that one begins once the request has left.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from threading import Event
from types import TracebackType
from typing import Self

from django.db import connections

from integrations import crm
from integrations.crm.base import Cursor, Page
from integrations.models import CrmSync

Now = Callable[[], datetime]
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
    """Asks for the next page of one reading; to be left when the reading ends."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="crm-ahead")
        self._place: Place | None = None
        self._page: Future[Page] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _fault: object, _trace: TracebackType | None
    ) -> None:
        self._pool.submit(connections.close_all)
        self._pool.shutdown(wait=True)

    def page(self, *, sync: CrmSync, now: Now) -> Page:
        """Return the page at the place that is kept, and let the one after it be asked for.

        :raises CrmError: it could not be read.
        """
        asked, self._page = self._page, None
        same = self._place == (sync.pk, sync.step, sync.cursor, sync.fields)
        page = asked.result() if asked is not None and same else ask(sync=sync, now=now)
        # Where the provider's limit is near, the next page waits its time first.
        if page.cursor is not None and not page.wait_seconds:
            self._begin(sync, page.cursor, now)
        return page

    def _begin(self, sync: CrmSync, cursor: Cursor, now: Now) -> None:
        left = Event()
        reader = crm.reader_for(
            connection=sync.connection, fields=sync.fields, now=now, leaving=left.set
        )

        def act() -> Page:
            try:
                return reader.page(cursor=cursor)
            finally:
                left.set()

        self._place = (sync.pk, sync.step + 1, cursor, dict(sync.fields))
        self._page = self._pool.submit(act)
        left.wait(LEAVES_WITHIN_SECONDS)
