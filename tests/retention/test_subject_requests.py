from datetime import UTC, datetime

import pytest

from consent.models import Contact, Suppression
from retention import holds, subject_requests
from retention.models import Certificate, SubjectRequest
from tests.retention import people
from tests.retention.people import AT

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _house() -> None:
    people.house()


def ask(person: Contact, kind: str = "erasure") -> SubjectRequest:
    return subject_requests.open_request(contact=person, kind=kind, channel="email", at=AT)


def test_an_erasure_is_carried_out_and_certified() -> None:
    person = people.contact()
    request = subject_requests.carry_out(request=ask(person), at=AT)
    assert request.state == "done"
    assert Certificate.objects.get().contact_id == person.pk


def test_an_erased_address_is_still_not_written_to() -> None:
    person = people.contact()
    subject_requests.carry_out(request=ask(person), at=AT)
    assert Suppression.objects.filter(reason="erasure", lifted_at=None).count() == 3


def test_a_hold_defers_and_its_release_opens_again() -> None:
    person = people.contact()
    hold = holds.place(
        record_class="contact", object_id=person.pk, reason="complaint", at=AT, staff=None
    )
    request = subject_requests.carry_out(request=ask(person), at=AT)
    assert request.state == "deferred"
    holds.release(hold=hold, at=AT, staff=None)
    request.refresh_from_db()
    assert request.state == "open"
    assert subject_requests.carry_out(request=request, at=AT).state == "done"


@pytest.mark.parametrize(
    ("received", "due"),
    [((2026, 1, 31), (2026, 2, 28)), ((2028, 1, 31), (2028, 2, 29)), ((2026, 12, 5), (2027, 1, 5))],
)
def test_the_clock_is_one_month(received: tuple[int, int, int], due: tuple[int, int, int]) -> None:
    after = subject_requests.month_after(datetime(*received, tzinfo=UTC))
    assert after == datetime(*due, tzinfo=UTC)


def test_an_access_request_is_answered_with_a_signed_copy() -> None:
    person = people.contact()
    ask(person, "access")
    copy = subject_requests.export(contact=person, at=AT, staff=people.officer())
    assert copy["signed"]
    assert copy["person"] == person.public_id


def test_the_same_request_is_not_opened_twice() -> None:
    person = people.contact()
    ask(person)
    with pytest.raises(subject_requests.RequestRefused):
        ask(person)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(subject_requests.RequestRefused):
        ask(people.contact(), "applause")


def test_an_erased_person_is_not_erased_again() -> None:
    person = people.contact()
    subject_requests.carry_out(request=ask(person), at=AT)
    person.refresh_from_db()
    with pytest.raises(subject_requests.RequestRefused):
        ask(person)


def test_an_erasure_is_not_closed_as_done_by_hand() -> None:
    request = ask(people.contact())
    with pytest.raises(subject_requests.RequestRefused):
        subject_requests.close(request=request, outcome="done", at=AT, staff=None)


def test_an_access_request_is_closed_once() -> None:
    request = ask(people.contact(), "access")
    subject_requests.close(request=request, outcome="done", at=AT, staff=None)
    with pytest.raises(subject_requests.RequestRefused):
        subject_requests.close(request=request, outcome="done", at=AT, staff=None)
