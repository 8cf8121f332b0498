"""Is an erased person gone everywhere, and do they stay gone? Database, files, sandbox, restore."""

from datetime import timedelta

import pytest
from django.db import connection

from consent import contacts, gate, outbox
from consent.models import Contact, Message
from retention import jobs, runs, subject_requests, sweep, tombstones, verification
from retention.models import Certificate, RunItem
from tests.retention import story
from tests.videos import stage
from videos import links, personal_data
from videos.models import Link

pytestmark = pytest.mark.django_db(transaction=True)
SECRETS = ["Zoë Ångström", "zoe@example.org", "+4915112345678", "192.0.2.7"]
THEN = story.AT + timedelta(days=1)


def erased() -> tuple[Contact, Link]:
    person, link = story.whole()
    request = subject_requests.open_request(
        contact=person, kind="erasure", channel="email", at=THEN
    )
    assert subject_requests.carry_out(request=request, at=THEN).state == "done"
    return Contact.objects.select_related("key").get(pk=person.pk), link


def test_nothing_of_them_is_left_in_any_table_or_file() -> None:
    erased()
    assert sweep.sweep(values=SECRETS).found == ()
    assert not Link.objects.filter(revoked_at=None)


def test_their_link_is_dead_and_their_messages_have_no_text() -> None:
    person, link = erased()
    fresh = links.with_keys().get(pk=link.pk)
    assert not links.is_live(link=fresh, at=THEN)
    assert not Message.objects.filter(contact=person).exclude(body_sealed=None).exists()


def test_who_comes_back_by_an_import_is_still_not_written_to() -> None:
    erased()
    again = stage.person(at=THEN)
    verdict = gate.judge(contact=again, purpose_code="marketing", channel="email", at=THEN)
    assert "suppressed" in {reason.code for reason in verdict.reasons}
    assert verdict.verdict == "refuse"
    assert outbox.dispatch(at=THEN).sent == 0


def test_all_seven_promises_hold_after_it() -> None:
    erased()
    broken = [report.number for report in verification.verify(at=THEN) if not report.is_kept]
    assert not broken


def test_a_part_that_fails_gives_no_certificate_and_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    person, _ = story.whole()
    request = subject_requests.open_request(contact=person, kind="erasure", channel="x", at=THEN)
    with monkeypatch.context() as broken:
        broken.setattr(personal_data, "erase", lambda **_: 1 // 0)
        with pytest.raises(subject_requests.NotErased):
            subject_requests.carry_out(request=request, at=THEN)
    assert not Certificate.objects.exists()
    assert RunItem.objects.get().problem == "ZeroDivisionError"
    request.refresh_from_db()
    assert subject_requests.carry_out(request=request, at=THEN).state == "done"
    assert Certificate.objects.count() == 1


def test_a_restore_that_brings_them_back_is_named_and_undone() -> None:
    person, _ = erased()
    back = stage.person(name="Zoë Back", email="back@example.org", phone="+4915112345679", at=THEN)
    tombstones.write(contact_id=back.pk, at=THEN)
    named = [fault for check in verification.verify(at=THEN)[5].checks for fault in check.first]
    assert named == [f"contact {back.pk}: was erased, and a restore brought them back"]
    jobs.bury_returned()
    assert Contact.objects.get(pk=back.pk).erased_at
    assert not list(tombstones.returned())
    assert contacts.find(partner=None, email="back@example.org") is None
    assert person.erased_at


def test_a_run_goes_on_where_a_kill_stopped_it() -> None:
    person, _ = story.whole()
    run = runs.plan(at=THEN, trigger="officer", contact=person)
    runs._begin(run, THEN)
    runs._bury(run.items.get(), THEN)
    connection.close()
    assert runs.retry_unfinished(at=THEN) == 1
    assert Contact.objects.get(pk=person.pk).erased_at
    assert Certificate.objects.count() == 1
