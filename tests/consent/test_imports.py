import pytest

from accounts.audit import SYSTEM
from accounts.models import TrailLeaf
from consent import (
    batches,
    contacts,
    imports,
    ledger,
    lists,
    purposes,
    standing,
    suppression,
)
from consent.models import Contact, ImportBatch, Propagation, Revocation
from integrations import connections
from tests.consent.people import NOON, agreed, person

pytestmark = pytest.mark.django_db
HEADER = "name,email,phone,language,time_zone,country,consent,company,shoe size\n"
GOOD = "Ana,ana@example.org,+33612340101,fr,Europe/Paris,FR,yes,Acme,42\n"
PLAIN = "Bo,bo@example.org,,sv,Europe/Stockholm,SE,,,\n"
NAY = "Cy,cy@example.org,,en,,GB,no,,\n"


@pytest.fixture(autouse=True)
def _purposes() -> None:
    purposes.ensure_defaults(at=NOON)


def check(text: str | bytes) -> ImportBatch:
    file = text.encode() if isinstance(text, str) else text
    return imports.check(file=file, source="crm", created_by=None, at=NOON)


def commit(text: str) -> ImportBatch:
    return imports.commit(batch=check(text), at=NOON, actor=SYSTEM)


def state(email: str) -> str | None:
    contact = contacts.find(partner=None, email=email)
    assert contact is not None
    return ledger.state_of(contact=contact, purpose_code="marketing", channel="email", at=NOON)


def test_a_check_imports_nobody() -> None:
    batch = check(HEADER + GOOD + PLAIN)
    assert (batch.state, batch.total_rows, batch.new_rows, batch.bad_rows) == ("checked", 2, 2, 0)
    assert Contact.objects.count() == 0


def test_an_import_keeps_people_and_claims_only() -> None:
    batch = commit(HEADER + GOOD + PLAIN + NAY)
    assert (batch.state, batch.done_rows, batch.rows_sealed) == ("committed", 3, None)
    assert [state(f"{who}@example.org") for who in ("ana", "bo", "cy")] == [
        "claimed",
        None,
        "withdrawn",
    ]
    contact = contacts.find(partner=None, email="ana@example.org")
    assert contact is not None
    assert contacts.opened(contact=contact, at=NOON).attributes == {"company": "Acme"}
    assert standing.disagreements() == []


def test_every_imported_row_is_in_the_trail() -> None:
    commit(HEADER + GOOD + PLAIN)
    assert TrailLeaf.objects.filter(action="consent.contact.registered").count() == 2
    assert TrailLeaf.objects.filter(action="consent.event.claimed").count() == 2
    assert TrailLeaf.objects.filter(action="consent.import.committed").count() == 1


def test_a_known_person_is_brought_up_to_date_and_keeps_their_consent() -> None:
    agreed(person(email="ana@example.org", phone=""), "email")
    batch = commit(HEADER + GOOD)
    assert (batch.new_rows, batch.updated_rows) == (0, 1)
    assert state("ana@example.org") == "confirmed"


def test_a_no_of_the_list_is_honoured() -> None:
    contact = agreed(person(email="cy@example.org", phone=""), "email")
    commit(HEADER + NAY)
    assert state("cy@example.org") == "withdrawn"
    assert Revocation.objects.get(contact=contact).means == "import"


def test_a_no_of_somebody_new_is_kept_like_a_stop() -> None:
    connections.ensure_local(at=NOON)
    commit(HEADER + NAY)
    contact = Contact.objects.get()
    assert Revocation.objects.get(contact=contact).means == "import"
    assert suppression.is_suppressed(channel="email", address_index=contact.email_stop_index)
    assert (contact.stopped_at, standing.disagreements()) == (NOON, [])
    assert Propagation.objects.count() == 1
    done = set(TrailLeaf.objects.values_list("action", flat=True))
    assert {"consent.contact.stopped", "consent.suppression.added"} <= done


def test_an_import_never_lifts_a_stop() -> None:
    contact = agreed(person(email="ana@example.org", phone=""), "email")
    ledger.withdraw(contact=contact, act="button", source="page", at=NOON, actor=SYSTEM)
    batch = check(HEADER + GOOD)
    assert imports.findings(batch=batch, at=NOON).stopped_rows == 1
    imports.commit(batch=batch, at=NOON, actor=SYSTEM)
    assert state("ana@example.org") == "withdrawn"


def test_each_bad_cell_is_named_by_row_column_and_masked_value() -> None:
    bad = "=1+1,no-mail,+49,xx-yyyyy,Mars/X,QQ,perhaps,,\n"
    batch = check(HEADER + GOOD + bad)
    problems = imports.report(batch=batch, at=NOON)
    assert {(fault.row, fault.column) for fault in problems} == {
        (3, name)
        for name in ("name", "email", "phone", "language", "time_zone", "country", "consent")
    }
    assert all(fault.problem for fault in problems)
    assert "no-mail" not in str(problems)
    assert (batch.new_rows, batch.bad_rows) == (1, 1)


@pytest.mark.parametrize(
    "row",
    [
        "A" * 300 + ",x@example.org,,,,,,,\n",
        "🌟🌟,x@example.org,,,,,,,\n",
        '"An\x07a",x@example.org,,,,,,,\n',
        "<b>Ana</b>,x@example.org,,,,,,,\n",
        "Ana,,,,,,,,\n",
        "Ana,x@example.org,,,,,,,,,one too many\n",
    ],
)
def test_a_bad_row_is_left_out_and_the_good_ones_stay(row: str) -> None:
    batch = check(HEADER + row + GOOD)
    assert (batch.new_rows, batch.bad_rows) == (1, 1)
    assert imports.commit(batch=batch, at=NOON, actor=SYSTEM).state == "committed"
    assert Contact.objects.count() == 1


def test_an_address_twice_in_one_file_is_named() -> None:
    batch = check(HEADER + GOOD + GOOD.replace("Ana", "Anna").replace("0101", "0102"))
    (fault,) = imports.report(batch=batch, at=NOON)
    assert (fault.row, fault.column, fault.problem) == (
        3,
        "email",
        "The same address is in row 2.",
    )


def test_a_row_with_the_addresses_of_two_people_is_named() -> None:
    person(email="ana@example.org", phone="+33612340999")
    person(email="other@example.org", phone="+33612340101")
    (fault,) = imports.report(batch=check(HEADER + GOOD), at=NOON)
    assert fault.problem == imports.TWO_PEOPLE


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (b"", "empty"),
        ((HEADER + "J\xfcrgen,j@example.org\n").encode("latin-1"), "Row 2"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "UTF-8"),
        (b"first,last\nAna,M\n", "name"),
        (b"name,company\nAna,Acme\n", "email or phone"),
        (b"name,email,e-mail\nAna,a@x.org,b@x.org\n", "twice"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_plain_words(file: bytes, words: str) -> None:
    with pytest.raises(imports.BadFile, match=words):
        check(file)
    assert ImportBatch.objects.count() == 0


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings_that_can_be_told_apart_are_read(encoding: str) -> None:
    text = (HEADER + GOOD.replace("Ana", "Jürgen")).replace(",", ";")
    assert check(text.encode(encoding)).new_rows == 1


def test_columns_we_do_not_keep_are_not_read() -> None:
    assert imports.findings(batch=check(HEADER + GOOD), at=NOON).ignored == ("shoe_size",)


def test_a_stopped_import_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "CHUNK_ROWS", 2)
    rows = "".join(f"P{n} x,p{n}@example.org,,,,,yes,,\n" for n in range(5))
    batch = check(HEADER + rows)
    imports.start(batch=batch, at=NOON, actor=SYSTEM)
    purpose = purposes.current("marketing", NOON)
    kept = batches.unpacked(batches.unseal(batch, "rows", batch.rows_sealed, NOON))
    assert imports._commit_chunk(batch, kept, purpose, NOON, actor=SYSTEM)
    assert Contact.objects.count() == 2
    again = imports.commit(batch=batch, at=NOON, actor=SYSTEM)
    assert (again.done_rows, Contact.objects.count()) == (5, 5)


def test_a_check_that_ends_after_the_list_was_put_away_changes_nothing() -> None:
    file = (HEADER + GOOD).encode()
    batch = imports.receive(file=file, source="crm", created_by=None, at=NOON)
    late = ImportBatch.objects.select_related("key").get(pk=batch.pk)
    ImportBatch.objects.filter(pk=batch.pk).update(state="discarded")
    assert imports.examine(batch=late, at=NOON).state == "discarded"


def test_a_part_of_a_list_is_imported_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "CHUNK_ROWS", 1)
    batch = check(HEADER + GOOD + PLAIN + NAY)
    batch = imports.commit(batch=batch, at=NOON, actor=SYSTEM, chunks=2)
    assert (batch.state, batch.done_rows) == ("committing", 2)
    assert imports.commit(batch=batch, at=NOON, actor=SYSTEM, chunks=2).state == "committed"


def test_a_list_is_imported_once() -> None:
    batch = commit(HEADER + GOOD)
    with pytest.raises(imports.NotInThisState):
        imports.commit(batch=batch, at=NOON, actor=SYSTEM)


def test_a_list_that_was_put_away_is_destroyed() -> None:
    batch = imports.discard(batch=check(HEADER + GOOD), at=NOON, actor=SYSTEM)
    assert (batch.state, batch.rows_sealed, batch.key.wrapped) == ("discarded", None, None)
    with pytest.raises(imports.NotInThisState):
        imports.commit(batch=batch, at=NOON, actor=SYSTEM)


def test_a_formula_is_made_harmless_for_spreadsheets() -> None:
    assert lists.harmless("=HYPERLINK(1)") == "'=HYPERLINK(1)"
    assert lists.harmless("Ana") == "Ana"
