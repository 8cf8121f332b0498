from datetime import timedelta
from typing import Any

import pytest

from accounts import keys
from accounts.models import DataKey, TrailLeaf
from consent import contacts
from consent.models import Contact
from retention import holds, runs
from retention.models import Hold, KeptKey
from tests.retention import people
from tests.retention.people import AT, LATER

pytestmark = pytest.mark.django_db


def place(*, person: Contact | None = None, **changed: Any) -> Hold:
    person = person or people.contact()
    wanted: dict[str, Any] = {
        "record_class": "contact",
        "object_id": person.pk,
        "reason": "litigation",
        "at": AT,
        "staff": None,
    }
    return holds.place(**{**wanted, **changed})


def test_a_hold_keeps_a_person_readable_past_their_time() -> None:
    person = people.contact()
    place(person=person)
    person.refresh_from_db()
    assert contacts.opened(contact=person, at=LATER).name == "Ottilie Quandt1"


def test_without_a_hold_the_same_person_does_not_open() -> None:
    with pytest.raises(keys.KeyExpired):
        contacts.opened(contact=people.contact(), at=LATER)


def test_a_release_ends_the_key_when_it_would_have_ended() -> None:
    person = people.contact()
    ends = person.key.delete_at
    holds.release(hold=place(person=person), at=AT + timedelta(days=5), staff=None)
    assert DataKey.objects.get(pk=person.key_id).delete_at == ends
    assert not KeptKey.objects.exists()


def test_a_release_after_the_time_shuts_the_key_at_once() -> None:
    person = people.contact()
    holds.release(hold=place(person=person), at=LATER, staff=None)
    with pytest.raises(keys.KeyExpired):
        contacts.opened(contact=type(person).objects.get(pk=person.pk), at=LATER)


def test_a_hold_does_not_bring_back_what_is_past_its_time() -> None:
    person = people.contact()
    place(person=person, at=LATER)
    with pytest.raises(keys.KeyExpired):
        contacts.opened(contact=type(person).objects.get(pk=person.pk), at=LATER)


def test_placing_and_releasing_stand_in_the_trail() -> None:
    holds.release(hold=place(), at=AT, staff=None)
    actions = TrailLeaf.objects.filter(action__startswith="retention.hold")
    assert [row.action for row in actions] == ["retention.hold.placed", "retention.hold.released"]


def test_a_second_hold_on_the_same_is_refused() -> None:
    person = people.contact()
    place(person=person)
    with pytest.raises(holds.AlreadyHeld):
        place(person=person)


def test_a_hold_on_nobody_is_refused() -> None:
    with pytest.raises(holds.NothingToHold):
        place(object_id=place().pk)


def test_a_hold_on_an_erased_person_is_refused() -> None:
    people.house()
    person = people.contact()
    runs.execute(run=runs.plan(at=AT, trigger="officer", contact=person), at=AT)
    with pytest.raises(holds.NothingToHold):
        place(person=person)


@pytest.mark.parametrize("changed", [{"reason": "because"}, {"reference": "Anna Weber"}])
def test_a_reason_is_a_code_and_a_reference_has_no_words(changed: dict[str, Any]) -> None:
    with pytest.raises(holds.HoldRefused):
        place(**changed)


def test_what_cannot_be_held_is_refused() -> None:
    with pytest.raises(holds.HoldRefused):
        place(record_class="session")


def test_a_hold_is_released_once() -> None:
    hold = place()
    holds.release(hold=hold, at=AT, staff=None)
    with pytest.raises(holds.NotHeld):
        holds.release(hold=hold, at=AT, staff=None)
