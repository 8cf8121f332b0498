from datetime import timedelta

import pytest

from config.lib import clock
from consent.models import Contact
from retention import holds, jobs, runs, subject_requests, verification
from retention.models import Certificate, Policy, Run, VerificationReport
from tests.retention import people

pytestmark = pytest.mark.django_db(transaction=True)


def old_contact(number: int = 1) -> Contact:
    return people.contact(number=number, at=clock.now() - timedelta(days=800))


def test_the_hourly_job_erases_what_is_due_and_makes_the_policies() -> None:
    person = old_contact()
    jobs.run_policies()
    assert Contact.objects.get(pk=person.pk).erased_at
    assert Policy.objects.exists()
    assert Certificate.objects.get().contact_id == person.pk


def test_nothing_due_leaves_no_run_behind() -> None:
    people.contact(at=clock.now())
    jobs.run_policies()
    assert not Run.objects.exists()


def test_what_is_only_on_hold_leaves_no_run_behind() -> None:
    person = old_contact()
    holds.place(
        record_class="contact",
        object_id=person.pk,
        reason="regulator",
        at=clock.now(),
        staff=None,
    )
    jobs.run_policies()
    assert not Run.objects.exists()


def test_the_job_carries_out_open_requests() -> None:
    people.house()
    person = people.contact(at=clock.now())
    request = subject_requests.open_request(
        contact=person, kind="erasure", channel="email", at=clock.now()
    )
    jobs.run_policies()
    request.refresh_from_db()
    assert request.state == "done"


def test_an_unusual_run_waits_and_is_not_planned_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "SMALL_RUN_ITEMS", 0)
    person = old_contact()
    jobs.run_policies()
    jobs.run_policies()
    assert Run.objects.get().state == "planned"
    assert Contact.objects.get(pk=person.pk).erased_at is None


def test_the_check_keeps_its_report_and_drops_old_ones() -> None:
    old = verification.ask(at=clock.now() - timedelta(days=91), staff=None)
    jobs.verify()
    assert VerificationReport.objects.get().pk != old.pk
    assert VerificationReport.objects.get().is_kept


def test_a_run_that_may_not_be_executed_is_left_alone() -> None:
    people.house()
    run = runs.plan(at=clock.now(), trigger="officer")
    runs.execute(run=run, at=clock.now())
    jobs.execute(str(run.pk))
    assert Run.objects.get().state == "done"


def test_a_changed_period_holds_for_people_who_came_after() -> None:
    jobs.run_policies()
    Policy.objects.filter(pk="contact").update(period_days=90)
    person = people.contact(number=5, at=clock.now())
    jobs.run_policies()
    person.key.refresh_from_db()
    assert person.key.delete_at == person.key.created_at + timedelta(days=90)
