"""What does consent do by itself? Ids in, nothing personal."""

import time
import uuid
from datetime import datetime, timedelta

from django.db.models import Q
from django_q.tasks import async_task

from accounts import keys
from accounts.audit import SYSTEM, Actor
from config.lib import clock
from consent import (
    contacts,
    crm_sync,
    crm_writing,
    evidence_imports,
    imports,
    intake,
    outbox,
    propagation,
    unknowns,
)
from consent.crm_ahead import Ahead
from consent.models import ImportBatch

# A task has 300 s: five thousand rows leave room on a machine that is busy, even where each is the
# stop of somebody known.
CHUNKS_A_TASK = 5
# A check that has not ended by now lost its worker.
CHECK_MINUTES = 15
# How long one task acts upon what came; the next ring or minute goes on from there.
TAKING = timedelta(seconds=60)
# How long one task reads CRMs, and the longest pause between two pages that it waits out.
READING = timedelta(seconds=150)
PAUSE_SECONDS = 11


def send_due() -> int:
    return outbox.dispatch(at=clock.now(), limit=50, now=clock.now).total


def take_inbox() -> int:
    taken = intake.take_all(now=clock.now, until=clock.now() + TAKING)
    at = clock.now()
    return taken + outbox.dispatch(at=at, limit=50, now=clock.now).total


def pass_on_stops() -> int:
    at = clock.now()
    done = propagation.pass_on(at=at, limit=200)
    crm_writing.plan_notes(at=at)
    return done.told + done.not_needed + crm_writing.pass_on(at=at).total()


def read_crms() -> int:
    """Read the CRMs whose turn it is; one task reads one after the other, for its time."""
    until = clock.now() + READING
    return sum(_read_crm(pk, until) for pk in crm_sync.due(at=clock.now()))


def _read_crm(connection_id: uuid.UUID, until: datetime) -> int:
    lease, pages = crm_sync.take(connection_id=connection_id, at=clock.now()), 0
    if lease is None:
        return 0
    with Ahead() as ahead:
        while clock.now() < until:
            step = crm_sync.read_page(connection_id=connection_id, lease=lease, ahead=ahead)
            pages += 1
            if not step.more or step.wait_seconds > PAUSE_SECONDS:
                break
            time.sleep(step.wait_seconds)
    crm_sync.release(connection_id=connection_id, lease=lease)
    return pages


def recover() -> int:
    at = clock.now()
    lost = Q(state=ImportBatch.State.CHECKING, created_at__lt=at - timedelta(minutes=CHECK_MINUTES))
    for batch in ImportBatch.objects.filter(lost | Q(state=ImportBatch.State.COMMITTING)).only(
        "id"
    ):
        work_on_import(str(batch.pk))
    contacts.index_again(at=at)
    return outbox.recover(at=at)


def look_up_unknown() -> int:
    return unknowns.look_up(at=clock.now())


def work_on_import(batch_id: str) -> str:
    batch = ImportBatch.objects.select_related("key", "partner").get(pk=uuid.UUID(batch_id))
    actor = Actor("staff", str(batch.created_by_id)) if batch.created_by_id else SYSTEM
    works = evidence_imports if batch.kind == ImportBatch.Kind.EVIDENCE else imports
    try:
        if batch.state == ImportBatch.State.CHECKING:
            works.examine(batch=batch, at=clock.now())
        elif batch.state == ImportBatch.State.COMMITTING:
            works.commit(batch=batch, at=clock.now(), actor=actor, chunks=CHUNKS_A_TASK)
            if batch.state == ImportBatch.State.COMMITTING:
                async_task("consent.jobs.work_on_import", batch_id)
    except keys.KeyRefused:
        # Past its time while it waited: nothing of it can be read, so nothing is imported.
        ImportBatch.objects.filter(pk=batch.pk).update(
            state=ImportBatch.State.DISCARDED, rows_sealed=None, report_sealed=None
        )
    return batch.state
