from datetime import timedelta

import pytest
from django.apps import apps

from accounts import keys
from accounts.audit import SYSTEM
from config.lib.inventory import DEFAULT_DAYS
from consent import imports, optin, outbox, personal_data, purposes, standing, suppression
from consent.models import Contact, ImportBatch, Message, OptIn
from integrations import connections
from integrations.models import SandboxMessage
from tests.consent.people import NOON, act, agreed, person

pytestmark = pytest.mark.django_db


def sent(contact: Contact) -> Message:
    sandbox, _ = connections.ensure_local(at=NOON)
    _, message = outbox.queue(
        contact=contact,
        connection=sandbox,
        purpose_code="marketing",
        channel="email",
        context_type="consent.test",
        context_id=None,
        idempotency_key=contact.id.hex,
        subject="Hello",
        text="Hello",
        at=NOON,
        actor=SYSTEM,
    )
    assert message is not None
    return message


def due(days: int) -> set[tuple[str, str]]:
    at = NOON + timedelta(days=days)
    return {
        (row.record_class, row.object_id) for row in personal_data.due(at=at, days=DEFAULT_DAYS)
    }


def test_every_column_of_every_model_is_declared() -> None:
    for model in apps.get_app_config("consent").get_models():
        declared = personal_data.DECLARATIONS[f"consent.{model._meta.model_name}"]
        assert set(declared) == {field.name for field in model._meta.fields}, model


def test_an_export_holds_the_person_opened() -> None:
    contact = agreed(person(name="Ana", email="ana@example.org"), "email")
    sent(contact)
    held = personal_data.export(contact_id=contact.pk, at=NOON)
    assert "ana@example.org" in str(held["contact"])
    assert isinstance(held["messages"], list)
    assert len(held["messages"]) == 1
    assert len(str(held["consent"])) > 100


def test_an_erased_person_is_unreadable_and_stays_stopped() -> None:
    contact = agreed(person(email="ana@example.org"), "email")
    sent(contact)
    outbox.dispatch(at=NOON)
    counts = personal_data.erase(contact_id=contact.pk, at=NOON)
    contact = Contact.objects.get(pk=contact.pk)
    assert counts["contacts"] == 1
    assert (contact.name_sealed, contact.email_index, contact.erased_at) == (None, None, NOON)
    assert not keys.opens(key=contact.key, at=NOON)
    index = suppression.index(channel="email", address="ana@example.org")
    assert suppression.is_suppressed(channel="email", address_index=index)
    assert not any(row.content_sealed for row in SandboxMessage.objects.all())
    assert standing.disagreements() == []


def test_erasing_twice_erases_once() -> None:
    contact = agreed(person(), "email")
    personal_data.erase(contact_id=contact.pk, at=NOON)
    counts = personal_data.erase(contact_id=contact.pk, at=NOON + timedelta(days=1))
    assert set(counts.values()) == {0}
    assert Contact.objects.get(pk=contact.pk).erased_at == NOON


def test_an_erasure_cancels_what_is_queued() -> None:
    message = sent(agreed(person(), "email"))
    personal_data.erase(contact_id=message.contact_id, at=NOON)
    message.refresh_from_db()
    assert (message.state, message.body_sealed) == ("cancelled", None)


def test_a_person_is_due_when_their_key_is() -> None:
    contact = person()
    assert due(729) == set()
    assert due(730) == {("contact", str(contact.pk))}
    at = NOON + timedelta(days=730)
    personal_data.erase_record(record_class="contact", object_id=str(contact.pk), at=at)
    assert due(731) == set()


def test_a_body_that_waits_too_long_is_due_and_then_not_sent() -> None:
    message = sent(agreed(person(), "email"))
    assert ("message_body", str(message.pk)) in due(30)
    personal_data.erase_record(record_class="message_body", object_id=str(message.pk), at=NOON)
    message.refresh_from_db()
    assert (message.state, message.problem) == ("cancelled", "body_expired")


def test_the_rows_of_a_list_are_due_after_a_week() -> None:
    purposes.ensure_defaults(at=NOON)
    file = b"name,email\nAna,ana@example.org\n"
    batch = imports.check(file=file, source="crm", created_by=None, at=NOON)
    assert due(6) == set()
    assert due(7) == {("import_rows", str(batch.pk))}
    personal_data.erase_record(record_class="import_rows", object_id=str(batch.pk), at=NOON)
    kept = ImportBatch.objects.get()
    assert (kept.rows_sealed, kept.report_sealed) == (None, None)
    assert due(8) == set()


def test_a_question_without_an_answer_is_due_after_a_month() -> None:
    contact = person()
    act(contact, "email", "claimed")
    connections.ensure_local(at=NOON)
    row = optin.ask(
        contact=contact, purpose_code="marketing", channel="email", at=NOON, actor=SYSTEM
    )
    assert row is not None
    assert ("optin", str(row.pk)) in due(30)
    personal_data.erase_record(record_class="optin", object_id=str(row.pk), at=NOON)
    assert OptIn.objects.count() == 0


def test_what_is_not_there_any_more_is_erased_already() -> None:
    nobody = "00000000-0000-4000-8000-000000000000"
    for record_class in ("contact", "message_body", "import_rows", "optin"):
        personal_data.erase_record(record_class=record_class, object_id=nobody, at=NOON)
