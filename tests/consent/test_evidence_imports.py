import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from accounts.audit import SYSTEM
from accounts.models import TrailLeaf
from config.lib import clock
from consent import evidence_imports, gate, jobs, ledger, purposes, standing
from consent.models import ConsentEvent, Contact, ImportBatch, Notice, WrittenConsent
from tests.accounts.staff import member, partner
from tests.consent import grants
from tests.consent.people import NOON, act, agreed, person, rests_on

pytestmark = pytest.mark.django_db
SAID = NOON - timedelta(days=10)
WORDS = "I agree to get offers from Acme."


@pytest.fixture(autouse=True)
def _purposes() -> None:
    purposes.ensure_defaults(at=NOON)


def row(address: str = "ana@example.org", **changed: str) -> dict[str, str]:
    return {
        "address": address,
        "purpose": "marketing",
        "channel": "email",
        "act": "checkbox",
        "said_at": SAID.isoformat(),
        "source": "web-form",
        "seller": "Acme",
        "notice": WORDS,
        "language": "en",
        "form_url": "https://acme.example/join?mail=ana@example.org#x",
        "ip": "203.0.113.77",
        **changed,
    }


def sheet(*rows: dict[str, str]) -> bytes:
    text = io.StringIO()
    columns = list(dict.fromkeys(name for one in rows for name in one))
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def check(*rows: dict[str, str], **more: Any) -> ImportBatch:
    return evidence_imports.check(
        file=sheet(*rows), source="audit", created_by=None, at=NOON, **more
    )


def commit(*rows: dict[str, str]) -> ImportBatch:
    return evidence_imports.commit(batch=check(*rows), at=NOON, actor=SYSTEM)


def claimed(email: str = "ana@example.org", **fields: Any) -> Contact:
    contact = person(email=email, **fields)
    act(contact, "email", "claimed")
    return contact


def state(contact: Contact, channel: str = "email") -> str | None:
    ask = {"purpose_code": "marketing", "channel": channel, "at": NOON}
    return ledger.state_of(contact=contact, **ask)  # type: ignore[arg-type]


def problems(*rows: dict[str, str]) -> list[tuple[int, str]]:
    batch = check(*rows)
    return [(fault.row, fault.column) for fault in evidence_imports.report(batch=batch, at=NOON)]


def test_a_check_changes_nothing() -> None:
    contact = claimed()
    batch = check(row())
    assert (batch.state, batch.kind, batch.new_rows, batch.bad_rows) == (
        "checked",
        "evidence",
        1,
        0,
    )
    assert state(contact) == "claimed"
    assert Notice.objects.count() == 0


def test_evidence_turns_a_claim_into_consent_with_its_act_and_words() -> None:
    contact = claimed()
    assert commit(row()).state == "committed"
    event = ConsentEvent.objects.get(kind="given")
    assert (event.act, event.source, event.seller) == ("checkbox", "web-form", "Acme")
    assert (event.at, event.said_at, event.number) == (NOON, SAID, 2)
    assert event.notice is not None
    assert event.notice.text == WORDS
    verdict = gate.judge(contact=contact, purpose_code="marketing", channel="email", at=NOON)
    assert verdict.verdict == "allow"
    assert standing.disagreements() == []
    assert TrailLeaf.objects.filter(action="consent.event.given").count() == 1


def test_what_could_follow_a_person_is_cut_off_and_sealed() -> None:
    claimed()
    commit(row())
    event = ConsentEvent.objects.get(kind="given")
    evidence = rests_on(event).decode()
    assert '"network":"203.0.113.0/24"' in evidence
    assert '"form_url":"https://acme.example/join"' in evidence
    assert "203.0.113.77" not in evidence
    assert "mail=" not in evidence


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"address": ""}, "address"),
        ({"address": "no-mail"}, "address"),
        ({"purpose": "gifts"}, "purpose"),
        ({"channel": "pigeon"}, "channel"),
        ({"act": "import"}, "act"),
        ({"said_at": ""}, "said_at"),
        ({"said_at": "yesterday"}, "said_at"),
        ({"said_at": "2026-10-01T10:00:00"}, "said_at"),
        ({"said_at": (NOON + timedelta(days=1)).isoformat()}, "said_at"),
        ({"said_at": "2001-01-01T00:00:00Z"}, "said_at"),
        ({"source": "a long story"}, "source"),
        ({"seller": ""}, "seller"),
        ({"notice": ""}, "notice"),
        ({"notice_sha256": "x"}, "notice_sha256"),
        ({"notice_sha256": "0" * 64}, "notice_sha256"),
        ({"notice": "", "notice_sha256": "0" * 64}, "notice_sha256"),
        ({"form_url": ""}, "form_sha256"),
        ({"form_url": "javascript:x"}, "form_url"),
        ({"form_sha256": "0" * 64}, "form_sha256"),
        ({"ip": "here"}, "ip"),
        ({"act": "keyword"}, "message_id"),
        ({"act": "paper"}, "reference"),
        ({"act": "crm", "reference": "7"}, "act"),
        ({"permission": "written"}, "form_sha256"),
        ({"permission": "hipaa_authorization"}, "permission"),
        ({"age_years": "twelve"}, "age_years"),
        ({"age_years": "9"}, "guardian"),
        ({"language": "xx-yyyyy"}, "language"),
    ],
)
def test_a_row_that_lacks_what_its_act_needs_is_named(change: dict[str, str], column: str) -> None:
    contact = claimed()
    assert (2, column) in problems(row(**change))
    assert state(contact) == "claimed"


def test_one_bad_row_does_not_hold_up_the_others() -> None:
    one, two = claimed(), claimed("bo@example.org")
    batch = commit(row(), row("bo@example.org", seller=""), row("cy@example.org"))
    assert (batch.new_rows, batch.bad_rows) == (1, 2)
    assert [state(one), state(two)] == ["given", "claimed"]


def test_values_are_masked_in_the_report() -> None:
    batch = check(row("cy@example.org"), row("cy@example.org"))
    found = evidence_imports.report(batch=batch, at=NOON)
    assert len(found) == 2
    assert "cy@example.org" not in str(found)


@pytest.mark.parametrize("how", ["withdrawn", "refused"])
def test_who_said_no_stays_so(how: str) -> None:
    contact = claimed()
    act(contact, "email", how, NOON - timedelta(days=20))
    batch = check(row())
    assert evidence_imports.findings(batch=batch, at=NOON).stopped_rows == 1
    evidence_imports.commit(batch=batch, at=NOON, actor=SYSTEM)
    assert state(contact) == how


def test_who_stops_between_check_and_import_stays_so() -> None:
    contact = claimed()
    batch = check(row())
    ledger.withdraw(contact=contact, act="button", source="page", at=NOON, actor=SYSTEM)
    batch = evidence_imports.commit(batch=batch, at=NOON, actor=SYSTEM)
    assert (state(contact), batch.new_rows) == ("withdrawn", 0)


def test_a_suppressed_address_stays_so_under_another_contact() -> None:
    other = claimed(partner=partner("Other"))
    ledger.withdraw(contact=other, act="button", source="page", at=NOON, actor=SYSTEM)
    contact = claimed()
    commit(row())
    assert state(contact) == "claimed"


def test_who_agreed_already_is_left_as_they_are() -> None:
    contact = agreed(person(email="ana@example.org"), "email")
    batch = commit(row())
    assert (batch.new_rows, batch.updated_rows, state(contact)) == (0, 1, "confirmed")


def test_what_was_said_for_an_older_address_does_not_count() -> None:
    contact = claimed()
    Contact.objects.filter(pk=contact.pk).update(email_set_at=NOON - timedelta(days=1))
    assert problems(row()) == [(2, "said_at")]


def test_written_consent_comes_with_its_elements_or_not_at_all() -> None:
    contact = person(phone="+33612345678")
    agreement, disclosure = grants.shown()
    whole = row(
        "+33 6 12 34 56 78",
        channel="sms",
        permission="written",
        seller=grants.SELLER,
        notice="",
        notice_sha256=agreement.sha256,
        form_sha256=disclosure.sha256,
        signature="Ana",
        signature_kind="typed_name",
        authorises_advertising="yes",
        authorises_automated="yes",
        not_a_condition="yes",
    )
    assert problems({**whole, "not_a_condition": "no"}) == [(2, "not_a_condition")]
    commit(whole)
    assert WrittenConsent.objects.get().signed_at == SAID
    assert state(contact, "sms") == "given"


def test_a_sale_brings_a_soft_opt_in_and_implied_consent_with_its_end() -> None:
    claimed()
    claimed("bo@example.org")
    sale = {"act": "crm", "reference": "order 7", "notice": "", "form_url": ""}
    soft = {"product_class": "bicycles", "opt_out_shown": "yes", "similar_goods": "yes"}
    commit(
        row(permission="soft_opt_in", **sale, **soft),
        row("bo@example.org", permission="implied_purchase", **sale),
    )
    events = {event.permission: event for event in ConsentEvent.objects.filter(kind="given")}
    assert set(events) == {"soft_opt_in", "implied_purchase"}
    assert events["implied_purchase"].valid_until == SAID.replace(year=SAID.year + 2)


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (b"", "empty"),
        (b"address,purpose\nx,y\n", "channel"),
        (sheet(row()).replace(b"language", b"source"), "twice"),
    ],
)
def test_a_file_that_is_no_list_of_evidence_is_refused(file: bytes, words: str) -> None:
    with pytest.raises(evidence_imports.BadFile, match=words):
        evidence_imports.check(file=file, source="audit", created_by=None, at=NOON)
    assert ImportBatch.objects.count() == 0


def test_a_stopped_import_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence_imports, "CHUNK_ROWS", 2)
    people = [claimed(f"p{number}@example.org") for number in range(5)]
    batch = check(*[row(f"p{number}@example.org") for number in range(5)])
    batch = evidence_imports.commit(batch=batch, at=NOON, actor=SYSTEM, chunks=2)
    assert (batch.state, batch.done_rows) == ("committing", 4)
    batch = evidence_imports.commit(batch=batch, at=NOON, actor=SYSTEM)
    assert {state(contact) for contact in people} == {"given"}
    with pytest.raises(evidence_imports.NotInThisState):
        evidence_imports.commit(batch=batch, at=NOON, actor=SYSTEM)


def test_a_job_works_on_it_as_on_any_list() -> None:
    contact, at = claimed(), clock.now()
    file, officer = sheet(row()), member("officer")
    batch = evidence_imports.receive(file=file, source="audit", created_by=officer, at=at)
    assert jobs.work_on_import(str(batch.pk)) == "checked"
    batch.refresh_from_db()
    evidence_imports.start(batch=batch, at=at, actor=SYSTEM)
    assert jobs.work_on_import(str(batch.pk)) == "committed"
    assert state(contact) == "given"


def test_a_chunk_is_a_fixed_number_of_statements(
    django_assert_max_num_queries: Any,
) -> None:
    for number in range(12):
        claimed(f"p{number}@example.org")
    batch = check(*[row(f"p{number}@example.org") for number in range(12)])
    with django_assert_max_num_queries(30, connection=connection):
        evidence_imports.commit(batch=batch, at=NOON, actor=SYSTEM)
