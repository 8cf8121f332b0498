import pytest

from consent import intake, ledger, outbox, suppression
from consent.models import Contact, RegisterEntry, Revocation
from tests.consent.hearing import taken, told
from tests.consent.people import NOON, agreed, person
from tests.consent.test_outbox import queued

pytestmark = pytest.mark.django_db
PHONE = "+33612341234"


def state(contact: Contact, channel: str) -> str | None:
    return ledger.state_of(contact=contact, purpose_code="marketing", channel=channel, at=NOON)


def test_a_providers_opt_out_is_the_persons_stop() -> None:
    contact = agreed(agreed(person(phone=PHONE), "sms"), "email")
    assert told("opt_out", {"channel": "sms", "from": PHONE}).outcome == "withdrawn"
    assert [state(contact, channel) for channel in ("sms", "email")] == ["withdrawn"] * 2
    assert Revocation.objects.get().means == "provider_event"


def test_a_providers_opt_out_of_somebody_unknown_holds() -> None:
    assert told("opt_out", {"channel": "sms", "from": PHONE}).outcome == "suppressed"
    index = suppression.index(channel="whatsapp", address=PHONE)
    assert suppression.is_suppressed(channel="whatsapp", address_index=index)


@pytest.mark.parametrize(
    ("named", "sms"), [([], "withdrawn"), (["email"], "confirmed"), ([{}], "withdrawn")]
)
def test_a_flag_in_the_crm_ends_what_it_names_or_everything(named: list[object], sms: str) -> None:
    contact = agreed(agreed(person(email="ana@example.org"), "sms"), "email")
    told("crm_opt_out", {"email": "ana@example.org", "channels": named})
    assert (state(contact, "email"), state(contact, "sms")) == ("withdrawn", sms)
    assert Revocation.objects.get().means == "crm_flag"


def test_consent_does_not_come_with_a_number_that_somebody_else_has() -> None:
    contact = agreed(agreed(person(phone=PHONE), "sms"), "email")
    assert told("reassigned", {"from": PHONE}).outcome == "withdrawn"
    assert (state(contact, "sms"), state(contact, "email")) == ("withdrawn", "confirmed")
    entry = RegisterEntry.objects.get(address_index=contact.sms_stop_index)
    assert (entry.register, entry.answer) == ("us.rnd", "listed")


@pytest.mark.parametrize("kind", ["opt_out", "crm_opt_out", "reassigned"])
def test_what_names_nobody_is_put_away(kind: str) -> None:
    assert told(kind).outcome == "unreadable"


def test_a_report_that_the_person_stopped_there_is_a_stop() -> None:
    contact = agreed(person(), "email")
    message = queued(contact)
    outbox.dispatch(at=NOON)
    message.refresh_from_db()
    sent = message.provider_message_id
    body = {"provider_message_id": sent, "status": "failed", "code": "opted_out"}
    assert taken("delivery_report", body, NOON, NOON).outcome == "withdrawn"
    assert state(contact, "email") == "withdrawn"


def test_a_refusal_that_the_person_stopped_there_is_a_stop() -> None:
    contact = agreed(person(email="x0004@example.org"), "email")
    queued(contact)
    assert outbox.dispatch(at=NOON).failed == 1
    assert intake.take_waiting(at=NOON) == 1
    assert state(contact, "email") == "withdrawn"
