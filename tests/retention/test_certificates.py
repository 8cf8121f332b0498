from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from accounts import audit
from accounts.models import DataKey
from config.lib import canonical
from consent.models import Contact
from retention import certificates, runs
from retention.models import Certificate, RunItem
from tests.retention import people
from tests.retention.people import LATER

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _house() -> None:
    people.house()


def erase(number: int = 1) -> Certificate:
    run = runs.plan(at=LATER, trigger="officer", contact=people.contact(number=number))
    return Certificate.objects.get(run=runs.execute(run=run, at=LATER))


def test_a_certificate_says_what_was_destroyed_and_what_stays() -> None:
    document = erase().document
    person = Contact.objects.get(pk=document["subject"])
    assert document["keys_destroyed"] == [str(person.key_id)]
    assert set(document["residue"]) == {"suppression", "consent_event", "trail"}
    assert document["backups_until"] == canonical.instant(LATER + timedelta(days=30))
    assert document["checked"] == {"keys_that_open": 0, "values_left": 0, "objects_left": 0}


def test_certificates_are_numbered_and_chained() -> None:
    first, second = erase(1), erase(2)
    assert (first.number, second.number) == (1, 2)
    assert second.document["previous"] == first.document_hash


def test_the_signature_is_of_the_document_by_the_key_of_the_trail() -> None:
    certificate = erase()
    assert certificate.signature == audit.sign(certificate.document)["signature"]
    assert certificate.document_hash == canonical.digest(certificate.document)


def test_an_issued_certificate_is_not_issued_again() -> None:
    certificate = erase()
    item = certificate.run.items.get()
    assert certificates.issue_for_person(item=item, at=LATER) == certificate


def test_a_certificate_cannot_be_changed() -> None:
    certificate = erase()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Certificate.objects.filter(pk=certificate.pk).update(number=9)


def test_no_certificate_while_a_part_is_unfinished() -> None:
    run = runs.plan(at=LATER, trigger="officer", contact=people.contact())
    item = run.items.get()
    item.state, item.parts = RunItem.State.ERASED, {"keys": {}, "videos": {}}
    with pytest.raises(certificates.Unfinished):
        certificates.issue_for_person(item=item, at=LATER)


def test_no_certificate_while_a_key_opens() -> None:
    run = runs.plan(at=LATER, trigger="officer", contact=people.contact())
    item = run.items.get()
    parts = ("keys", "retention", "videos", "consent", "integrations", "accounts")
    item.state, item.parts = RunItem.State.ERASED, {part: {} for part in parts}
    DataKey.objects.update(delete_at=None)
    with pytest.raises(certificates.StillReadable):
        certificates.issue_for_person(item=item, at=LATER)


def test_a_run_that_erased_nothing_has_no_certificate() -> None:
    run = runs.execute(run=runs.plan(at=LATER, trigger="officer"), at=LATER)
    assert certificates.issue_for_run(run=run, at=LATER) is None
