"""How are a CRM's contacts read? Page after page; the place to go on is kept with each page.

One worker reads one connection, by a lease that ends by itself. A page is asked for outside of any
transaction; it and the cursor that follows it are written in one. A worker killed anywhere leaves
the cursor of the last whole page, and reading a page twice changes nothing.
"""

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from accounts import audit
from config.lib import clock, logs
from consent import crm_ahead, crm_pages
from consent.crm_ahead import Ahead, Now
from integrations import crm
from integrations.crm import CrmError
from integrations.crm.base import Page, joined
from integrations.models import Connection, CrmSync, InboxItem, OAuthGrant

log = logs.get(__name__)
State, Mode = CrmSync.State, CrmSync.Mode
# Longer than a page takes to be asked for and written.
LEASE = timedelta(minutes=3)
EVERY = timedelta(minutes=15)
# So soon what changed is read when the CRM rings; many rings of a minute are one reading.
RUNG = timedelta(minutes=1)
BACKOFF_SECONDS = (30, 60, 300, 900)
# By our code: what happened, and what to do.
PROBLEMS = {
    "not_connected": "It is not connected. Press Connect; the reading goes on by itself.",
    "expired": "The permission no longer works. Press Reconnect.",
    "forbidden": "The person who connected it may not read contacts ({told}). Have that allowed "
    "there, or press Reconnect and sign in as somebody who may.",
    "request": "It did not accept the question ({told}). A field was renamed there, or is not in "
    "this account: look at the fields, then press Sync now.",
    "busy": "It asks us to slow down. It goes on by itself.",
    "down": "It does not answer at the moment. It goes on by itself.",
    "no_answer": "It did not answer. It goes on by itself.",
    "no_token": "Its sign-in does not answer at the moment. It goes on by itself.",
    "unreadable": "It gave an answer that is none. It is asked again by itself; if this stays, "
    "tell us.",
    "met": "Somebody was changed here at the same instant. It goes on by itself.",
}
OTHER = "It refused ({told}). Press Sync now; if this stays, tell us."


@dataclass(frozen=True)
class Step:
    """What one page came to: whether another one waits, and for how many seconds."""

    more: bool
    wait_seconds: float = 0


def words(*, code: str, told: str = "") -> str:
    """Return what an error of a CRM means, and what to do, in words for a page."""
    return PROBLEMS.get(code, OTHER).format(told=told or code)


def due(*, at: datetime) -> list[uuid.UUID]:
    """Return the connections whose turn it is: set up, connected, and not being read."""
    rows = _ready(at).filter(connection__state=Connection.State.ACTIVE)
    return list(rows.order_by("next_at").values_list("pk", flat=True))


def account_of(*, connection_id: uuid.UUID) -> str:
    """Return which account of a CRM is connected; empty if none is, or nobody says which."""
    grant = OAuthGrant.objects.filter(pk=connection_id).first()
    return grant.account_id if grant else ""


def ring(*, connection_id: uuid.UUID, at: datetime) -> None:
    """Have what changed read soon; one that is stuck stays so.

    What is told during a reading is read soon after its end.
    """
    late = CrmSync.objects.filter(pk=connection_id, state=State.WAITING, next_at__gt=at + RUNG)
    late.update(next_at=at + RUNG)


def take(*, connection_id: uuid.UUID, at: datetime) -> uuid.UUID | None:
    """Take the turn to read a connection, and begin a round if none is under way; None if taken."""
    lease = uuid.uuid4()
    taken = _ready(at).filter(pk=connection_id)
    if not taken.update(lease_id=lease, lease_until=at + LEASE):
        return None
    with transaction.atomic():
        sync = _held(connection_id)
        if sync.cursor is None or sync.account_id != account_of(connection_id=connection_id):
            _begin(sync, at)
    return lease


def read_page(
    *,
    connection_id: uuid.UUID,
    lease: uuid.UUID,
    now: Now = clock.now,
    ahead: Ahead | None = None,
) -> Step:
    """Ask for one page and keep it with the cursor that follows; the caller has the turn.

    With `ahead`, the next one is asked for while this one is written.
    """
    sync = CrmSync.objects.select_related("connection").get(pk=connection_id)
    if sync.lease_id != lease or sync.cursor is None:
        return Step(more=False)
    try:
        pages = ahead.pages(sync=sync, now=now) if ahead else [crm_ahead.ask(sync=sync, now=now)]
        return _keep(sync, pages, lease, now())
    except CrmError as failed:
        return _fail(sync, lease, failed, now())
    except IntegrityError:
        # A person of this page came by another way at this very instant: read it again.
        return _fail(sync, lease, CrmError("transient", "met", wait_seconds=1), now())


def release(*, connection_id: uuid.UUID, lease: uuid.UUID) -> None:
    """Give the turn back between two pages."""
    CrmSync.objects.filter(pk=connection_id, lease_id=lease).update(lease_id=None, lease_until=None)


@transaction.atomic
def _keep(sync: CrmSync, pages: Sequence[Page], lease: uuid.UUID, at: datetime) -> Step:
    held = _held(sync.pk)
    if held.lease_id != lease or held.step != sync.step:
        # Another worker took over while this one waited for its answer.
        return Step(more=False)
    came, account = Counter(held.counts), held.account_id
    for page in joined(pages):
        came += crm_pages.keep(connection=sync.connection, account_id=account, page=page, at=at)
    held.counts = dict(came + Counter(pages=len(pages)))
    page = pages[-1]
    held.cursor, held.step = page.cursor, held.step + 1
    held.failures, held.problem, held.lease_until = 0, "", at + LEASE
    if page.cursor is None:
        _finish(held, at)
    else:
        held.next_at = at + timedelta(seconds=page.wait_seconds)
    held.save()
    return Step(page.cursor is not None, page.wait_seconds)


def _begin(sync: CrmSync, at: datetime) -> None:
    account = account_of(connection_id=sync.pk)
    if account != sync.account_id:
        sync.account_id, sync.since_at = account, None
    reader = crm.reader_for(connection=sync.connection, fields=sync.fields)
    sync.cursor = reader.first(since=sync.since_at)
    sync.mode = Mode.DELTA if sync.since_at else Mode.FULL
    sync.state, sync.began_at, sync.counts = State.READING, at, {}
    sync.save()
    _note("started", sync, at)


def _finish(sync: CrmSync, at: datetime) -> None:
    # What was changed while the round went is read by the next one.
    sync.since_at, sync.finished_at = sync.began_at, at
    told = InboxItem.objects.filter(connection=sync.pk, received_at__gte=sync.began_at)
    sync.state, sync.next_at = State.WAITING, at + (RUNG if told.exists() else EVERY)
    sync.lease_id = sync.lease_until = None
    _note("finished", sync, at)


@transaction.atomic
def _fail(sync: CrmSync, lease: uuid.UUID, failed: CrmError, at: datetime) -> Step:
    held = _held(sync.pk)
    if held.lease_id != lease:
        return Step(more=False)
    # Being asked to slow down is no failure.
    held.failures += failed.code != "busy"
    wait = failed.wait_seconds or BACKOFF_SECONDS[min(held.failures, len(BACKOFF_SECONDS)) - 1]
    held.next_at = at + timedelta(seconds=wait)
    held.problem = words(code=failed.code, told=failed.told)[:300]
    held.lease_id = held.lease_until = None
    if failed.outcome == "permanent" and failed.code != "not_connected":
        held.state = State.STUCK
    held.save()
    _note("failed", held, at, code=failed.code, told=failed.told)
    log.warning("consent.sync.failed", connection_id=str(sync.pk), cause=failed.code)
    return Step(more=False)


def _ready(at: datetime) -> QuerySet[CrmSync]:
    free = Q(lease_until=None) | Q(lease_until__lte=at)
    return CrmSync.objects.filter(free, state__in=[State.WAITING, State.READING], next_at__lte=at)


def _held(connection_id: uuid.UUID) -> CrmSync:
    rows = CrmSync.objects.select_for_update(of=("self",)).select_related("connection")
    return rows.get(pk=connection_id)


def _note(what: str, sync: CrmSync, at: datetime, **more: audit.Detail) -> None:
    audit.record(
        action=f"consent.sync.{what}",
        at=at,
        actor=audit.SYSTEM,
        object_type="integrations.connection",
        object_id=str(sync.pk),
        details={
            "provider": sync.connection.provider,
            "mode": sync.mode,
            **{name: int(count) for name, count in sync.counts.items()},
            **more,
        },
    )
