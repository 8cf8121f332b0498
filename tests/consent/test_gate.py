from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from accounts import keys
from accounts.audit import SYSTEM
from accounts.models import DataKey, Partner
from consent import facts, gate, ledger, purposes
from consent.models import ConsentState, Contact
from tests.consent.people import NOON, act, agreed, person, sent

pytestmark = pytest.mark.django_db


def codes(contact: Contact, channel: str = "email", at: datetime = NOON, **more: str) -> set[str]:
    chosen = {"purpose_code": "marketing", **more}
    verdict = gate.judge(contact=contact, channel=channel, at=at, **chosen)  # type: ignore[arg-type]
    return {verdict.verdict, *[reason.code for reason in verdict.reasons]}


def test_who_agreed_may_be_written_to_and_the_ground_is_cited() -> None:
    contact = agreed(person(), "email")
    verdict = gate.judge(contact=contact, purpose_code="marketing", channel="email", at=NOON)
    assert verdict.verdict == "allow"
    assert {"house.consent", "fr.cpce.consent"} <= {row.rule for row in verdict.reasons}
    assert all(row.source and row.text for row in verdict.reasons)


def test_unknown_is_no() -> None:
    assert codes(person()) == {"refuse", "no_consent"}


def test_a_claim_is_no() -> None:
    contact = person()
    act(contact, "email", "claimed")
    assert codes(contact) == {"refuse", "claimed_only"}


def test_germany_asks_for_a_confirmation() -> None:
    contact = person(country="DE", phone="", time_zone="Europe/Berlin")
    act(contact, "email", "given")
    assert codes(contact) == {"refuse", "not_confirmed"}
    act(contact, "email", "confirmed")
    assert "allow" in codes(contact)


def test_an_unknown_country_asks_for_a_confirmation() -> None:
    contact = person(country="", phone="")
    act(contact, "email", "given")
    assert codes(contact) == {"refuse", "not_confirmed"}


def test_who_withdrew_is_refused_for_both_reasons() -> None:
    contact = agreed(person(), "email")
    ledger.withdraw(contact=contact, act="button", source="page", at=NOON, actor=SYSTEM)
    assert codes(contact) == {"refuse", "withdrawn", "suppressed"}


def test_a_suppressed_address_is_refused_under_another_contact_as_well() -> None:
    one = agreed(person(email="same@example.org"), "email")
    ledger.withdraw(contact=one, act="button", source="page", at=NOON, actor=SYSTEM)
    other = Partner.objects.create(name="Other", created_at=NOON)
    twin = person(email="same@example.org", partner=other)
    act(twin, "email", "given")
    assert codes(twin) == {"refuse", "suppressed"}


def test_a_service_message_needs_no_consent_but_no_stop_either() -> None:
    contact = person()
    assert codes(contact, purpose_code="service") == {"allow", "not_objected"}
    ledger.withdraw(contact=contact, act="button", source="page", at=NOON, actor=SYSTEM)
    assert codes(contact, purpose_code="service") == {"refuse", "suppressed"}


def test_consent_for_another_address_does_not_count() -> None:
    contact = agreed(person(email="old@example.org", phone="+33612340001"), "email")
    later = NOON + timedelta(days=1)
    again = person(at=later, email="new@example.org", phone="+33612340001")
    assert again.pk == contact.pk
    assert codes(again, at=later) == {"refuse", "other_address"}


def test_a_consent_past_its_date_is_expired() -> None:
    contact = person()
    event = act(contact, "email", "confirmed")
    ConsentState.objects.filter(event=event).update(valid_until=NOON + timedelta(days=1))
    assert "allow" in codes(contact)
    assert codes(contact, at=NOON + timedelta(days=1)) == {"refuse", "expired"}


def test_no_address_restriction_erasure_and_expiry_refuse() -> None:
    assert codes(agreed(person(phone=""), "sms"), "sms") == {"refuse", "no_address"}
    contact = agreed(person(), "email")
    contact.restricted_at = NOON
    assert codes(contact) == {"refuse", "restricted"}
    contact = agreed(person(), "email")
    DataKey.objects.filter(pk=contact.key_id).update(delete_at=NOON)
    assert codes(Contact.objects.get(pk=contact.pk)) == {"refuse", "unreadable"}
    keys.destroy(key=contact.key, at=NOON)
    assert codes(Contact.objects.get(pk=contact.pk)) == {"refuse", "unreadable"}


def test_whatsapp_marketing_is_not_for_the_united_states() -> None:
    number = {"phone": "+12125550111", "country": "US", "time_zone": "America/New_York"}
    contact = person(NOON, **number)
    act(contact, "whatsapp", "given", particulars=ledger.Particulars(permission="written"))
    assert codes(contact, "whatsapp") == {"refuse", "channel_blocked"}


def test_the_number_brings_its_own_law() -> None:
    contact = agreed(person(phone="+12125550112", country="FR"), "sms")
    subject = facts.Subject(purposes.current("marketing", NOON), "sms")
    known = facts.gather(people=[contact], subject=subject, at=NOON)[0]
    assert known.places == ("FR", "US-NY")


def test_without_a_zone_the_hours_are_those_that_all_possible_zones_share() -> None:
    # A mobile number of Australia: 9:00 in Sydney is 6:00 in Perth, and Saturdays end at 17:00.
    number = {"phone": "+61412345678", "country": "AU", "time_zone": ""}
    contact = agreed(person(NOON, **number), "sms")
    assert len(contact.phone_zones) > 1
    morning = NOON.replace(hour=22, minute=30)
    verdict = gate.judge(contact=contact, purpose_code="marketing", channel="sms", at=morning)
    assert verdict.verdict == "defer"
    assert verdict.defer_until is not None
    for zone in contact.phone_zones:
        local = verdict.defer_until.astimezone(ZoneInfo(zone))
        assert 9 <= local.hour < 20
    assert any(
        verdict.defer_until.astimezone(ZoneInfo(zone)).hour == 9 for zone in contact.phone_zones
    )


def test_a_fourth_message_in_a_day_waits_for_the_first_to_be_a_day_old() -> None:
    contact = agreed(person(), "email", NOON - timedelta(days=3))
    for hour in (1, 2, 3):
        assert "allow" in codes(contact, at=NOON + timedelta(hours=hour))
        sent(contact, "email", NOON + timedelta(hours=hour))
    verdict = gate.judge(
        contact=contact, purpose_code="marketing", channel="email", at=NOON + timedelta(hours=4)
    )
    assert [reason.code for reason in verdict.reasons] == ["too_many"]
    assert verdict.defer_until == NOON + timedelta(hours=25)


def test_the_same_facts_have_the_same_hash_and_others_another() -> None:
    contact = agreed(person(), "email")
    ask = {"contact": contact, "purpose_code": "marketing", "channel": "email"}
    first = gate.judge(at=NOON, **ask)  # type: ignore[arg-type]
    assert first == gate.judge(at=NOON, **ask)  # type: ignore[arg-type]
    act(contact, "email", "withdrawn")
    assert gate.judge(at=NOON, **ask).inputs_sha256 != first.inputs_sha256  # type: ignore[arg-type]
