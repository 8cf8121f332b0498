from datetime import timedelta

import pytest

from accounts.audit import SYSTEM
from consent import ledger, propagation
from retention import footprint, holds, overview, subject_requests, timeline
from tests.retention import people, story

pytestmark = pytest.mark.django_db(transaction=True)
THEN = story.AT + timedelta(hours=2)


def concerns(*, days: int = 0) -> dict[str, int]:
    found = overview.concerns(at=THEN + timedelta(days=days))
    return {concern.words: concern.count for concern in found}


def test_what_needs_attention_is_counted() -> None:
    person, _ = story.whole()
    holds.place(
        record_class="contact", object_id=person.pk, reason="regulator", at=THEN, staff=None
    )
    assert concerns()["Holds in force"] == 1


def test_a_request_near_its_end_and_one_past_it_are_told_apart() -> None:
    people.house()
    subject_requests.open_request(
        contact=people.contact(at=THEN), kind="access", channel="email", at=THEN
    )
    assert "Requests due within 7 days" not in concerns()
    assert concerns(days=27)["Requests due within 7 days"] == 1
    assert concerns(days=32)["Requests past their month"] == 1


def test_decisions_are_counted_by_channel_and_verdict() -> None:
    story.whole()
    growth = overview.verdicts(at=THEN)
    assert (growth.labels, growth.series["Allowed"]) == (["email"], [2])


def test_deletions_are_counted_by_outcome() -> None:
    person, _ = story.whole()
    request = subject_requests.open_request(
        contact=person, kind="erasure", channel="email", at=THEN
    )
    subject_requests.carry_out(request=request, at=THEN)
    assert overview.deletions(at=THEN).series["Erased"][-1] == 1


def test_the_timeline_is_the_trail_newest_first() -> None:
    person, _ = story.whole()
    events, count = timeline.of(contact=person, start=0, count=100)
    assert len(events) == count
    assert events[-1].title == "Registered"
    assert events[0].title == "Video played"
    assert [event.at for event in events] == sorted((e.at for e in events), reverse=True)


def test_the_timeline_names_each_system_that_was_told() -> None:
    person, _ = story.whole()
    ledger.withdraw(contact=person, act="button", source="page", at=THEN, actor=SYSTEM)
    propagation.pass_on(at=THEN)
    events, _ = timeline.of(contact=person, start=0, count=5)
    [told] = [event for event in events if event.title == "Another system was told of the stop"]
    assert told.detail == "sandbox"


def test_a_stretch_of_the_timeline_is_a_page() -> None:
    person, _ = story.whole()
    whole, _ = timeline.of(contact=person, start=0, count=100)
    assert timeline.of(contact=person, start=2, count=3)[0] == whole[2:5]


def test_the_footprint_counts_what_an_erasure_then_removes() -> None:
    person, _ = story.whole()
    stores = {store.name: store for store in footprint.of(contact=person, at=THEN)}
    assert stores["Keys"].count == 2
    assert stores["Videos"].count == stores["Stored objects"].count == stores["Plays"].count == 1
    assert not stores["Acts of consent"].goes
    request = subject_requests.open_request(
        contact=person, kind="erasure", channel="email", at=THEN
    )
    subject_requests.carry_out(request=request, at=THEN)
    person.refresh_from_db()
    left = footprint.of(contact=person, at=THEN)
    goes = {store.name for store in left if store.goes and store.count}
    assert goes == {"Links", "Backups"}
