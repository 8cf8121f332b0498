"""The door of erasing: the only module that calls an app's erase, after it looked at the holds.

Promise 6. The console, the requests and the job call `plan` and then `execute`. What is executed
is the set that was planned, or nothing; whatever stops it, executing it again goes on from there.
"""

import hashlib
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q

from accounts import audit, keys
from accounts import personal_data as accounts_data
from accounts.models import DataKey, User
from config.lib import logs
from config.lib.inventory import Due, PersonalData
from consent import contacts, crm_writing, likeness
from consent import personal_data as consent_data
from consent.models import Contact, LikenessRelease
from integrations import personal_data as integrations_data
from retention import certificates, disposition, holds, inventory, policies, tombstones
from retention import personal_data as retention_data
from retention.models import Run, RunItem
from videos import personal_data as videos_data

PERSON, PRESENTER = "contact", "likeness"
# From the top of the stairs to the bottom, as the rows point.
_ERASERS: Mapping[str, PersonalData] = {
    "retention": retention_data,
    "videos": videos_data,
    "consent": consent_data,
    "integrations": integrations_data,
    "accounts": accounts_data,
}
_HOLDERS = {
    "asset": "videos",
    "campaign_media": "videos",
    "link": "videos",
    "play": "videos",
    "message_body": "consent",
    "import_rows": "consent",
    "optin": "consent",
    PRESENTER: "consent",
    "sandbox_message": "integrations",
    "inbox_item": "integrations",
    "session": "accounts",
    "task": "accounts",
}
# A run larger than the last by more than this waits for an officer; small ones never do.
GROWTH_PERCENT = 5
SMALL_RUN_ITEMS = 500
State = RunItem.State
log = logs.get(__name__)


class RunRefused(Exception):
    """The run is not executed; the text says why, in words fit for a page."""


class PlanChanged(RunRefused):
    """What is due now is not what was planned."""


class NotConfirmed(RunRefused):
    """It would delete more than is usual, and nobody said that this is meant."""


class AlreadyExecuted(RunRefused):
    """The run is done, or another process executes it."""


class HoldInForce(RunRefused):
    """A hold keeps this person from being erased."""


@dataclass(frozen=True)
class Planned:
    """One record of a plan, and whether it goes or is held."""

    item: Due
    is_held: bool

    @property
    def line(self) -> bytes:
        """Return the record as the hash of the plan takes it in."""
        return f"{self.item.record_class} {self.item.object_id} {self.is_held}\n".encode()


@transaction.atomic
def plan(
    *, at: datetime, trigger: str, contact: Contact | None = None, staff: User | None = None
) -> Run:
    """Write down what a run would erase: everything past its label, or one person whole.

    `trigger` is a code such as `schedule`, `officer` or `erasure_request`.
    """
    records = _planned(contact.pk if contact else None, at)
    run = Run.objects.create(
        trigger=trigger,
        planned_at=at,
        plan_sha256=_hash(records),
        contact_id=contact.pk if contact else None,
        item_count=len(records),
        needs_confirmation=contact is None and _is_unusual(len(records)),
        actor=staff,
    )
    RunItem.objects.bulk_create((_item(run, record) for record in records), batch_size=1000)
    _record("retention.run.planned", run, at=at, staff=staff)
    return run


@transaction.atomic
def confirm(*, run: Run, at: datetime, staff: User | None) -> Run:
    """Say that a run of unusual size is meant."""
    run.confirmed_at = at
    run.save(update_fields=["confirmed_at"])
    _record("retention.run.confirmed", run, at=at, staff=staff)
    return run


def execute(*, run: Run, at: datetime) -> Run:
    """Erase what the run planned, one record after the other, and certify it.

    Order for a person: tombstone and trail, keys, objects and rows, certificate.
    Law: GDPR Art. 17 and 5(1)(e).
    :raises PlanChanged: records came, went or were put on hold since the plan. Nothing is erased.
    :raises NotConfirmed: the run is of unusual size.
    :raises HoldInForce: the person of the run is on hold. Nothing is erased.
    :raises AlreadyExecuted: it is done.
    """
    _begin(run, at)
    for item in _waiting(run):
        _erase(item, at)
    run.refresh_from_db()
    failed = run.items.filter(state__in=[State.FAILED, State.PENDING]).exists()
    _forget_pages()
    run.state = Run.State.UNFINISHED if failed else Run.State.DONE
    run.finished_at = at
    with transaction.atomic():
        run.save(update_fields=["state", "finished_at"])
        _record("retention.run.executed", run, at=at, staff=run.actor)
        if not failed and run.contact_id is None:
            certificates.issue_for_run(run=run, at=at)
    return run


def require_plan(*, run: Run) -> None:
    """Refuse a run that cannot be executed as it was planned; change nothing.

    :raises RunRefused: as `execute`.
    """
    if run.state == Run.State.DONE:
        raise AlreadyExecuted("This run was executed. Plan a new one.")
    if run.state == Run.State.PLANNED:
        _check_plan(run)


@transaction.atomic
def erase_presenter(*, release: LikenessRelease, at: datetime, staff: User | None) -> None:
    """Erase who signed a release that has ended, before its label does; its hash and dates stay.

    :raises RunRefused: the release is in force, or a hold keeps it.
    Law: GDPR Art. 17(1)(b).
    """
    item = Due(PRESENTER, str(release.pk), None, at)
    if likeness.state_of(release=release, at=at) == "active":
        raise RunRefused("This release is in force. Revoke it first; nothing was erased.")
    if holds.in_force().covers(item):
        raise HoldInForce("A hold is on this release. Nothing was erased.")
    consent_data.erase_record(record_class=item.record_class, object_id=item.object_id, at=at)
    audit.record(
        action="retention.presenter.erased",
        at=at,
        actor=audit.staff(staff),
        object_type="consent.likenessrelease",
        object_id=str(release.pk),
    )


def retry_unfinished(*, at: datetime) -> int:
    """Execute again the runs that something stopped; return how many."""
    states = [Run.State.RUNNING, Run.State.UNFINISHED]
    unfinished = list(Run.objects.filter(state__in=states).order_by("planned_at"))
    for run in unfinished:
        execute(run=run, at=at)
    return len(unfinished)


def _planned(contact_id: uuid.UUID | None, at: datetime) -> list[Planned]:
    held = holds.in_force()
    requested = contact_id is not None
    found: Iterator[Due]
    if contact_id is not None:
        found = iter([Due(PERSON, str(contact_id), contact_id, at)])
    else:
        found = inventory.due(at=at, days=policies.days())
    records = {}
    for item in found:
        facts = disposition.Facts(
            due_at=item.due_at, is_held=held.covers(item), is_requested=requested
        )
        act = disposition.decide(facts=facts, at=at).act
        if act != "keep":
            key = (item.record_class, item.object_id)
            records[key] = Planned(item=item, is_held=act == "hold")
    return [records[key] for key in sorted(records)]


def _hash(records: list[Planned]) -> str:
    digest = hashlib.sha256()
    for record in records:
        digest.update(record.line)
    return digest.hexdigest()


def _item(run: Run, record: Planned) -> RunItem:
    return RunItem(
        run=run,
        record_class=record.item.record_class,
        object_id=record.item.object_id,
        contact_id=record.item.contact_id,
        due_at=record.item.due_at,
        state=State.HELD if record.is_held else State.PENDING,
    )


def _is_unusual(count: int) -> bool:
    last = Run.objects.filter(state=Run.State.DONE, contact_id=None).order_by("-planned_at").first()
    usual = last.item_count * (100 + GROWTH_PERCENT) // 100 if last else 0
    return count > max(SMALL_RUN_ITEMS, usual)


def _begin(run: Run, at: datetime) -> None:
    run.refresh_from_db()
    require_plan(run=run)
    with transaction.atomic():
        begun = Run.objects.filter(pk=run.pk, state=run.state).update(
            state=Run.State.RUNNING, started_at=run.started_at or at
        )
        if not begun:
            raise AlreadyExecuted("Another process executes this run.")
        if run.state == Run.State.PLANNED:
            _record("retention.run.started", run, at=at, staff=run.actor)


def _check_plan(run: Run) -> None:
    if run.needs_confirmation and run.confirmed_at is None:
        raise NotConfirmed("This run is larger than usual. An officer has to confirm it first.")
    if run.contact_id and holds.is_held(contact_id=run.contact_id):
        raise HoldInForce("A hold is in force on this person. Nothing was erased.")
    if _hash(_planned(run.contact_id, run.planned_at)) != run.plan_sha256:
        raise PlanChanged("What is due has changed since the plan. Nothing was erased; plan again.")


def _waiting(run: Run) -> Iterator[RunItem]:
    last = 0
    while True:
        ahead = run.items.filter(pk__gt=last, state__in=[State.PENDING, State.FAILED])
        rows = list(ahead.order_by("pk")[:200])
        if not rows:
            return
        yield from rows
        last = rows[-1].pk


def _erase(item: RunItem, at: datetime) -> None:
    try:
        if item.record_class == PERSON:
            _erase_person(item, at)
        else:
            _erase_record(item, at)
    except (HoldInForce, certificates.NotCertified) as refused:
        is_held = isinstance(refused, HoldInForce)
        _mark(item, State.HELD if is_held else State.FAILED, type(refused).__name__)
    except Exception as fault:  # noqa: BLE001 - one record that fails must not keep the others
        # The text of a fault may hold what was being erased: only its kind is kept.
        log.warning("retention.item.failed", item_id=item.pk, fault=type(fault).__name__)
        _mark(item, State.FAILED, type(fault).__name__)


def _erase_record(item: RunItem, at: datetime) -> None:
    due = Due(item.record_class, item.object_id, item.contact_id, item.due_at)
    if holds.in_force().covers(due):
        raise HoldInForce
    holder = _ERASERS[_HOLDERS[item.record_class]]
    holder.erase_record(record_class=item.record_class, object_id=item.object_id, at=at)
    _mark(item, State.ERASED, "", at)


def _erase_person(item: RunItem, at: datetime) -> None:
    contact = _bury(item, at)
    for name, eraser in _ERASERS.items():
        if name not in item.parts:
            counts = eraser.erase(contact_id=contact.pk, at=at)
            item.parts = {**item.parts, name: dict(counts)}
            item.save(update_fields=["parts"])
    with transaction.atomic():
        _mark(item, State.ERASED, "", at)
        certificates.issue_for_person(item=item, at=at)


@transaction.atomic
def _bury(item: RunItem, at: datetime) -> Contact:
    """Write the tombstone and destroy the keys: from here on nothing of the person opens."""
    contact = contacts.lock(contact_id=uuid.UUID(item.object_id))
    if holds.is_held(contact_id=contact.pk):
        raise HoldInForce
    if "keys" in item.parts:
        return contact
    tombstones.write(contact_id=contact.pk, at=at)
    audit.record(
        action="retention.person.erasing",
        at=at,
        actor=audit.staff(item.run.actor),
        subject_id=contact.pk,
        object_type="retention.run",
        object_id=str(item.run_id),
        details={"trigger": item.run.trigger},
    )
    if item.run.contact_id is not None:
        # Asked for, and not the end of our own time: the CRMs that know them are told.
        crm_writing.plan_erasure(contact=contact, at=at)
    own = Q(pk=contact.key_id) | Q(parent_id=contact.key_id)
    destroyed = list(DataKey.objects.filter(own, destroyed_at=None).order_by("parent_id", "pk"))
    for key in destroyed:
        keys.destroy(key=key, at=at)
    item.parts = {**item.parts, "keys": {"destroyed": [str(key.pk) for key in destroyed]}}
    item.save(update_fields=["parts"])
    return contact


def _mark(item: RunItem, state: str, problem: str, at: datetime | None = None) -> None:
    item.state, item.problem, item.erased_at = state, problem[:80], at
    item.save(update_fields=["state", "problem", "erased_at"])


def _forget_pages() -> None:
    # SQLite's log keeps the pages that were erased until it is cut; nobody may hold it open then.
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _record(action: str, run: Run, *, at: datetime, staff: User | None) -> None:
    audit.record(
        action=action,
        at=at,
        actor=audit.staff(staff),
        subject_id=run.contact_id,
        object_type="retention.run",
        object_id=str(run.pk),
        details={"trigger": run.trigger, "items": run.item_count, "plan": run.plan_sha256},
    )
