from typing import Any

import pytest
from django.test import Client

from consent import contacts, purposes, suppression
from consent.models import ConsentEvent, Contact
from tests.accounts.staff import caller, partner
from tests.consent.people import NOON, person, rests_on

pytestmark = pytest.mark.django_db
CONTACTS, CONSENTS = "/api/v1/contacts", "/api/v1/consents"
ANA = {"name": "Ana", "email": "ana@example.org", "country": "FR"}
AGREED = {
    "purpose": "marketing",
    "channel": "email",
    "kind": "given",
    "act": "checkbox",
    "notice": {"language": "en", "text": "I agree to get offers."},
    "evidence": {"text": "Ticked at check-out", "reference": "order 7"},
}


@pytest.fixture
def client() -> Client:
    purposes.ensure_defaults(at=NOON)
    return caller()


def post(client: Client, path: str, body: Any) -> Any:
    return client.post(path, body, content_type="application/json")


def registered(client: Client) -> str:
    return str(post(client, CONTACTS, ANA).json()["id"])


def test_a_partner_registers_and_reads_a_person(client: Client) -> None:
    answer = post(client, CONTACTS, ANA)
    assert answer.status_code == 201
    name = answer.json()["id"]
    read = client.get(f"{CONTACTS}/{name}").json()
    assert (read["channels"], read["consents"], read["stopped"]) == (["email"], [], False)
    assert "ana@example.org" not in str(read)
    assert [row["id"] for row in client.get(CONTACTS).json()["items"]] == [name]


def test_the_same_call_again_is_the_same_person(client: Client) -> None:
    assert registered(client) == registered(client)
    assert Contact.objects.count() == 1


def test_a_consent_with_evidence_is_recorded(client: Client) -> None:
    name = registered(client)
    answer = post(client, CONSENTS, {"contact": name, **AGREED})
    assert answer.status_code == 201
    (state,) = answer.json()["consents"]
    assert (state["purpose"], state["state"]) == ("marketing", "given")
    event = ConsentEvent.objects.get()
    assert event.notice is not None
    assert event.notice.text == "I agree to get offers."
    assert b"check-out" in rests_on(event)


def test_a_withdrawal_ends_every_channel_and_no_call_undoes_it(client: Client) -> None:
    name = registered(client)
    gone = {"contact": name, "act": "voice", "evidence": {"text": "On the phone"}}
    assert post(client, f"{CONSENTS}/withdraw", gone).status_code == 200
    post(client, CONSENTS, {"contact": name, **AGREED})
    index = suppression.index(channel="email", address="ana@example.org")
    assert suppression.is_suppressed(channel="email", address_index=index)
    assert client.get(f"{CONTACTS}/{name}").json()["stopped"] is True


def test_pages_follow_one_another(client: Client) -> None:
    for number in range(3):
        post(client, CONTACTS, {**ANA, "email": f"ana{number}@example.org"})
    first = client.get(f"{CONTACTS}?limit=2").json()
    second = client.get(f"{CONTACTS}?limit=2&after={first['next']}").json()
    assert [len(first["items"]), len(second["items"]), second["next"]] == [2, 1, None]


@pytest.mark.parametrize("limit", ["0", "101", "x", "-1", "²"])
def test_a_limit_that_is_none_is_refused(client: Client, limit: str) -> None:
    assert client.get(CONTACTS, {"limit": limit}).status_code == 400


def test_another_partners_person_is_not_there(client: Client) -> None:
    theirs = person(partner=partner("Other"))
    ours = person()
    for contact in (theirs, ours):
        assert client.get(f"{CONTACTS}/{contact.public_id}").status_code == 404
        body = {"contact": contact.public_id, **AGREED}
        assert post(client, CONSENTS, body).status_code == 404
        stop = {"contact": contact.public_id, "act": "voice"}
        assert post(client, f"{CONSENTS}/withdraw", stop).status_code == 404
    assert ConsentEvent.objects.count() == 0


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"shoe": 42}, "/shoe"),
        ({"name": "🌟"}, "/name"),
        ({"name": "A" * 300}, "/name"),
        ({"email": "no"}, "/email"),
        ({"country": "XX"}, "/country"),
        ({"attributes": {"diagnosis": "flu"}}, "/attributes"),
    ],
)
def test_a_body_that_cannot_be_used_names_the_field(
    client: Client, change: dict[str, Any], pointer: str
) -> None:
    answer = post(client, CONTACTS, {**ANA, **change})
    assert answer.status_code == 400
    assert pointer in [fault["pointer"] for fault in answer.json()["errors"]]
    assert Contact.objects.count() == 0


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "confirmed"},
        {"act": "import"},
        {"evidence": {}},
        {"notice": None},
        {"purpose": "x"},
    ],
)
def test_a_partner_cannot_confirm_for_a_person_or_leave_evidence_out(
    client: Client, change: dict[str, Any]
) -> None:
    body = {"contact": registered(client), **AGREED, **change}
    assert post(client, CONSENTS, body).status_code == 400
    assert ConsentEvent.objects.count() == 0


@pytest.mark.parametrize(
    ("path", "scope"), [(CONTACTS, "contacts.read"), (CONSENTS, "consents.read")]
)
def test_a_token_without_the_scope_may_not(path: str, scope: str) -> None:
    assert post(caller(scope), path, ANA).status_code == 403


def test_a_persons_past_the_partner_is_theirs_alone(client: Client) -> None:
    registered(client)
    assert contacts.find(partner=None, email="ana@example.org") is None
