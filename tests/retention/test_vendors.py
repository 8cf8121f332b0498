from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts import audit
from accounts.models import TrailLeaf, User
from config.lib import clock
from integrations import connections
from integrations.models import Connection
from integrations.video import providers
from tests.retention.test_views import signed_in, url
from tests.videos.vendor import Vendor
from videos import agreements, incidents, vendor_facts, vendor_terms
from videos.models import Incident, ProcessorAgreement, VendorAttestation

pytestmark = pytest.mark.django_db(transaction=True)
TITLES = [
    "Contract",
    "Account setting",
    "Endpoint",
    "Request flag",
    "Delete call",
    "Observed absence",
]


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Connection:
    monkeypatch.setitem(providers.PROVIDERS, "played", Vendor(reads_setting=False))
    return Connection.objects.create(
        kind=Connection.Kind.VIDEO,
        provider="played",
        label="Played vendor",
        auth_kind=Connection.AuthKind.KEY,
        hosts=["api.vendor.example"],
        created_at=clock.now(),
    )


def form(account: Connection, **changed: object) -> dict[str, object]:
    today = clock.now().date()
    return {
        "connection": account.pk,
        "reference": "DPA-2026-7",
        "document": SimpleUploadedFile("signed.pdf", b"%PDF-1.7 signed"),
        "clauses": list("abcdefgh"),
        "sub_processors": "Cloud Example, IE, hosting\n\n",
        "region": "EU",
        "signed_on": str(today - timedelta(days=1)),
        "expires_on": str(today + timedelta(days=30)),
        "residual_days": "30",
        **changed,
    }


def recorded(client: Client, account: Connection, **changed: object) -> Any:
    return client.post(url("agreement_record"), form(account, **changed))


def states(account: Connection) -> dict[str, str]:
    found = vendor_facts.facts(connection=account, at=clock.now())
    return {fact.title: fact.word for fact in found}


def may_leave(account: Connection) -> vendor_terms.Allowed:
    vendor = providers.provider_for(account)
    return vendor_terms.require(connection=account, vendor=vendor, at=clock.now())


def test_an_officer_enters_a_contract_and_what_the_account_says(account: Connection) -> None:
    client = signed_in()
    assert recorded(client, account).status_code == 302
    row = ProcessorAgreement.objects.get()
    assert (row.sub_processors, row.region) == (["Cloud Example, IE, hosting"], "eu")
    with pytest.raises(vendor_terms.VendorNotAllowed, match="setting_not_seen"):
        may_leave(account)
    client.post(url("vendor_attest", account.pk), {"holds": "1"})
    assert may_leave(account).agreement_id == "DPA-2026-7"
    client.post(url("agreement_end", row.pk))
    with pytest.raises(vendor_terms.VendorNotAllowed, match="agreement_expired"):
        may_leave(account)
    told = TrailLeaf.objects.filter(action__startswith="videos.").values_list("action", flat=True)
    assert list(told) == [
        "videos.agreement.recorded",
        "videos.vendor.attested",
        "videos.agreement.ended",
    ]


def test_what_an_officer_saw_to_be_wrong_stops_the_vendor(account: Connection) -> None:
    client = signed_in()
    recorded(client, account)
    client.post(url("vendor_attest", account.pk), {"holds": "0"})
    assert VendorAttestation.objects.get().staff_id
    with pytest.raises(vendor_terms.VendorNotAllowed, match="setting_keeps_copies"):
        may_leave(account)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"reference": " "}, "This field is required"),
        ({"sub_processors": "x" * 200}, "lines of 120 signs"),
        ({"signed_on": "2099-01-01"}, "It lies in the future"),
        ({"expires_on": "2020-01-01"}, "That day is past"),
        ({"clauses": ["z"]}, "z is not one of the available choices"),
        ({"clauses": []}, "it says nothing so far"),
        ({"connection": "00000000-0000-0000-0000-000000000000"}, "Select a valid choice"),
    ],
)
def test_a_contract_that_says_too_little_is_refused(
    account: Connection, changed: dict[str, object], words: str
) -> None:
    answer = recorded(signed_in(), account, **changed)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not ProcessorAgreement.objects.exists()


def test_the_page_shows_six_facts_and_never_one_tick(account: Connection) -> None:
    client = signed_in()
    recorded(client, account, clauses=list("abcdefg"))
    page = client.get(url("vendors")).content.decode()
    assert all(f"{number}. {title}" in page for number, title in enumerate(TITLES, 1))
    assert states(account) == {
        "Contract": "Not whole",
        "Account setting": "Not seen",
        "Endpoint": "As agreed",
        "Request flag": "Set",
        "Delete call": "No call yet",
        "Observed absence": "Nothing to see",
    }


def test_facts_grow_old_and_places_change(account: Connection) -> None:
    now = clock.now()
    recorded(signed_in(), account)
    agreements.attest(
        connection=account,
        holds=True,
        means="looked",
        at=now - timedelta(hours=25),
        actor=audit.SYSTEM,
    )
    incidents.open_once(kind=vendor_terms.MOVED, object_type="x", object_id=account.pk, at=now)
    assert (states(account)["Account setting"], states(account)["Endpoint"]) == ("Stale", "Moved")
    assert "Incidents open" in signed_in(User.Role.AUDITOR).get(url("dashboard")).content.decode()
    Incident.objects.all().delete()
    Connection.objects.update(hosts=["api.other.example"])
    account.refresh_from_db()
    assert states(account)["Endpoint"] == "Not agreed"


def test_what_works_on_this_machine_needs_no_contract() -> None:
    _, local = connections.ensure_local(at=clock.now())
    assert states(local)["Contract"] == "Not needed"
    page = signed_in(User.Role.AUDITOR).get(url("vendors")).content.decode()
    assert "Record a contract" not in page
