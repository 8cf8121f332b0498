"""Do the vendors' own clients take our stand-ins for the vendors? Then they are not our opinion."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.simulators.base import Family, running
from tests.simulators.hubspot import HubSpot
from tests.simulators.salesforce import Salesforce

APP = {"client_id": "a", "secret": "b", "redirect_uri": ""}
FOR_EVER = float("inf")


class ToSimulator(requests.adapters.HTTPAdapter):
    """Leads a client that insists on the vendor's address to the stand-in."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> Any:
        request.url = (request.url or "").replace("https:/", self.address, 1)
        return super().send(request, *args, **more)


@pytest.fixture
def hub() -> Iterator[tuple[HubSpot, Any, Any]]:
    client = pytest.importorskip("hubspot").HubSpot(access_token="t")
    vendor = HubSpot(**APP)
    vendor.access["t"] = (Family("a", "", ""), FOR_EVER)
    with running(vendor) as address:
        # Each time it is asked for one, the client makes a new one.
        apis = client.crm.contacts.basic_api, client.crm.contacts.search_api
        for api in apis:
            api.api_client.configuration.host = f"{address}/api.hubapi.com"
        yield vendor, *apis


@pytest.fixture
def sales() -> Iterator[tuple[Salesforce, Any]]:
    library = pytest.importorskip("simple_salesforce")
    vendor = Salesforce(**APP)
    vendor.access["t"] = (Family("a", "", ""), FOR_EVER)
    with running(vendor) as address:
        session = requests.Session()
        session.mount("https://", ToSimulator(address))
        yield (
            vendor,
            library.Salesforce(
                instance="acme.my.salesforce.com", session_id="t", session=session, version="62.0"
            ),
        )


def test_hubspots_client_reads_pages_and_follows_them(hub: tuple[HubSpot, Any, Any]) -> None:
    vendor, basic, _ = hub
    ids = [vendor.add(email=f"n{n}@example.org") for n in range(3)]
    first = basic.get_page(limit=2, properties=["email"])
    rest = basic.get_page(limit=2, after=first.paging.next.after)
    assert [row.id for row in [*first.results, *rest.results]] == ids
    assert first.results[0].properties["email"] == "n0@example.org"
    assert rest.paging is None


def test_hubspots_client_searches_and_erases(hub: tuple[HubSpot, Any, Any]) -> None:
    vendor, basic, search = hub
    record = vendor.add(at=1_800_000_000, email="n@example.org")
    since = {"propertyName": "lastmodifieddate", "operator": "GTE", "value": "1799999999000"}
    found = search.do_search(
        public_object_search_request={
            "filterGroups": [{"filters": [since]}],
            "sorts": ["lastmodifieddate"],
            "properties": ["email"],
            "limit": 10,
            "after": "0",
        }
    )
    assert [row.id for row in found.results] == [record]
    basic.purge(public_gdpr_delete_input={"objectId": record})
    assert vendor.forgotten == [record]


def test_salesforces_client_reads_and_sets_rows_of_consent(sales: tuple[Salesforce, Any]) -> None:
    vendor, client = sales
    row = vendor.consent("0PK5g0000000001", "Email", "OptIn", at=1_800_000_000)
    soql = "SELECT Id,ContactPointType FROM ContactPointTypeConsent WHERE PartyId = '{}'"
    found = client.query(soql.format("0PK5g0000000001"))
    assert [one["Id"] for one in found["records"]] == [row]
    assert client.ContactPointTypeConsent.update(row, {"PrivacyConsentStatus": "OptOut"}) == 204
    assert vendor.consents[row]["PrivacyConsentStatus"] == "OptOut"


def test_hubspots_client_understands_a_refusal(hub: tuple[HubSpot, Any, Any]) -> None:
    vendor, basic, _ = hub
    exceptions = pytest.importorskip("hubspot.crm.contacts.exceptions")
    vendor.access.clear()
    with pytest.raises(exceptions.ApiException) as refused:
        basic.get_page(limit=2)
    assert refused.value.status == 401
    assert "EXPIRED_AUTHENTICATION" in refused.value.body


def test_salesforces_client_follows_the_locators(sales: tuple[Salesforce, Any]) -> None:
    vendor, client = sales
    ids = {vendor.add(Name=f"Nobody {n}") for n in range(450)}
    found = client.query_all("SELECT Id,Name FROM Contact ORDER BY SystemModstamp ASC, Id ASC")
    assert {row["Id"] for row in found["records"]} == ids
    assert client.api_usage["api-usage"].used == 25


def test_salesforces_client_sees_the_deleted_and_writes(sales: tuple[Salesforce, Any]) -> None:
    vendor, client = sales
    kept, lost = vendor.add(Name="Kept"), vendor.add(Name="Lost")
    vendor.merge(lost, kept, at=1_800_000_000)
    rows = client.query_all(
        "SELECT Id,IsDeleted,MasterRecordId FROM Contact", include_deleted=True
    )["records"]
    assert [row["MasterRecordId"] for row in rows if row["IsDeleted"]] == [kept]
    assert client.Contact.update(kept, {"HasOptedOutOfEmail": True}) == 204
    assert vendor.people[kept]["HasOptedOutOfEmail"] is True


def test_salesforces_client_understands_a_refusal(sales: tuple[Salesforce, Any]) -> None:
    vendor, client = sales
    library = pytest.importorskip("simple_salesforce.exceptions")
    with pytest.raises(library.SalesforceResourceNotFound):
        client.Contact.update("0035g0000000000", {"DoNotCall": True})
    vendor.access.clear()
    with pytest.raises(library.SalesforceExpiredSession):
        client.query("SELECT Id FROM Contact")


def test_salesforces_client_runs_a_bulk_query(sales: tuple[Salesforce, Any]) -> None:
    vendor, client = sales
    for n in range(7):
        vendor.add(Name=f"Nobody {n}")
    # It waits for its job five seconds at a time, unless told otherwise.
    asked = client.bulk2.Contact.query("SELECT Id,Name FROM Contact", max_records=3, wait=0)
    pages = list(asked)
    assert sum(page.count("Nobody") for page in pages) == 7
