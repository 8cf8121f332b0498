"""Does each CRM learn of stops and erasures, with a receipt, and is no note written twice?"""

import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest

from accounts.audit import SYSTEM
from accounts.models import TrailLeaf
from consent import crm_writing, ledger, propagation
from consent.models import ConsentEvent, Contact, CrmLink, Propagation, Writeback
from integrations.models import CrmSync
from retention import policies, runs, subject_requests
from retention.models import SubjectRequest
from tests.consent import crms
from tests.consent.crms import Reading
from tests.consent.people import agreed, person
from tests.consent.test_crm_readers import add, change, state
from tests.consent.test_personal_data import sent
from tests.simulators.base import Answer, json_answer
from tests.simulators.hubspot import HubSpot
from tests.simulators.salesforce import Salesforce
from tests.simulators.zoho import Zoho

pytestmark = pytest.mark.django_db
RECEIPTS = {"hubspot": "erased", "salesforce": "recorded_not_erased", "zoho": "in_recycle_bin"}


@pytest.fixture(params=["hubspot", "salesforce", "zoho"])
def crm(request: pytest.FixtureRequest) -> Iterator[Reading]:
    with crms.reading(request.param) as found:
        yield found


@pytest.fixture
def hub() -> Iterator[Reading]:
    with crms.reading("hubspot") as found:
        yield found


def known(crm: Reading, **more: str) -> tuple[str, Contact]:
    record = add(crm, 1, **more)
    crm.whole()
    return record, crm.contact(record)


def stop(crm: Reading, contact: Contact) -> None:
    ledger.withdraw(contact=contact, act="button", source="page", at=crm.clock(), actor=SYSTEM)


def erase(crm: Reading, contact: Contact) -> Writeback:
    run = runs.plan(at=crm.clock(), trigger="officer", contact=contact)
    runs.execute(run=run, at=crm.clock())
    return Writeback.objects.get()


def pass_on(crm: Reading) -> dict[str, int]:
    return dict(crm_writing.pass_on(at=crm.clock(), now=crm.clock))


def has_no(crm: Reading, record: str) -> bool:
    vendor = crm.vendor
    if isinstance(vendor, HubSpot):
        return "n1@example.org" in vendor.unsubscribed
    field = "HasOptedOutOfEmail" if isinstance(vendor, Salesforce) else "Email_Opt_Out"
    return vendor.people[record].get(field) is True  # type: ignore[attr-defined]


def is_forgotten(crm: Reading, record: str) -> bool:
    vendor = crm.vendor
    if isinstance(vendor, HubSpot):
        return vendor.forgotten == [record]
    if isinstance(vendor, Zoho):
        return record in vendor.bin
    assert isinstance(vendor, Salesforce)
    return vendor.individuals[vendor.people[record]["IndividualId"]]["ShouldForget"] is True


def test_a_stop_reaches_the_crm_and_comes_back_as_no_new_act(crm: Reading) -> None:
    record, contact = known(crm)
    stop(crm, contact)
    assert propagation.pass_on(at=crm.clock()).told == 1
    assert has_no(crm, record)
    events = ConsentEvent.objects.count()
    change(crm, record)
    crm.whole()
    assert ConsentEvent.objects.count() == events


def test_a_stop_that_the_crm_told_is_not_told_back(hub: Reading) -> None:
    add(hub, 1, hs_email_optout="true")
    hub.whole()
    calls = len(hub.vendor.calls)
    assert propagation.pass_on(at=hub.clock()).not_needed == 1
    assert len(hub.vendor.calls) == calls


def test_a_crm_that_does_not_answer_is_told_later(hub: Reading) -> None:
    _, contact = known(hub)
    stop(hub, contact)
    hub.vendor.plant("/unsubscribe-all", Answer(503))
    assert propagation.pass_on(at=hub.clock()).later == 1
    hub.clock.move(120)
    assert propagation.pass_on(at=hub.clock()).told == 1
    assert Propagation.objects.get().state == "told"


def test_an_erasure_is_a_target_of_each_crm_with_its_receipt(crm: Reading) -> None:
    record, contact = known(crm)
    row = erase(crm, contact)
    assert (row.state, CrmLink.objects.get().record_id) == ("waiting", record)
    assert pass_on(crm) == {"told": 1}
    assert is_forgotten(crm, record)
    row.refresh_from_db()
    assert row.receipt is not None
    assert row.receipt["code"] == RECEIPTS[crm.row.provider]
    leaf = TrailLeaf.objects.get(action="consent.writeback.told")
    assert (leaf.details["receipt"], leaf.subject_id) == (row.receipt["code"], contact.pk)
    assert CrmLink.objects.get().record_id == ""
    assert pass_on(crm) == {}


def test_the_end_of_our_own_time_deletes_nothing_at_a_crm(crm: Reading) -> None:
    known(crm)
    crm.clock.move(timedelta(days=731).total_seconds())
    policies.ensure_defaults(at=crm.clock())
    runs.execute(run=runs.plan(at=crm.clock(), trigger="schedule"), at=crm.clock())
    assert Contact.objects.exclude(erased_at=None).count() == 1
    link = CrmLink.objects.get()
    assert (link.record_id, link.gone_how, Writeback.objects.count()) == ("", "erased", 0)


def test_an_erased_person_is_not_brought_back_by_a_reading(crm: Reading) -> None:
    record, contact = known(crm)
    erase(crm, contact)
    change(crm, record)
    crm.whole()
    crm.map()
    assert crm.whole()["erased_here"] == 1
    assert Contact.objects.filter(erased_at=None).count() == 0


def test_an_erasure_that_nobody_knows_of_is_told_again(crm: Reading) -> None:
    record, contact = known(crm)
    erase(crm, contact)
    paths = {"hubspot": "/gdpr-delete", "salesforce": "/query", "zoho": record}
    crm.vendor.plant(paths[crm.row.provider], Answer(500, b"<html>"))
    assert pass_on(crm) == {"later": 1}
    crm.clock.move(120)
    assert pass_on(crm) == {"told": 1}
    assert is_forgotten(crm, record)


def test_a_record_that_is_gone_is_erased(crm: Reading) -> None:
    record, contact = known(crm)
    erase(crm, contact)
    people = crm.vendor.people  # type: ignore[attr-defined]
    people.pop(int(record) if isinstance(crm.vendor, HubSpot) else record)
    assert pass_on(crm) == {"told": 1}


def test_an_erasure_that_is_refused_is_a_failure_to_look_at(hub: Reading) -> None:
    _, contact = known(hub)
    erase(hub, contact)
    hub.vendor.plant("/gdpr-delete", json_answer(403, {"category": "MISSING_SCOPES"}))
    assert pass_on(hub) == {"failed": 1}
    row = Writeback.objects.get()
    assert (row.state, row.problem) == ("failed", "forbidden:MISSING_SCOPES")


def test_nothing_is_told_to_another_account(hub: Reading) -> None:
    _, contact = known(hub)
    erase(hub, contact)
    CrmLink.objects.update(account_id="999")
    calls = len(hub.vendor.calls)
    assert pass_on(hub) == {"failed": 1}
    assert len(hub.vendor.calls) == calls


def test_a_message_is_noted_once_and_only_where_that_is_wanted(crm: Reading) -> None:
    message = sent(agreed(person(email="n1@example.org"), "email"))
    known(crm)
    type(message).objects.update(sent_at=crm.clock())
    assert crm_writing.plan_notes(at=crm.clock()) == 0
    CrmSync.objects.update(writes_notes=True)
    assert crm_writing.plan_notes(at=crm.clock()) == 1
    assert crm_writing.plan_notes(at=crm.clock()) == 0
    assert pass_on(crm) == {"told": 1}
    notes = getattr(crm.vendor, "tasks", None) or crm.vendor.notes  # type: ignore[attr-defined]
    assert len(notes) == 1
    assert str(message.pk) in str(notes)
    assert "example.org" not in str(notes)


def test_a_first_view_is_noted_there_without_a_personal_value(crm: Reading) -> None:
    _, contact = known(crm)
    CrmSync.objects.update(writes_notes=True)
    watched = uuid.uuid4()
    for _ in range(2):
        crm_writing.plan_watched(contact_id=contact.pk, link_id=watched, at=crm.clock())
    assert pass_on(crm) == {"told": 1}
    notes = getattr(crm.vendor, "tasks", None) or crm.vendor.notes  # type: ignore[attr-defined]
    assert f"Video watched ({watched})" in str(notes)
    assert "example.org" not in str(notes)


def test_a_note_that_nobody_knows_of_waits_for_a_human(hub: Reading) -> None:
    _, contact = known(hub)
    link = CrmLink.objects.get()
    Writeback.objects.create(
        kind="note",
        connection=hub.row,
        link=link,
        contact=contact,
        event="message",
        event_id=uuid.uuid4(),
        happened_at=hub.clock(),
        due_at=hub.clock(),
        next_at=hub.clock(),
    )
    hub.vendor.plant("/notes", Answer(302))
    assert pass_on(hub) == {"unknown": 1}
    hub.clock.move(86_400)
    assert pass_on(hub) == {}
    assert hub.vendor.notes == []  # type: ignore[attr-defined]


def test_whoever_asked_there_to_be_forgotten_is_forgotten_here() -> None:
    with crms.reading("salesforce") as crm:
        assert isinstance(crm.vendor, Salesforce)
        crm.vendor.individuals["0PK1"] = {"ShouldForget": True}
        _, contact = known(crm, IndividualId="0PK1")
        assert state(crm, contact) == "withdrawn"
        assert subject_requests.open_asked_in_crms(at=crm.clock()) == 1
        assert subject_requests.open_asked_in_crms(at=crm.clock() + timedelta(hours=1)) == 0
        request = SubjectRequest.objects.get()
        subject_requests.carry_out(request=request, at=crm.clock())
        contact.refresh_from_db()
        assert (request.channel, contact.erased_at is None) == ("crm", False)
