"""Do the readers of the three CRMs come to the same, each by its vendor's own ways?"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from consent import ledger, suppression
from consent.models import Contact, CrmLink
from integrations.crm import salesforce, zoho
from tests.consent import crms
from tests.consent.crms import Reading
from tests.simulators.base import Answer, json_answer
from tests.simulators.hubspot import HubSpot
from tests.simulators.salesforce import Salesforce
from tests.simulators.zoho import Zoho

pytestmark = pytest.mark.django_db
# How each vendor names a person, an opt-out of e-mail, and a city.
NAMES: dict[str, Callable[[str, int], dict[str, Any]]] = {
    "hubspot": lambda name, n: {"firstname": name, "email": f"n{n}@example.org"},
    "salesforce": lambda name, n: {"Name": name, "Email": f"n{n}@example.org"},
    "zoho": lambda name, n: {"First_Name": name, "Email": f"n{n}@example.org"},
}
NO: dict[str, dict[str, Any]] = {
    "hubspot": {"hs_email_optout": "true"},
    "salesforce": {"HasOptedOutOfEmail": True},
    "zoho": {"Email_Opt_Out": True},
}


@pytest.fixture(params=["hubspot", "salesforce", "zoho"])
def crm(request: pytest.FixtureRequest) -> Iterator[Reading]:
    with crms.reading(request.param) as found:
        yield found


@pytest.fixture
def sales() -> Iterator[Reading]:
    with crms.reading("salesforce") as found:
        yield found


@pytest.fixture
def zohos() -> Iterator[Reading]:
    with crms.reading("zoho") as found:
        yield found


def add(crm: Reading, number: int, name: str = "Ana", **more: Any) -> str:
    told = {**NAMES[crm.row.provider](name, number), **more}
    found: str = crm.vendor.add(at=crm.clock.at.timestamp(), **told)  # type: ignore[attr-defined]
    return found


def change(crm: Reading, record_id: str, **more: Any) -> None:
    crm.vendor.change(record_id, at=crm.clock.at.timestamp(), **more)  # type: ignore[attr-defined]


def remove(crm: Reading, record_id: str) -> None:
    at, vendor = crm.clock.at.timestamp(), crm.vendor
    if isinstance(vendor, HubSpot):
        vendor.archive(record_id)
    elif isinstance(vendor, Salesforce):
        vendor.change(record_id, at=at, IsDeleted=True)
    elif isinstance(vendor, Zoho):
        vendor.delete(record_id, at=at)


def state(crm: Reading, contact: Contact, channel: str = "email") -> str | None:
    return ledger.state_of(
        contact=contact, purpose_code="marketing", channel=channel, at=crm.clock()
    )


def test_all_then_what_changed_then_who_was_deleted(crm: Reading) -> None:
    ids = [add(crm, n) for n in range(430)]
    assert crm.whole()["new"] == 430
    assert Contact.objects.count() == 430
    crm.clock.move(3600)
    change(crm, ids[7], **NAMES[crm.row.provider]("Zoë", 7))
    change(crm, ids[8], **NO[crm.row.provider])
    add(crm, 900)
    counts = crm.whole()
    assert (counts["new"], counts["updated"], counts["stopped"]) == (1, 2, 1)
    assert (crm.name(ids[7]), crm.sync().mode) == ("Zoë", "delta")
    assert state(crm, crm.contact(ids[8])) == "withdrawn"
    crm.clock.move(3600)
    remove(crm, ids[9])
    assert crm.whole()["deleted"] == 1
    assert crm.contact(ids[9]).restricted_at is not None
    assert Contact.objects.filter(restricted_at=None).count() == 430


def test_a_round_without_news_changes_nothing(crm: Reading) -> None:
    add(crm, 1)
    crm.whole()
    crm.clock.move(7200)
    counts = crm.whole()
    assert not {"new", "updated", "stopped", "deleted"} & set(counts)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, b"[" * 50_000),
        Answer(200, b"<html>"),
        json_answer(200, {"data": {}, "results": {}, "records": {}}),
        json_answer(503, {}),
    ],
)
def test_an_answer_that_is_none_loses_nobody(crm: Reading, answer: Answer) -> None:
    add(crm, 1)
    for end in ("/contacts", "/query", "/deleted"):
        crm.vendor.plant(end, answer)
    assert not crm.page(crm.take()).more
    assert crm.sync().problem
    assert crm.sync().state == "reading"
    crm.vendor.planted.clear()
    assert crm.whole()["new"] == 1


def test_records_of_strange_shapes_harm_nobody(crm: Reading) -> None:
    provider = crm.row.provider
    strange: list[Any] = [5, True, ["x"], {"a": 1}, "x" * 5000, "\x00\u202e", None]
    for number, value in enumerate(strange):
        add(crm, number, **{next(iter(NAMES[provider]("", 0))): value})
    add(crm, 99)
    assert crm.whole()["read"] == 8
    assert Contact.objects.count() < 8
    assert crm.sync().state == "waiting"


def test_salesforce_in_bulk_comes_to_the_same(
    sales: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(salesforce, "BULK_FROM", 100)
    monkeypatch.setattr(salesforce, "PAGE_SIZE", 70)
    for n in range(250):
        add(sales, n, HasOptedOutOfEmail=n == 5)
    lease, waits = sales.take(), []
    while (step := sales.page(lease)).more:
        waits.append(step.wait_seconds)
        sales.clock.move(step.wait_seconds)
    assert (waits.count(10), sales.sync().counts["new"]) == (2, 250)
    assert sales.sync().counts["stopped"] == 1


def test_a_locator_that_died_is_asked_for_again_from_the_last_row(sales: Reading) -> None:
    vendor = sales.vendor
    assert isinstance(vendor, Salesforce)
    for n in range(500):
        add(sales, n)
    lease = sales.take()
    for _ in range(3):
        sales.page(lease)
    vendor.locators.clear()
    while sales.page(lease).more:
        pass
    assert sales.sync().counts["new"] == Contact.objects.count() == 500
    assert sales.sync().counts["read"] == 500


def test_salesforce_names_its_merges_and_the_stricter_choice_holds(sales: Reading) -> None:
    vendor = sales.vendor
    assert isinstance(vendor, Salesforce)
    lost, kept = add(sales, 1, HasOptedOutOfEmail=True), add(sales, 2)
    sales.whole()
    vendor.merge(lost, kept, at=sales.clock.at.timestamp())
    assert sales.whole()["merged"] == 1
    assert state(sales, sales.contact(kept)) == "withdrawn"


def test_whoever_asked_salesforce_to_be_forgotten_is_stopped_and_noted(sales: Reading) -> None:
    vendor = sales.vendor
    assert isinstance(vendor, Salesforce)
    vendor.individuals["0PK1"] = {"ShouldForget": True}
    record = add(sales, 1, IndividualId="0PK1")
    assert sales.whole()["to_forget"] == 1
    assert CrmLink.objects.get(record_id=record).forget_at is not None
    assert state(sales, sales.contact(record), "whatsapp") == "withdrawn"


def test_the_end_of_the_organisations_limit_is_left_to_others(sales: Reading) -> None:
    vendor = sales.vendor
    assert isinstance(vendor, Salesforce)
    for n in range(300):
        add(sales, n)
    vendor.usage = "14990/15000"
    lease = sales.take()
    sales.page(lease)
    assert sales.page(lease).wait_seconds == 3600


def test_a_limit_that_is_over_is_waited_out_and_is_no_failure(sales: Reading) -> None:
    vendor = sales.vendor
    assert isinstance(vendor, Salesforce)
    vendor.plant("/query", vendor.fault(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit"))
    assert not sales.page(sales.take()).more
    assert (sales.sync().state, sales.sync().failures) == ("reading", 0)


def test_a_refusal_that_zoho_calls_a_success_is_a_refusal(zohos: Reading) -> None:
    vendor = zohos.vendor
    assert isinstance(vendor, Zoho)
    vendor.plant("/deleted", vendor.fault(200, "NO_PERMISSION", "permission denied"))
    assert not zohos.page(zohos.take()).more
    assert (zohos.sync().state, "NO_PERMISSION" in zohos.sync().problem) == ("stuck", True)


@pytest.mark.parametrize("trouble", ["token", "rows"])
def test_zoho_goes_on_by_id_where_the_token_ends(
    zohos: Reading, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    vendor = zohos.vendor
    assert isinstance(vendor, Zoho)
    for n in range(650):
        add(zohos, n)
    if trouble == "rows":
        monkeypatch.setattr(zoho, "TOKEN_ROWS_MAX", 400)
        monkeypatch.setattr(zoho, "QUERY_SIZE", 100)
    lease = zohos.take()
    for _ in range(2):
        zohos.page(lease)
    if trouble == "token":
        vendor.tokens.clear()
    while zohos.page(lease).more:
        pass
    assert zohos.sync().counts["new"] == Contact.objects.count() == 650


def test_a_merge_that_zoho_does_not_name_keeps_the_stricter_choice(zohos: Reading) -> None:
    lost, kept = add(zohos, 1, Email_Opt_Out=True, Mobile="+14155550101"), add(zohos, 2)
    zohos.whole()
    remove(zohos, lost)
    change(zohos, kept, Mobile="+14155550101")
    zohos.whole()
    assert state(zohos, zohos.contact(kept)) == "withdrawn"
    assert zohos.contact(kept).phone_index is not None
    index = suppression.index(channel="email", address="n1@example.org")
    assert suppression.is_suppressed(channel="email", address_index=index)


def test_a_basis_of_zoho_that_says_no_stops_everything(zohos: Reading) -> None:
    zohos.map(claim="Data_Processing_Basis")
    no = add(zohos, 1, Data_Processing_Basis="Consent - Rejected")
    yes = add(zohos, 2, Data_Processing_Basis="Consent - Obtained")
    zohos.whole()
    assert state(zohos, zohos.contact(no), "sms") == "withdrawn"
    assert state(zohos, zohos.contact(yes)) == "claimed"
