from datetime import timedelta

import pytest

from accounts import keys
from accounts.audit import SYSTEM
from accounts.models import TrailLeaf
from config.schedules import SCHEDULES
from consent import ledger, outbox, propagation
from consent.models import Contact, Propagation
from consent.propagation import Passed
from integrations import connections, phones
from integrations.messaging.sandbox import SandboxProvider
from integrations.models import Connection, SandboxMessage
from tests.consent.people import NOON, agreed, person
from tests.consent.test_outbox import queued

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def stopped(**fields: object) -> Contact:
    """Let somebody stop whom one messaging provider could write to by itself."""
    connections.ensure_local(at=NOON)
    contact = agreed(person(**fields), "email")  # type: ignore[arg-type]
    ledger.withdraw(contact=contact, act="button", source="page", at=NOON, actor=SYSTEM)
    return contact


def states() -> list[str]:
    return list(Propagation.objects.order_by("pk").values_list("state", flat=True))


def test_a_provider_is_told_once_on_every_channel() -> None:
    stopped()
    assert propagation.pass_on(at=NOON + MINUTE) == Passed(told=1)
    assert propagation.pass_on(at=NOON + 2 * MINUTE) == Passed()
    marks = SandboxMessage.objects.filter(direction="stopped")
    assert set(marks.values_list("channel", flat=True)) == {"email", "sms", "whatsapp"}
    leaf = TrailLeaf.objects.get(action="consent.propagation.told")
    assert (leaf.details["seconds"], leaf.details["late"]) == (60, False)


def test_the_phone_shows_that_its_provider_knows() -> None:
    contact = agreed(person(), "email")
    queued(contact)
    outbox.dispatch(at=NOON)
    ledger.withdraw(contact=contact, act="button", source="page", at=NOON, actor=SYSTEM)
    assert phones.threads(limit=5)[0].stopped_at is None
    propagation.pass_on(at=NOON + MINUTE)
    [thread] = phones.threads(limit=5)
    assert thread.stopped_at is not None


def test_a_busy_provider_is_told_later_and_not_for_ever() -> None:
    stopped(email="x0002@example.org")
    assert propagation.pass_on(at=NOON) == Passed(later=1)
    assert propagation.pass_on(at=NOON) == Passed()
    for hours in range(1, 24):
        propagation.pass_on(at=NOON + timedelta(hours=6 * hours))
    row = Propagation.objects.get()
    assert (row.state, row.attempts, row.problem) == ("failed", 20, "busy")


def test_a_provider_that_will_not_is_a_failure_to_look_at() -> None:
    stopped(email="fails@example.org")
    assert propagation.pass_on(at=NOON) == Passed(failed=1)
    assert Propagation.objects.get().problem == "address_rejected"


def test_a_system_without_an_adapter_is_not_called_told() -> None:
    Connection.objects.create(
        kind="crm", provider="unheard", label="CRM", auth_kind="key", created_at=NOON
    )
    stopped()
    propagation.pass_on(at=NOON)
    assert sorted(states()) == ["failed", "told"]


def test_a_provider_that_keeps_no_stops_needs_no_telling(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped()
    monkeypatch.delattr(SandboxProvider, "stop")
    assert propagation.pass_on(at=NOON) == Passed(not_needed=1)


def test_what_is_switched_off_is_told_when_it_is_on_again() -> None:
    stopped()
    Connection.objects.update(state="disabled")
    assert propagation.pass_on(at=NOON) == Passed()
    Connection.objects.update(state="active")
    assert propagation.pass_on(at=NOON) == Passed(told=1)


def test_a_person_past_their_time_can_be_named_to_nobody() -> None:
    contact = stopped()
    keys.destroy(key=contact.key, at=NOON)
    propagation.pass_on(at=NOON)
    row = Propagation.objects.get()
    assert (row.state, row.problem) == ("failed", "no_address")


def test_two_workers_do_not_take_one_row() -> None:
    stopped()
    row = Propagation.objects.select_related("revocation__contact__key", "connection").get()
    assert propagation._claim(row, NOON)
    assert not propagation._claim(row, NOON)


def test_the_clock_shows_how_long_it_took_and_what_is_late() -> None:
    for minutes in (1, 2, 30):
        stopped()
        propagation.pass_on(at=NOON + minutes * MINUTE)
    stopped(email="x0002@example.org")
    late = propagation.overview(at=NOON + timedelta(days=20))
    [system] = late.systems
    assert (system.told, system.waiting, system.overdue, late.overdue) == (3, 1, 1, 1)
    assert (system.median_seconds, system.p95_seconds) == (120.0, 1800.0)
    assert (system.oldest, system.due_next) == (NOON, NOON + timedelta(days=2))


def test_the_house_does_it_by_itself_each_minute() -> None:
    assert ("consent.jobs.pass_on_stops", 1) in {(task, every) for _, task, every in SCHEDULES}
