"""Does the officer see each thing that left, whoever it was about, and no value of anybody?"""

import csv
import uuid
from datetime import timedelta

import pytest

from accounts.audit import SYSTEM
from consent import ledger
from consent.models import CrmLink, Message, Propagation, Writeback
from retention import disclosures
from tests.retention import story
from tests.retention.test_views import signed_in, url

pytestmark = pytest.mark.django_db(transaction=True)
AT = story.AT


def told_a_crm() -> None:
    """Make a stop, an erasure and a note of the one person known at their connection."""
    row = Message.objects.select_related("connection", "contact").get()
    ledger.withdraw(contact=row.contact, act="button", source="page", at=AT, actor=SYSTEM)
    Propagation.objects.update(state="told", done_at=AT)
    link = CrmLink.objects.create(
        connection=row.connection, contact=row.contact, record_index="x", record_id="7"
    )
    for kind, event in (("erase", "erasure"), ("note", "watched")):
        Writeback.objects.create(
            kind=kind,
            state="told",
            connection=row.connection,
            link=link,
            contact=row.contact,
            event=event,
            event_id=uuid.uuid4(),
            happened_at=AT,
            due_at=AT,
            next_at=AT,
            done_at=AT,
        )


def test_each_kind_of_evidence_is_one_disclosure() -> None:
    person, _ = story.whole()
    told_a_crm()
    rows, after = disclosures.listed()
    said = {row.what.split(",")[0] for row in rows}
    assert {"A script without any person with 1 open slot", "E-mail address"} <= said
    assert {"That the person is to be erased", "A note that the video was watched"} <= said
    assert after is None
    about = {row.contact_id for row in rows}
    assert about == {person.public_id, ""}
    assert all(row.contact_id for row in disclosures.everything(contact=person))


def test_what_did_not_leave_is_no_disclosure() -> None:
    story.whole()
    for state, claimed in (("queued", None), ("refused", AT), ("cancelled", AT)):
        Message.objects.update(state=state, claimed_at=claimed)
        assert {row.contact_id for row in disclosures.listed()[0]} == {""}


def test_pages_of_one_instant_lose_and_repeat_nothing() -> None:
    person, _ = story.whole()
    told_a_crm()
    link = CrmLink.objects.get()
    notes = [
        Writeback(
            kind="note",
            state="told",
            connection=link.connection,
            link=link,
            contact=person,
            event="message",
            event_id=uuid.uuid4(),
            happened_at=AT,
            due_at=AT,
            next_at=AT,
            done_at=AT,
        )
        for _ in range(9)
    ]
    Writeback.objects.bulk_create(notes)
    whole, _ = disclosures.listed()
    paged, after = disclosures.listed(limit=2)
    while after:
        rows, after = disclosures.listed(limit=2, after=after)
        paged += rows
    assert paged == whole
    assert len({row.reference for row in whole}) == len(whole) >= 13


def test_receivers_are_counted_over_ninety_days() -> None:
    story.whole()
    assert sum(disclosures.counted(at=AT + timedelta(days=1)).values()) == 2
    assert disclosures.counted(at=AT + timedelta(days=99)) == {}


def test_the_page_lists_and_filters_and_names_nobody() -> None:
    person, _ = story.whole()
    client = signed_in()
    page = client.get(url("disclosures")).content.decode()
    assert "nobody" in page
    assert person.public_id in page
    assert "Zoë" not in page
    hers = client.get(url("disclosures"), {"person": person.public_id}).content.decode()
    assert "nobody</td>" not in hers
    assert url("disclosure_file", person.public_id) in hers


@pytest.mark.parametrize("query", [{"person": "con_0"}, {"to": "x"}, {"person": "a@example.org"}])
def test_a_filter_that_fits_nothing_is_refused_in_words(query: dict[str, str]) -> None:
    story.whole()
    answer = signed_in().get(url("disclosures"), query)
    assert answer.status_code == 422
    assert "table--cards" not in answer.content.decode()


@pytest.mark.parametrize("after", ["x", "2026-01-01~message~1", "2026-01-01T00:00Z~stop~x", "~~"])
def test_a_place_that_cannot_be_read_is_the_newest(after: str) -> None:
    story.whole()
    assert "nobody" in signed_in().get(url("disclosures"), {"after": after}).content.decode()


def test_an_empty_house_says_so() -> None:
    assert "Nothing has left yet" in signed_in().get(url("disclosures")).content.decode()


def test_one_persons_file_holds_all_that_left_about_them() -> None:
    person, _ = story.whole()
    told_a_crm()
    row = Message.objects.get()
    type(row.connection).objects.filter(pk=row.connection_id).update(label="=SUM(A1)")
    text = signed_in().get(url("disclosure_file", person.public_id)).content.decode()
    rows = list(csv.reader(text.splitlines()))
    assert len(rows) == 1 + len(list(disclosures.everything(contact=person)))
    assert rows[1][1] == "'=SUM(A1)"
    assert "Zoë" not in text
