"""What is a CRM to us? Pages of records with a place to go on from, and three things to tell it."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from config.lib.http import Outcome

# As a provider keeps its place: kept in the database, so no personal value stands in it.
Cursor = dict[str, Any]
# Of a receipt: what ended there are some purposes of e-mail, and not all of it.
TOPICS_ENDED = "topics_unsubscribed"


class CrmError(Exception):
    """The CRM did not do it. `code` is ours, `told` the provider's word, both fit for a page.

    permanent: asked again it says the same. transient: later. unknown: it may have been done.
    """

    def __init__(
        self, outcome: Outcome, code: str, *, told: str = "", wait_seconds: float = 0
    ) -> None:
        super().__init__(f"{outcome}: {code}")
        self.outcome: Outcome = outcome
        self.code, self.told, self.wait_seconds = code, told, wait_seconds


@dataclass(frozen=True)
class Record:
    """One contact of a CRM, by our names of fields.

    `stops` names what the person opted out of there: email, phone, all, or the
    purpose of a subscription behind `mapping.TOPIC`, which is of e-mail alone.
    """

    id: str
    values: Mapping[str, str] = field(repr=False)
    stops: tuple[str, ...] = ()
    claims: bool = False
    # They asked there to be forgotten.
    forget: bool = False


@dataclass(frozen=True)
class Page:
    """What one call brought. `cursor` is where to go on; none: that was all."""

    cursor: Cursor | None
    records: tuple[Record, ...] = ()
    # Deleted there; and merged there, as (the record that went, the one that stayed).
    gone: tuple[str, ...] = ()
    merged: tuple[tuple[str, str], ...] = ()
    # The provider's limit is near: the next call waits so long.
    wait_seconds: float = 0
    # Records that could not be understood at all.
    unreadable: int = 0


def joined(pages: Iterable[Page]) -> Iterator[Page]:
    """Yield pages that follow each other as fewer and longer ones; no record is twice in one."""
    whole, known = Page(None), set[str]()
    for page in pages:
        named = {record.id for record in page.records} | set(page.gone)
        named |= {identity for pair in page.merged for identity in pair}
        if known & named:
            yield whole
            whole, known = Page(None), set()
        known |= named
        whole = Page(
            page.cursor,
            whole.records + page.records,
            whole.gone + page.gone,
            whole.merged + page.merged,
            page.wait_seconds,
            whole.unreadable + page.unreadable,
        )
    yield whole


@dataclass(frozen=True)
class Receipt:
    """What the CRM said of something we told it; `code` says what it means, `status` its HTTP."""

    code: str
    status: int
    reference: str = ""


class Crm(Protocol):
    """One connected CRM."""

    def first(self, *, since: datetime | None) -> Cursor:
        """Return where to begin: at everything, or at what changed since an instant."""
        ...

    def page(self, *, cursor: Cursor) -> Page:
        """Read one page; the same cursor brings the same page, or what has become of it.

        :raises CrmError: it could not be read.
        """
        ...

    def sample(self) -> tuple[Record, ...]:
        """Read a few records, to show what would be read.

        :raises CrmError: it could not be read.
        """
        ...

    def stop(
        self,
        *,
        record_id: str,
        email: str,
        channels: Collection[str],
        purposes: Collection[str] | None = None,
        at: datetime,
    ) -> Receipt:
        """Write that the person opted out of these channels, `at` an instant; twice is the same.

        A CRM that knows no purposes is told of the whole channel, which is the stricter.

        :raises CrmError: it was not written.
        """
        ...

    def forget(self, *, record_id: str) -> Receipt:
        """Have the person erased there as far as the CRM lets us; twice is the same.

        :raises CrmError: it was not done.
        """
        ...

    def note(self, *, record_id: str, subject: str, at: datetime) -> Receipt:
        """Write what happened into the record's history. Twice are two notes.

        :raises CrmError: it was not written, or nobody knows.
        """
        ...
