"""Does a certificate say which CRM was told of an erasure, when, and what it answered?"""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

import verify_proof
from config.lib import canonical
from consent import crm_writing
from consent.models import Contact, Writeback
from retention import certificates, proof, runs
from retention.models import Certificate
from tests.consent import crms
from tests.consent.crms import Reading
from tests.consent.test_crm_readers import add
from tests.simulators.base import Answer, json_answer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def hub() -> Iterator[Reading]:
    with crms.reading("hubspot") as found:
        yield found


def erased(hub: Reading) -> Contact:
    record = add(hub, 1)
    hub.whole()
    contact = hub.contact(record)
    run = runs.plan(at=hub.clock(), trigger="officer", contact=contact)
    runs.execute(run=run, at=hub.clock())
    return contact


def pass_on(hub: Reading) -> dict[str, int]:
    hub.clock.move(60)
    return dict(crm_writing.pass_on(at=hub.clock(), now=hub.clock))


def told(number: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = Certificate.objects.get(number=number).document["told"]
    return found


def faults(document: dict[str, Any]) -> list[str]:
    return [str(fault) for fault in verify_proof.check_certificates(document)]


def test_the_first_names_who_is_told_and_a_second_what_they_answered(hub: Reading) -> None:
    erased(hub)
    assert [(one["provider"], one["state"]) for one in told(1)] == [("hubspot", "waiting")]
    assert certificates.follow_up(at=hub.clock()) == 0
    assert pass_on(hub) == {"told": 1}
    assert certificates.follow_up(at=hub.clock()) == 1
    [answer] = told(2)
    row = Writeback.objects.get()
    assert (answer["id"], answer["receipt"], answer["status"]) == (str(row.pk), "erased", 204)
    assert answer["answered_at"] == canonical.instant(hub.clock())
    document = Certificate.objects.get(number=2).document
    assert (document["scope"], document["format"]) == ("answers", "sealcast-certificate/2")
    assert document["checked"] == {"targets_that_wait": 0}


def test_what_was_certified_is_not_certified_again(hub: Reading) -> None:
    erased(hub)
    pass_on(hub)
    assert [certificates.follow_up(at=hub.clock()) for _ in range(3)] == [1, 0, 0]


def test_a_refusal_is_certified_as_one_and_its_mending_too(hub: Reading) -> None:
    erased(hub)
    refused = json_answer(403, {"status": "error", "category": "MISSING_SCOPES"})
    hub.vendor.plant("/gdpr-delete", refused)
    assert pass_on(hub) == {"failed": 1}
    assert certificates.follow_up(at=hub.clock()) == 1
    assert [(one["state"], one["problem"]) for one in told(2)] == [
        ("failed", "forbidden:MISSING_SCOPES")
    ]
    again = {"state": "waiting", "next_at": hub.clock(), "done_at": None, "problem": ""}
    Writeback.objects.update(**again)
    assert certificates.follow_up(at=hub.clock()) == 0
    assert pass_on(hub) == {"told": 1}
    assert certificates.follow_up(at=hub.clock()) == 1
    assert [one["state"] for one in told(3)] == ["told"]


def test_nothing_is_certified_while_one_of_them_waits(hub: Reading) -> None:
    erased(hub)
    hub.vendor.plant("/gdpr-delete", Answer(503))
    assert pass_on(hub) == {"later": 1}
    assert certificates.follow_up(at=hub.clock()) == 0


def test_a_person_whom_no_crm_knew_has_nobody_to_be_told(hub: Reading) -> None:
    contact = erased(hub)
    assert certificates.follow_up(at=hub.clock()) == 0
    assert Certificate.objects.get().contact_id == contact.pk


def test_the_answers_are_checked_against_the_trail(hub: Reading) -> None:
    contact = erased(hub)
    pass_on(hub)
    certificates.follow_up(at=hub.clock())
    document: dict[str, Any] = dict(proof.build(contact=contact, at=hub.clock()))
    assert [f for _, _, found in verify_proof.examine(document) for f in found] == []
    for name, value in {"receipt": "already_gone", "status": 404, "reference": "x"}.items():
        forged = copy.deepcopy(document)
        forged["certificates"][1]["document"]["told"][0][name] = value
        assert "certificates[1]: told[0]: the trail tells of another answer" in faults(forged)
    forged = copy.deepcopy(document)
    forged["certificates"][1]["document"]["told"][0]["answered_at"] = "2020-01-01T00:00:00.000000Z"
    assert "certificates[1]: told[0]: the trail does not tell of the answer" in faults(forged)


def test_the_form_before_is_read_and_another_is_not(hub: Reading) -> None:
    contact = erased(hub)
    document: dict[str, Any] = dict(proof.build(contact=contact, at=hub.clock()))
    old = document["certificates"][0]["document"]
    del old["told"]
    old["format"] = "sealcast-certificate/1"
    assert not any("told" in fault or "form" in fault for fault in faults(document))
    old["format"] = "sealcast-certificate/9"
    assert any("a form that this program does not know" in fault for fault in faults(document))
