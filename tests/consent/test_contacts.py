import json
from datetime import timedelta

import pytest
from django.db import connection

from accounts import keys
from accounts.audit import Actor
from accounts.models import Partner, TrailLeaf
from consent import contacts
from consent.models import Contact
from tests.consent.people import NOON, person

pytestmark = pytest.mark.django_db


def test_a_person_is_kept_and_opens_again() -> None:
    contact = person(name="Ana Müller", email="Ana@Example.org", phone="+33612345678")
    plain = contacts.opened(contact=Contact.objects.get(pk=contact.pk), at=NOON)
    assert (plain.name, plain.email, plain.phone) == (
        "Ana Müller",
        "ana@example.org",
        "+33612345678",
    )
    assert plain.attributes == {"company": "Acme"}


def test_no_column_holds_what_names_somebody() -> None:
    person(name="Zephyrine Quux", email="zephyrine@example.org", phone="+33612345679")
    with connection.cursor() as cursor:
        for table in ("consent_contact", "accounts_trailleaf", "accounts_datakey"):
            cursor.execute(f"SELECT * FROM {table}")
            text = json.dumps(
                cursor.fetchall(),
                default=lambda value: (
                    bytes(value).decode("latin1")
                    if isinstance(value, bytes | memoryview)
                    else str(value)
                ),
            )
            for secret in ("Zephyrine", "zephyrine", "612345679"):
                assert secret not in text


def test_the_same_address_is_the_same_person() -> None:
    first = person(email="a@example.org", phone="", name="Ana")
    again = person(email="A@example.org", phone="+33612345670", name="Anna")
    plain = contacts.opened(contact=again, at=NOON)
    assert first.pk == again.pk
    assert (plain.name, plain.phone) == ("Anna", "+33612345670")
    assert TrailLeaf.objects.filter(action="consent.contact.updated").count() == 1


def test_an_empty_field_takes_nothing_away() -> None:
    person(email="a@example.org", phone="+33612345671")
    again = person(email="a@example.org", phone="", time_zone="", attributes={})
    plain = contacts.opened(contact=again, at=NOON)
    assert (plain.phone, again.time_zone) == ("+33612345671", "Europe/Paris")
    assert plain.attributes == {"company": "Acme"}


def test_two_partners_do_not_share_a_person() -> None:
    one = Partner.objects.create(name="One", created_at=NOON)
    two = Partner.objects.create(name="Two", created_at=NOON)
    first = person(partner=one, email="a@example.org")
    second = person(partner=two, email="a@example.org")
    assert first.pk != second.pk
    assert first.email_index != second.email_index
    assert list(contacts.for_partner(one)) == [first]
    assert contacts.find(partner=two, email="a@example.org") == second
    assert contacts.find(partner=None, email="a@example.org") is None


def test_addresses_of_two_people_are_refused_together() -> None:
    person(email="a@example.org", phone="+33612345672")
    person(email="b@example.org", phone="+33612345673")
    with pytest.raises(contacts.NotAContact) as refused:
        person(email="a@example.org", phone="+33612345673")
    assert refused.value.field == "phone"


def test_past_the_keys_date_nothing_opens_and_the_address_is_free() -> None:
    contact = person(email="a@example.org")
    later = NOON + timedelta(days=contacts.CONTACT_KEPT_DAYS)
    with pytest.raises(keys.KeyExpired):
        contacts.opened(contact=contact, at=later)
    assert contacts.masked(contact=contact, at=later).name == contacts.UNREADABLE
    again = person(later, email="a@example.org", phone="")
    assert again.pk != contact.pk


def test_staff_who_look_are_in_the_trail() -> None:
    contact = person()
    contacts.shown(contact=contact, at=NOON, staff=Actor("staff", "7"), reason="timeline")
    assert TrailLeaf.objects.filter(action="accounts.plaintext.revealed", actor_id="7").exists()


def test_a_channel_without_an_address_has_none() -> None:
    contact = person(phone="")
    assert contacts.channels_of(contact) == ["email"]
    with pytest.raises(contacts.NoAddress):
        contacts.address(contact=contact, channel="sms", at=NOON)


def test_a_number_of_a_split_area_code_has_the_clocks_of_both_parts() -> None:
    contact = person(phone="+18505550123", country="US", time_zone="")
    assert contact.phone_regions == ["US-FL"]
    assert contact.phone_zones == ["America/Chicago", "America/New_York"]
