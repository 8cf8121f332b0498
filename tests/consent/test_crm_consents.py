"""Do Salesforce's rows of consent stop whom they say no of, and are they told of a stop?"""

from collections.abc import Iterator

import pytest

from accounts.audit import SYSTEM
from consent import ledger, propagation
from consent.models import ConsentEvent, Contact, Propagation
from integrations.crm import mapping
from integrations.crm import salesforce_rows as table
from tests.consent import crms
from tests.consent.crms import Reading
from tests.consent.test_crm_readers import add, state
from tests.simulators.base import Answer, json_answer
from tests.simulators.salesforce import Salesforce

pytestmark = pytest.mark.django_db
PERSON = "0PK5g0000000001"


@pytest.fixture
def sales() -> Iterator[Reading]:
    with crms.reading("salesforce") as found:
        yield found


def say(crm: Reading, kind: str, status: str, person: str = PERSON) -> str:
    assert isinstance(crm.vendor, Salesforce)
    return crm.vendor.consent(person, kind, status, at=crm.clock.at.timestamp())


def known(crm: Reading, number: int = 1, person: str = PERSON) -> tuple[str, Contact]:
    record = add(crm, number, IndividualId=person)
    crm.whole()
    return record, crm.contact(record)


def ended(crm: Reading, contact: Contact) -> set[str]:
    return {c for c in ("email", "sms", "whatsapp") if state(crm, contact, c) == "withdrawn"}


def stop(crm: Reading, contact: Contact) -> propagation.Passed:
    ledger.withdraw(contact=contact, act="button", source="page", at=crm.clock(), actor=SYSTEM)
    return propagation.pass_on(at=crm.clock())


@pytest.mark.parametrize(
    ("kind", "channels"),
    [("Email", {"email"}), ("Phone", {"sms", "whatsapp"}), ("MailingAddress", set())],
)
def test_a_no_stops_the_channels_of_its_kind(sales: Reading, kind: str, channels: set[str]) -> None:
    say(sales, kind, "OptOut")
    _, contact = known(sales)
    assert ended(sales, contact) == channels


def test_the_strictest_of_several_rows_wins(sales: Reading) -> None:
    for status in ("OptIn", "OptOut", "OptIn"):
        say(sales, "Email", status)
    _, contact = known(sales)
    assert ended(sales, contact) == {"email"}


def test_a_yes_allows_nothing(sales: Reading) -> None:
    say(sales, "Email", "OptIn")
    known(sales)
    assert not ConsentEvent.objects.exists()


def test_a_no_of_somebody_else_stops_nobody(sales: Reading) -> None:
    say(sales, "Email", "OptOut", "0PK5g0000000002")
    _, contact = known(sales)
    assert ended(sales, contact) == set()


def test_a_no_is_read_though_nothing_of_the_contact_changed(sales: Reading) -> None:
    _, contact = known(sales)
    sales.clock.move(3600)
    say(sales, "Email", "OptOut")
    assert sales.whole()["stopped"] == 1
    assert ended(sales, contact) == {"email"}
    events = ConsentEvent.objects.count()
    sales.clock.move(3600)
    sales.whole()
    assert ConsentEvent.objects.count() == events


def test_many_people_are_asked_for_in_parts(sales: Reading) -> None:
    people = [f"0PK5g{number:010d}" for number in range(450)]
    for number, person in enumerate(people):
        add(sales, number, IndividualId=person)
        say(sales, "Email", "OptOut", person)
    assert sales.whole()["stopped"] == 450


@pytest.mark.parametrize("body", [b"{}", b'{"records": [], "done": false}', b"<html>"])
def test_a_page_is_not_kept_without_its_consents(sales: Reading, body: bytes) -> None:
    say(sales, "Email", "OptOut")
    record = add(sales, 1, IndividualId=PERSON)
    sales.clock.move(900)
    lease = sales.take()
    sales.page(lease)
    # The contacts are asked for by `queryAll`, their consents by this one.
    sales.vendor.plant("/query", Answer(200, body))
    sales.page(lease)
    assert Contact.objects.count() == 0
    sales.whole()
    assert ended(sales, sales.contact(record)) == {"email"}


def test_a_stop_sets_each_row_that_says_otherwise(sales: Reading) -> None:
    rows = [say(sales, kind, "OptIn") for kind in ("Email", "Phone", "Web")]
    other = say(sales, "Email", "OptIn", "0PK5g0000000002")
    _, contact = known(sales)
    assert stop(sales, contact).told == 1
    assert isinstance(sales.vendor, Salesforce)
    held = sales.vendor.consents
    told = [held[row]["PrivacyConsentStatus"] for row in [*rows, other]]
    assert told == ["OptOut", "OptOut", "OptIn", "OptIn"]


def test_a_row_that_was_not_set_is_told_again(sales: Reading) -> None:
    row = say(sales, "Email", "OptIn")
    _, contact = known(sales)
    sales.vendor.plant(row, Answer(503))
    assert stop(sales, contact).later == 1
    sales.clock.move(120)
    assert propagation.pass_on(at=sales.clock()).told == 1
    assert sales.vendor.consents[row]["PrivacyConsentStatus"] == "OptOut"  # type: ignore[attr-defined]


def rows_of(crm: Reading, person: str) -> dict[str, str]:
    assert isinstance(crm.vendor, Salesforce)
    held = [row for row in crm.vendor.consents.values() if row["PartyId"] == person]
    assert len(held) == len({row["ContactPointType"] for row in held})
    return {row["ContactPointType"]: row["PrivacyConsentStatus"] for row in held}


def test_who_has_no_row_is_given_one_of_each_kind_that_ended(sales: Reading) -> None:
    say(sales, "Email", "OptIn")
    _, contact = known(sales)
    assert stop(sales, contact).told == 1
    assert rows_of(sales, PERSON) == {"Email": "OptOut", "Phone": "OptOut"}
    [made] = [call for call in sales.vendor.calls if "/sobjects/Contact" in call.path][-1:]
    assert made.method == "POST"
    assert made.json["CaptureDate"] == made.json["EffectiveFrom"] == table.stamp(sales.clock.at)
    # It is read back with the next page, and is no new act of the person.
    events = ConsentEvent.objects.count()
    sales.whole()
    assert ConsentEvent.objects.count() == events


def test_who_has_no_privacy_record_is_given_that_first(sales: Reading) -> None:
    record = add(sales, 1)
    sales.whole()
    assert stop(sales, sales.contact(record)).told == 1
    row = sales.vendor.people[record]  # type: ignore[attr-defined]
    assert row["HasOptedOutOfEmail"] is True
    assert rows_of(sales, row["IndividualId"]) == {"Email": "OptOut", "Phone": "OptOut"}


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (b'{"id": "0ZX5g0000000001", "success": false, "errors": []}', "failed"),
        (b'{"id": "0ZX5g0000000001", "errors": []}', "later"),
        (b'{"success": true, "errors": []}', "later"),
        (b"<html>", "later"),
    ],
)
def test_a_row_is_made_only_where_the_body_says_so(
    sales: Reading, body: bytes, outcome: str
) -> None:
    _, contact = known(sales)
    sales.vendor.plant("/ContactPointTypeConsent", Answer(201, body))
    assert getattr(stop(sales, contact), outcome) == 1
    assert Propagation.objects.get().state == ("waiting" if outcome == "later" else "failed")
    if outcome == "later":
        sales.clock.move(120)
        assert propagation.pass_on(at=sales.clock()).told == 1
        assert set(rows_of(sales, PERSON)) == {"Email", "Phone"}


def test_a_refusal_says_what_salesforce_called_it(sales: Reading) -> None:
    _, contact = known(sales)
    told = {"success": False, "errors": [{"statusCode": "INSUFFICIENT_ACCESS", "message": "Ana"}]}
    sales.vendor.plant("/ContactPointTypeConsent", json_answer(200, told))
    assert stop(sales, contact).failed == 1
    assert Propagation.objects.get().problem == "row_refused:INSUFFICIENT_ACCESS"


def test_rows_of_consent_are_not_asked_for_if_they_are_not_to_be_read(sales: Reading) -> None:
    sales.map(**{mapping.CONSENTS: ""})
    say(sales, "Email", "OptOut")
    _, contact = known(sales)
    assert ended(sales, contact) == set()
    asked = [call.query.get("q", "") for call in sales.vendor.calls]
    assert not any("ContactPointTypeConsent" in one for one in asked)
