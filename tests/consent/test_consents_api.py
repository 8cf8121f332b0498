from typing import Any

import pytest
from django.test import Client

from consent import purposes
from consent.models import ConsentEvent, HealthAuthorisation, RenderedForm, WrittenConsent
from tests.accounts.staff import caller
from tests.consent import grants
from tests.consent.people import NOON, person
from tests.consent.test_records import faults

pytestmark = pytest.mark.django_db
CONTACTS, CONSENTS, FORMS = "/api/v1/contacts", "/api/v1/consents", "/api/v1/consents/forms"
PHONE = "+33612345678"
WORDS = {"language": "en", "text": "I agree: marketing."}
SIGNED = {
    "number": PHONE,
    "signature": "Ana",
    "signature_kind": "typed_name",
    "authorises_advertising": True,
    "authorises_automated": True,
    "not_a_condition": True,
}


@pytest.fixture
def client() -> Client:
    purposes.ensure_defaults(at=NOON)
    return caller()


def post(client: Client, path: str, body: Any) -> Any:
    return client.post(path, body, content_type="application/json")


def form(client: Client) -> str:
    html = grants.PAGE.format(WORDS["text"])
    answer = post(client, FORMS, {"purpose": "marketing", "notice": WORDS, "html": html})
    assert answer.status_code == 201
    return str(answer.json()["form_sha256"])


def body(client: Client, **changed: Any) -> dict[str, Any]:
    name = post(client, CONTACTS, {"name": "Ana", "phone": PHONE, "country": "FR"}).json()["id"]
    return {
        "contact": name,
        "purpose": "marketing",
        "channel": "sms",
        "kind": "given",
        "act": "checkbox",
        "permission": "written",
        "notice": WORDS,
        "seller": grants.SELLER,
        "elements": SIGNED,
        "evidence": {"text": "Signed at check-out"},
        **changed,
    }


def refusals(answer: Any) -> dict[str, str]:
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert ConsentEvent.objects.count() == 0
    return {fault["pointer"]: fault["code"] for fault in answer.json()["errors"]}


def test_written_consent_is_recorded_with_each_element(client: Client) -> None:
    told = {"locale": "fr", "age_years": 40, "said_at": "2026-10-01T10:00:00Z"}
    answer = post(client, CONSENTS, body(client, form_sha256=form(client), **told))
    assert answer.status_code == 201
    row = WrittenConsent.objects.select_related("event").get()
    assert (row.seller, row.not_a_condition) == (grants.SELLER, True)
    event = row.event
    assert (event.permission, event.locale, event.age_years) == ("written", "fr", 40)
    assert event.said_at is not None
    assert event.form_id == row.disclosure_id


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"seller": ""}, "/seller"),
        ({"notice": {"language": "en", "text": "Other words."}}, "/form_sha256"),
        ({"form_sha256": None}, "/form_sha256"),
        *[({"elements": name}, f"/elements/{name}") for name in SIGNED],
        ({"age_years": 9}, "/guardian"),
    ],
)
def test_a_missing_element_is_named(client: Client, change: dict[str, Any], pointer: str) -> None:
    left_out = change.get("elements")
    if left_out:
        change = {"elements": {name: v for name, v in SIGNED.items() if name != left_out}}
    whole = {**body(client), "form_sha256": form(client), **change}
    whole = {name: value for name, value in whole.items() if value is not None}
    assert refusals(post(client, CONSENTS, whole)) == {pointer: "missing_element"}


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"elements": {**SIGNED, "not_a_condition": "yes"}}, "/elements/not_a_condition", ""),
        ({"elements": {**SIGNED, "wish": 1}}, "/elements/wish", "unknown_field"),
        ({"elements": {"order": "7"}}, "/elements/order", "unknown_field"),
        ({"purpose": ["marketing", "sharing"]}, "/purpose", ""),
        ({"purpose": "service"}, "/act", "invalid_choice"),
        ({"form_sha256": "0" * 64}, "/form_sha256", "unknown_form"),
        ({"said_at": "2999-01-01T00:00:00Z"}, "/said_at", ""),
        ({"permission": "express", "elements": {}, "said_at": "2001-01-01T00:00:00Z"}, "", ""),
        ({"act": "api"}, "/act", "invalid_choice"),
    ],
)
def test_what_cannot_be_is_refused(
    client: Client, change: dict[str, Any], pointer: str, code: str
) -> None:
    found = refusals(post(client, CONSENTS, body(client, **change)))
    assert any(at.startswith(pointer) and (not code or said == code) for at, said in found.items())


def test_one_text_is_not_taken_for_two_purposes(client: Client) -> None:
    form(client)
    plain = {"permission": "express", "elements": {}, "purpose": "sharing"}
    answer = post(client, CONSENTS, body(client, **plain))
    assert refusals(answer) == {"/notice": "one_box_two_purposes"}


def test_a_form_ticked_beforehand_is_not_kept(client: Client) -> None:
    html = grants.PAGE.format(WORDS["text"]).replace("type=checkbox", "type=checkbox checked")
    answer = post(client, FORMS, {"purpose": "marketing", "notice": WORDS, "html": html})
    assert refusals(answer) == {"/html": "not_as_shown"}
    assert RenderedForm.objects.count() == 0


def test_other_kinds_bring_their_own_elements(client: Client) -> None:
    sale = {"order": "7", "product_class": "bicycles", "sold_at": "2026-10-01T10:00:00Z"}
    shown = {"opt_out_shown": True, "similar_goods": True}
    soft = {"permission": "soft_opt_in", "act": "api", "elements": {**sale, **shown}}
    assert post(client, CONSENTS, body(client, **soft)).status_code == 201
    whole = {
        "information": "Dates of visits",
        "discloser": "Dr Example",
        "recipient": "Acme",
        "use": "Reminders",
        "expires_at": "2999-01-01T00:00:00Z",
        "signature": "Ana",
        "signed_at": "2026-10-01T10:00:00Z",
        "says_right_to_revoke": True,
        "says_not_a_condition": True,
        "says_may_be_disclosed_again": True,
    }
    phi = {"permission": "hipaa_authorization", "purpose": "phi_content", "elements": whole}
    answer = post(client, CONSENTS, body(client, **phi, notice={"language": "en", "text": "PHI"}))
    assert answer.status_code == 201
    assert HealthAuthorisation.objects.get().recipient == "Acme"


def test_a_refusal_needs_no_elements(client: Client) -> None:
    said_no = body(client, kind="refused", elements={})
    answer = post(client, CONSENTS, said_no)
    assert answer.status_code == 201
    assert answer.json()["consents"][0]["state"] == "refused"


def test_a_partner_reads_the_record_of_its_own_contact(client: Client) -> None:
    whole = body(client, form_sha256=form(client))
    post(client, CONSENTS, whole)
    record = client.get(f"{CONTACTS}/{whole['contact']}/consent-record").json()
    assert faults("consent-record", record) == []
    assert PHONE not in str(record)
    theirs = f"{CONTACTS}/{person().public_id}/consent-record"
    assert client.get(theirs).status_code == 404
    assert caller("contacts.read").get(theirs).status_code == 403
