import pytest

from accounts import keys
from accounts.models import DataKey, TrailLeaf
from consent.models import Contact
from retention import holds, runs
from retention.models import Certificate, Run, RunItem
from tests.retention import people
from tests.retention.people import AT, LATER

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _house() -> None:
    people.house()


def plan(person: Contact | None = None) -> Run:
    return runs.plan(at=LATER, trigger="officer", contact=person)


def test_a_person_past_their_time_is_erased_and_certified() -> None:
    person = people.contact()
    run = runs.execute(run=plan(), at=LATER)
    assert run.state == Run.State.DONE
    assert Contact.objects.get(pk=person.pk).erased_at == LATER
    assert Certificate.objects.get().contact_id == person.pk


def test_a_person_within_their_time_is_not_planned() -> None:
    people.contact()
    assert runs.plan(at=AT, trigger="officer").item_count == 0


def test_keys_are_destroyed_with_the_person() -> None:
    person = people.contact()
    runs.execute(run=plan(person), at=LATER)
    assert DataKey.objects.get(pk=person.key_id).wrapped is None
    with pytest.raises(keys.KeyDestroyed):
        keys.unseal(key=DataKey.objects.get(pk=person.key_id), sealed=b"", context="a.b:c", at=AT)


def test_the_acts_stand_in_the_trail_in_their_order() -> None:
    runs.execute(run=plan(people.contact()), at=LATER)
    acts = [row.action for row in TrailLeaf.objects.filter(at=LATER).order_by("id")]
    wanted = ["retention.run.planned", "retention.run.started", "retention.person.erasing"]
    assert acts[:4] == [*wanted, "accounts.key.destroyed"]
    assert acts[-2:] == ["retention.certificate.issued", "retention.run.executed"]


def test_a_plan_that_no_longer_holds_erases_nothing() -> None:
    first, run = people.contact(), plan()
    people.contact(number=2)
    with pytest.raises(runs.PlanChanged):
        runs.execute(run=run, at=LATER)
    assert Contact.objects.get(pk=first.pk).erased_at is None


def test_a_hold_placed_after_the_plan_stops_it() -> None:
    person, run = people.contact(at=AT), plan()
    DataKey.objects.filter(pk=person.key_id).update(delete_at=LATER)
    hold(person)
    with pytest.raises(runs.PlanChanged):
        runs.execute(run=run, at=LATER)


def test_a_held_person_is_planned_as_held_and_stays() -> None:
    person = people.contact()
    holds.place(
        record_class="contact", object_id=person.pk, reason="regulator", at=LATER, staff=None
    )
    run = runs.execute(run=plan(), at=LATER)
    assert run.items.get().state == RunItem.State.HELD
    assert Contact.objects.get(pk=person.pk).erased_at is None
    assert not Certificate.objects.exists()


def test_the_erasure_of_a_held_person_is_refused() -> None:
    person = people.contact()
    run = plan(person)
    hold(person)
    with pytest.raises(runs.HoldInForce):
        runs.execute(run=run, at=LATER)


def test_a_run_is_executed_once() -> None:
    run = runs.execute(run=plan(people.contact()), at=LATER)
    with pytest.raises(runs.AlreadyExecuted):
        runs.execute(run=run, at=LATER)


def test_what_was_stopped_in_the_middle_goes_on_from_there() -> None:
    person = people.contact()
    run = plan(person)
    Run.objects.filter(pk=run.pk).update(state=Run.State.RUNNING, started_at=LATER)
    runs._bury(run.items.get(), LATER)
    assert runs.retry_unfinished(at=LATER) == 1
    assert Contact.objects.get(pk=person.pk).erased_at == LATER
    assert Certificate.objects.count() == 1


def test_a_record_that_fails_leaves_the_run_unfinished() -> None:
    people.contact()
    run = plan()
    RunItem.objects.create(run=run, record_class="unheard_of", object_id="1", due_at=AT)
    Run.objects.filter(pk=run.pk).update(state=Run.State.RUNNING, started_at=LATER)
    run = runs.execute(run=run, at=LATER)
    assert run.state == Run.State.UNFINISHED
    assert run.items.get(record_class="contact").state == RunItem.State.ERASED


def test_a_run_of_unusual_size_waits_for_an_officer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "SMALL_RUN_ITEMS", 0)
    people.contact()
    run = plan()
    assert run.needs_confirmation
    with pytest.raises(runs.NotConfirmed):
        runs.execute(run=run, at=LATER)
    run = runs.confirm(run=run, at=LATER, staff=people.officer())
    assert runs.execute(run=run, at=LATER).state == Run.State.DONE


def hold(person: Contact) -> None:
    holds.place(record_class="contact", object_id=person.pk, reason="regulator", at=AT, staff=None)
