import uuid
from datetime import timedelta

import pytest

from accounts import keys
from consent import contacts, known_names, known_people, personal_data
from consent.known_names import pair, spelling
from consent.models import Contact
from tests.videos import stage

SAME = [
    ("Müller", "MUELLER"),
    ("Søren", "soeren"),
    ("Łukasz", "Lukasz"),
    ("Großmann", "Grossmann"),
    ("O’Neil", "O'Neil"),
    ("Zoë", "Zoe\u0308"),
    ("김민수", "김민수"),
]


def hashed(*words: str, partner_id: uuid.UUID | None = None) -> set[str]:
    return known_people.names_held(partner_id=partner_id, pairs=words, parts=words)


@pytest.mark.parametrize(("one", "other"), SAME)
def test_one_name_is_looked_for_however_it_is_written(one: str, other: str) -> None:
    (first,), (second,) = known_names.tokens(one), known_names.tokens(other)
    assert first.word == second.word


def test_a_name_is_looked_for_by_its_words_and_by_first_and_last_together() -> None:
    spelt = spelling("Dr. María José García-López")
    assert (spelt.first, spelt.middle, spelt.last) == ("maria", "garcia", "lopez")
    assert spelt.pair == pair("lopez", "maria")
    assert spelling("Ludwig van Beethoven").pair == pair("beethoven", "ludwig")


def test_what_says_nothing_of_whose_it_is_is_not_looked_for() -> None:
    assert spelling("Li") == known_names.Spelling()
    assert spelling("van der") == known_names.Spelling()
    # Without capitals one word of a name is any word.
    assert spelling("محمد علي").first == ""


def test_an_apostrophe_joins_and_a_genitive_is_left_out() -> None:
    assert [one.word for one in known_names.tokens("Anna's dog and O'Neil")] == [
        "anna",
        "s",
        "dog",
        "and",
        "oneil",
    ]


@pytest.mark.django_db
def test_a_name_is_held_by_keyed_hash_in_its_own_realm_only() -> None:
    person = stage.person(name="Ottilie Quandt")
    assert hashed("ottilie", "quandt", pair("ottilie", "quandt"), "nobody") == {
        "ottilie",
        "quandt",
        pair("ottilie", "quandt"),
    }
    assert hashed("ottilie", partner_id=uuid.uuid4()) == set()
    assert person.name_first_index not in {None, "", "ottilie"}


@pytest.mark.django_db
def test_another_name_takes_the_first_ones_place() -> None:
    stage.person(name="Ottilie Quandt")
    stage.person(name="Ottilie Becker")
    assert hashed("quandt", "beker", "becker") == {"becker"}


@pytest.mark.django_db
def test_erasure_takes_the_hashes_of_the_name() -> None:
    person = stage.person(name="Ottilie Quandt")
    personal_data.erase(contact_id=person.pk, at=stage.AT)
    assert hashed("ottilie", "quandt", pair("ottilie", "quandt")) == set()
    person.refresh_from_db()
    assert person.name_first_index is None


@pytest.mark.django_db
def test_contacts_of_before_get_theirs_by_a_job() -> None:
    person = stage.person(name="Ottilie Quandt")
    Contact.objects.update(name_first_index=None, name_last_index="", name_pair_index="")
    assert contacts.without_name_index(partner=None, limit=9) == [person]
    assert contacts.index_again(at=stage.AT) == 1
    assert contacts.without_name_index(partner=None, limit=9) == []
    assert hashed("ottilie", "quandt") == {"ottilie", "quandt"}


@pytest.mark.django_db
def test_who_no_longer_opens_keeps_nobody_waiting() -> None:
    person = stage.person(name="Ottilie Quandt")
    Contact.objects.update(name_first_index=None)
    keys.destroy(key=person.key, at=stage.AT)
    assert contacts.index_again(at=stage.AT + timedelta(days=1)) == 1
    assert hashed("ottilie") == set()
    assert contacts.without_name_index(partner=None, limit=9) == []


@pytest.mark.django_db
def test_a_value_that_was_tampered_with_does_not_stop_the_job() -> None:
    stage.person(name="Ottilie Quandt")
    Contact.objects.update(name_first_index=None, name_sealed=b"\x01" + bytes(60))
    assert contacts.index_again(at=stage.AT) == 1
    assert contacts.without_name_index(partner=None, limit=9) == []
