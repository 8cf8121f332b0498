import csv
import io

import phonenumbers

from retention import cast


def test_the_same_seed_makes_the_same_people() -> None:
    assert cast.people(count=30, seed=4) == cast.people(count=30, seed=4)
    assert cast.people(count=30, seed=4) != cast.people(count=30, seed=5)


def test_no_two_people_share_a_name_or_an_address() -> None:
    people = cast.people(count=200, seed=9)
    for field in ("name", "email", "phone"):
        assert len({getattr(person, field) for person in people}) == 200


def test_phones_are_plausible_and_addresses_are_nobodys() -> None:
    for person in cast.people(count=100, seed=1):
        assert phonenumbers.is_valid_number(phonenumbers.parse(person.phone))
        assert person.email.endswith("@example.org")


def test_the_list_reads_back_as_it_was_written() -> None:
    people = cast.people(count=12, seed=2)
    rows = list(csv.DictReader(io.StringIO(cast.as_csv(people).decode())))
    assert [row["name"] for row in rows] == [person.name for person in people]
