"""What do all AI vendors have in common? Order, ask, fetch once, delete, look that it is gone.

A vendor is the paths and shapes of its API; what an answer means is decided here, once.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import quote

from django.conf import settings

from integrations import stand_ins, vendors
from integrations.models import Connection
from integrations.video import orders, timing
from integrations.video.base import (
    Deletion,
    FetchedVideo,
    NotFound,
    ProviderError,
    Status,
)
from integrations.video.orders import Order
from integrations.video.wire import JOB_ID, Reply, Wire, refusal, text

RENDERING, DONE, FAILED, DELETED = "rendering", "done", "failed", "deleted"
LIST_PAGES, LIST_ROWS = 10, 100
Row = Mapping[str, Any]
# Whoever reads the address of our webhook can post to it.
HIDDEN = "(hidden)"


class KeyedVendor:
    """One account at one AI vendor; a subclass names its paths and members."""

    name: str
    title: ClassVar[str]
    # Where a job stands: the path of one is this, a slash and its name.
    jobs_path: ClassVar[str]
    order_path: ClassVar[str]
    # What must be typed in before anything is ordered.
    needed: Sequence[str]
    # The vendor's words for how far a job is, in ours.
    states: ClassVar[Mapping[str, str]]
    film_member: ClassVar[str]
    mark_member: ClassVar[str]
    # Whether a job that the vendor calls deleted is gone, or hidden only.
    deleted_is_gone: ClassVar[bool] = False
    request_flag = ""
    reads_setting = False
    # A film takes minutes, and their limits are counted by the minute.
    poll_seconds = 10

    def __init__(self, connection: Connection) -> None:
        held = connection.credentials_sealed
        self._held: dict[str, str] = held if isinstance(held, dict) else {}
        self._vendor = vendors.get(self.name)
        self._wire = Wire(self._vendor, self)
        self.endpoint = f"{self._vendor.origin}{self.jobs_path}"
        self.region, self.residual_days = self._vendor.region, self._vendor.residual_days

    def headers(self) -> Mapping[str, str]:
        """Return what opens the account."""
        raise NotImplementedError

    def renewed(self) -> Mapping[str, str] | None:
        """Return what opens the account after a refusal: a key has no successor."""
        return None

    def written(self, order: Order) -> Mapping[str, object]:
        """Return an order in the vendor's shape."""
        raise NotImplementedError

    def job(self, body: object) -> Row | None:
        """Return the job in an answer; None if there is none."""
        return body if isinstance(body, dict) else None

    def job_id(self, row: Row) -> str:
        """Return the name of a job."""
        return text(row, "id")

    def code(self, body: object) -> str:
        """Return the vendor's code for what went wrong; empty if nothing is said to have."""
        raise NotImplementedError

    def next_page(self, body: Mapping[str, Any], number: int) -> str:
        """Return the query of the page of the list after this one; empty at its end."""
        raise NotImplementedError

    def list_rows(self, body: object) -> list[Row] | None:
        """Return the jobs of one page; None if it is no list."""
        raise NotImplementedError

    def create(self, *, body: bytes) -> str:
        """Order a film of the anonymous request and return the job's name.

        :raises ProviderError: with its outcome.
        """
        order = orders.read(body)
        if not all(self.of(name) for name in self.needed):
            raise ProviderError("transient", "credentials_unreadable")
        reply = self._wire.post(self.order_path.format(**self._in_path()), self.written(order))
        row, code = self.job(reply.body), self.code(reply.body)
        name = self.job_id(row) if row is not None else ""
        if reply.is_good and not code and JOB_ID.fullmatch(name):
            return name
        raise refusal(reply, code)

    def shown(self, *, body: bytes) -> str:
        """Return the order of the anonymous request as it is posted, without our address."""
        text = json.dumps(self.written(orders.read(body)))
        secret = self.of("webhook_secret")
        return text.replace(secret, HIDDEN) if secret else text

    def poll(self, *, job_id: str) -> Status:
        """Say how far a job has come; the vendor's words for a failure are not repeated.

        :raises NotFound: there is no such job.
        """
        row = self._row(job_id)
        state = self._state(row)
        if state == DELETED:
            raise NotFound
        if state == FAILED:
            return Status("failed", "the vendor could not make it")
        return Status("done" if state == DONE else "rendering")

    def fetch(self, *, job_id: str, body: bytes) -> FetchedVideo:
        """Bring the finished film, with the slots and captions of its request.

        :raises NotFound: there is no such job, or it has no film.
        :raises Moved: the film lies where it was not agreed.
        """
        address = text(self._row(job_id), self.film_member)
        if not address:
            raise NotFound
        return timing.timed(film=self._wire.film(address), order=orders.read(body))

    def delete(self, *, job_id: str) -> Deletion:
        """Have the vendor delete a job; one that is not there is gone already (404).

        :raises ProviderError: it was not, or nobody can say; to be tried again.
        """
        query = self._vendor.delete_query
        reply = self._wire.delete(f"{self._place(job_id)}{'?' if query else ''}{query}")
        if reply.is_absence:
            return Deletion(reply.status, reply.raw)
        if not reply.is_good or not self.confirms(reply):
            raise ProviderError("transient", f"not_deleted_{reply.status}")
        return Deletion(reply.status, reply.raw, self.is_soft())

    def confirms(self, reply: Reply) -> bool:
        """Say whether a success is one, by its body."""
        is_page = reply.body is None and bool(reply.raw.strip())
        return not self.code(reply.body) and not is_page

    def is_soft(self) -> bool:
        """Say whether a deletion only hides the job."""
        return False

    def exists(self, *, job_id: str) -> bool:
        """Look whether the vendor still holds a job; only its own word proves that it does not.

        :raises ProviderError: it gave no answer that says so.
        """
        try:
            row = self._row(job_id)
        except NotFound:
            return False
        return not (self.deleted_is_gone and self._state(row) == DELETED)

    def find(self, *, body: bytes) -> list[str] | None:
        """Name the jobs of exactly this request; None where none is seen.

        A list may lag behind an order: that it does not show a job is no proof that there is none.
        """
        mark, found, query = orders.read(body).mark, [], f"limit={LIST_ROWS}"
        for number in range(LIST_PAGES):
            reply = self._wire.get(f"{self.jobs_path}?{query}")
            page = self.list_rows(reply.body) if reply.is_good else None
            if page is None or reply.body is None:
                return None
            found += [self.job_id(row) for row in page if self._is_ours(row, mark)]
            query = self.next_page(reply.body, number)
            if not query:
                break
        return [name for name in found if JOB_ID.fullmatch(name)] or None

    def keeps_nothing(self) -> bool:
        """Not asked: none of these vendors can be asked how the account is set."""
        return False

    def check(self) -> str:
        """Ask for one row of the account's list, as the cheapest call that needs the key."""
        try:
            reply = self._wire.get(f"{self.jobs_path}?limit=1")
        except ProviderError:
            return f"{self.title} gave no answer. Try again in a minute."
        if reply.is_good and self.list_rows(reply.body) is not None:
            return ""
        if reply.status in (401, 403):
            return f"{self.title} refuses the key. Copy it again from its settings page."
        return f"{self.title} answered with an error ({reply.status}). Try again later."

    def of(self, name: str) -> str:
        """Return what was typed in; empty if nothing was."""
        return str(self._held.get(name) or "")

    def hook(self) -> str:
        """Return our webhook's address; empty where the vendor could not reach it."""
        secret = self.of("webhook_secret")
        is_reached = bool(secret) and stand_ins.reaches_us(provider=self.name)
        return f"{settings.PUBLIC_URL}/hooks/{secret}/" if is_reached else ""

    def spoken(self, order: Order) -> str:
        """Return an order as one text, slots as silence."""
        return orders.spoken(order, self._vendor)

    def _in_path(self) -> dict[str, str]:
        return {name: quote(self.of(name), safe="") for name in self.needed}

    def _place(self, job_id: str) -> str:
        if not JOB_ID.fullmatch(job_id):
            raise NotFound
        return f"{self.jobs_path}/{job_id}"

    def _row(self, job_id: str) -> Row:
        reply = self._wire.get(self._place(job_id))
        if reply.is_absence:
            raise NotFound
        row = self.job(reply.body) if reply.is_good else None
        if row is None or self.job_id(row) != job_id:
            # Another job's row, or a page of HTML: it says nothing about this one.
            raise ProviderError("transient", f"unreadable_{reply.status}")
        return row

    def _state(self, row: Row) -> str:
        state = self.states.get(text(row, "status").lower(), "")
        if not state:
            raise ProviderError("transient", "state_unknown")
        return state

    def _is_ours(self, row: Row, mark: str) -> bool:
        gone = self.states.get(text(row, "status").lower()) == DELETED
        return text(row, self.mark_member) == mark and not gone
