"""What a record and a receipt say holds against schemas written from the standard's own fields."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from accounts import audit
from accounts.audit import SYSTEM
from config.lib import canonical, crypto
from consent import ledger, personal_data, processing, purposes, receipts, records
from consent.models import Contact
from integrations import connections
from tests.accounts.staff import partner
from tests.consent import grants
from tests.consent.people import NOON, act, person
from tests.consent.test_permissions import entered

pytestmark = pytest.mark.django_db
SCHEMAS = Path(__file__).parents[1] / "payloads" / "schemas"
KINDS = ["claimed", "given", "confirmed", "withdrawn", "refused", "expired"]


def schema(name: str) -> Draft202012Validator:
    document = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(document)
    return Draft202012Validator(document, format_checker=Draft202012Validator.FORMAT_CHECKER)


def faults(name: str, document: Any) -> list[str]:
    plain = json.loads(json.dumps(document))
    found = schema(name).iter_errors(plain)
    return [f"{'/'.join(map(str, fault.path))}: {fault.message}" for fault in found]


def settled(acts: list[tuple[str, int]], given_kinds: set[str], *, with_paper: bool) -> Contact:
    contact = person(NOON)
    for kind, days in sorted(acts, key=lambda one: -one[1]):
        act(contact, "email", kind, NOON - timedelta(days=days))
    for kind in sorted(given_kinds):
        grants.GIVEN[kind](contact)
    if with_paper:
        entered(contact, channel="whatsapp")
    return contact


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 900)), max_size=4),
    st.sets(st.sampled_from(sorted(grants.GIVEN))),
    st.booleans(),
)
def test_records_and_receipts_of_generated_worlds_fit_their_schemas(
    acts: list[tuple[str, int]], given_kinds: set[str], with_paper: bool
) -> None:
    contact = settled(acts, given_kinds, with_paper=with_paper)
    record = records.export(contact=contact, at=NOON)
    assert faults("consent-record", record) == []
    assert faults("consent-receipt", receipts.receipt(contact=contact, at=NOON)) == []
    counted = len(acts) + len(given_kinds) + with_paper
    assert isinstance(record["events"], list)
    assert len(record["events"]) == counted


@pytest.fixture
def record() -> dict[str, Any]:
    connections.ensure_local(at=NOON)
    contact = settled([("given", 3), ("withdrawn", 1)], set(grants.GIVEN), with_paper=True)
    return dict(records.export(contact=contact, at=NOON))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("pii_principal_id",), "ana@example.org"),
        (("events", 0, "event_state"), "dpv:ConsentMaybe"),
        (("events", 0, "event_time"), "yesterday"),
        (("events", 0, "name"), "Ana"),
        (("pii_processing", 0, "lawful_basis"), "because"),
        (("privacy_notices", 0, "sha256"), "short"),
        (("parties", 0, "party_role"), "dpv:DataProcessor"),
    ],
)
def test_a_record_that_says_otherwise_does_not_fit(
    record: dict[str, Any], place: tuple[Any, ...], value: object
) -> None:
    *path, last = place
    part: Any = record
    for step in path:
        part = part[step]
    part[last] = value
    assert faults("consent-record", record)


def words(value: object) -> Iterator[str]:
    """Yield the keys of what JSON-LD reads; what is kept as plain JSON is not read."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield name
            if name not in {"@context", "evidence", "elements"}:
                yield from words(part)
    elif isinstance(value, list):
        for part in value:
            yield from words(part)


def terms(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (t for name, part in value.items() if name != "@context" for t in terms(part))
    elif isinstance(value, list):
        yield from (term for part in value for term in terms(part))


def test_each_word_has_a_meaning_without_the_network(record: dict[str, Any]) -> None:
    known = records.context()
    used = {word for word in words(record) if not word.startswith("@")}
    assert used <= set(known)
    prefixes = {term.partition(":")[0] for term in terms(record) if ":" in term.split(" ")[0]}
    vocabularies = {prefix for prefix in prefixes if prefix in {"dpv", "pd", "loc", "eu-gdpr"}}
    assert vocabularies == {"dpv", "pd", "loc", "eu-gdpr"} & set(known)


def test_the_ai_vendor_is_named_as_a_recipient(record: dict[str, Any]) -> None:
    names = {row["party_id"]: row["party_name"] for row in record["parties"]}
    marketing = next(p for p in record["pii_processing"] if p["purpose_code"] == "marketing")
    assert "Studio on this machine" in {names[pk] for pk in marketing["recipient_third_parties"]}
    assert marketing["jurisdiction"] == ["loc:FR"]
    special = next(p for p in record["pii_processing"] if p["purpose_code"] == "special_data")
    assert special["lawful_basis"] == "eu-gdpr:A9-2-a"


def test_what_staff_entered_is_shown_as_weaker(record: dict[str, Any]) -> None:
    (weaker,) = [event for event in record["events"] if event["entered_by_staff"]]
    assert (weaker["channel"], weaker["method"]) == ("whatsapp", "paper")
    assert weaker["event_time"] < weaker["recorded_at"]


def test_nobody_is_named(record: dict[str, Any]) -> None:
    said = json.dumps(record, ensure_ascii=False)
    for private in ("Müller", "example.org", "+336", "order 4711", "invoice 12"):
        assert private not in said


def test_the_partner_who_keeps_a_person_is_the_controller() -> None:
    theirs = partner("Acme")
    contact = person(partner=theirs)
    rows = processing.parties(contact=contact)
    assert [(row["name"], row["role"]) for row in rows[:2]] == [
        ("Acme", "dpv:DataController"),
        ("Sealcast", "dpv:DataProcessor"),
    ]


def test_every_purpose_is_in_the_registry() -> None:
    assert {code for code, _, _ in purposes.DEFAULTS} == set(processing.REGISTRY)


def test_a_receipt_stays_signed_with_what_is_new() -> None:
    contact = settled([], {"written"}, with_paper=False)
    receipt = receipts.receipt(contact=contact, at=NOON)
    signed: Any = receipt.pop("signed")
    assert receipt["parties"]
    assert crypto.signature_holds(
        public=bytes.fromhex(audit.public_key()[1]),
        signature=bytes.fromhex(signed["signature"]),
        message=canonical.encode(receipt),
    )


def test_an_erased_person_has_a_record_still() -> None:
    contact = settled([("given", 2)], {"written"}, with_paper=True)
    ledger.withdraw(contact=contact, act="button", source="page", at=NOON, actor=SYSTEM)
    personal_data.erase(contact_id=contact.pk, at=NOON)
    erased = Contact.objects.get(pk=contact.pk)
    assert faults("consent-record", records.export(contact=erased, at=NOON)) == []
