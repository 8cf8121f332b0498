"""Is the trail append-only, ordered, chained and signed, and is any change of it seen?"""

import threading
import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from accounts import audit
from accounts.audit import SYSTEM, Actor
from accounts.models import TrailEntry, TrailLeaf, TrailSeal
from config.lib import canonical, crypto, merkle
from tests.accounts.staff import NOON
from tests.flush import append_only_suspended

pytestmark = pytest.mark.django_db
COLUMNS = {
    "accounts_trailleaf": "action",
    "accounts_trailseal": "seal_hash",
    "accounts_trailentry": "entry_hash",
}
TABLES = list(COLUMNS)


def write(count: int = 1, subject: uuid.UUID | None = None) -> None:
    for number in range(count):
        audit.record(
            action="consent.event.recorded",
            at=NOON + timedelta(seconds=number),
            actor=SYSTEM,
            subject_id=subject,
            details={"number": number},
        )


def faults() -> Iterator[str]:
    """Check the whole trail as a stranger would, from its rows and the public key alone."""
    public = bytes.fromhex(audit.public_key()[1])
    previous, first = audit.GENESIS, 1
    for seal in TrailSeal.objects.order_by("number"):
        entries = list(seal.entries.order_by("position").select_related("leaf"))
        if seal.previous_hash != previous or seal.first_position != first:
            yield "order"
        if canonical.digest(audit.header(seal)) != seal.seal_hash or not crypto.signature_holds(
            public=public,
            signature=bytes.fromhex(seal.signature),
            message=seal.seal_hash.encode(),
        ):
            yield "signature"
        hashes = [
            canonical.digest(
                audit.entry_content(entry, canonical.digest(audit.content(entry.leaf)))
            )
            for entry in entries
        ]
        if len(hashes) != seal.leaf_count or merkle.root(hashes) != seal.merkle_root:
            yield "leaves"
        previous, first = seal.seal_hash, first + seal.leaf_count


def tamper(statement: str) -> None:
    """Change evidence as somebody would who owns the database."""
    with append_only_suspended(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("verb", ["UPDATE", "DELETE"])
def test_the_database_refuses_to_change_evidence(table: str, verb: str) -> None:
    write()
    audit.seal(at=NOON)
    column = COLUMNS[table]
    statement = (
        f"UPDATE {table} SET {column} = {column}" if verb == "UPDATE" else f"DELETE FROM {table}"
    )
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


@pytest.mark.parametrize("table", TABLES)
def test_postgresql_refuses_to_truncate_evidence(table: str) -> None:
    if connection.vendor != "postgresql":
        # SQLite has no TRUNCATE: its optimised DELETE meets the same trigger as any other.
        write()
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            connection.cursor().execute("DELETE FROM accounts_trailleaf")
        return
    write()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        connection.cursor().execute(f"TRUNCATE {table} CASCADE")


def test_the_orm_is_refused_too() -> None:
    write()
    leaf = TrailLeaf.objects.get()
    leaf.action = "consent.event.forged"
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        leaf.save()


@pytest.mark.parametrize("action", ["", "sent", "consent.sent", "Consent.message.sent", "a b.c.d"])
def test_an_act_without_a_dotted_name_is_refused(action: str) -> None:
    with pytest.raises(audit.NotForTheTrail):
        audit.record(action=action, at=NOON, actor=SYSTEM)


@pytest.mark.parametrize("value", ["Ana Maria", "ana@example.org", "x" * 161, "naïve", "a\nb"])
def test_a_personal_value_does_not_fit_and_is_not_repeated(value: str) -> None:
    for details in ({"name": value}, {"names": ["code", value]}):
        with pytest.raises(audit.NotForTheTrail) as refused:
            audit.record(action="consent.event.recorded", at=NOON, actor=SYSTEM, details=details)
        assert value not in str(refused.value)
    with pytest.raises(audit.NotForTheTrail):
        audit.record(action="consent.event.recorded", at=NOON, actor=Actor("staff", value))


def test_codes_counts_and_lists_of_codes_fit() -> None:
    details: dict[str, audit.Detail] = {
        "reason": "stop-word",
        "rows": 3,
        "done": True,
        "none": None,
        "of": ["sms", "email"],
    }
    leaf = audit.record(action="consent.event.recorded", at=NOON, actor=SYSTEM, details=details)
    assert TrailLeaf.objects.get(pk=leaf.pk).details == details


def test_what_is_written_hashes_as_it_is_read_back() -> None:
    write(subject=uuid.uuid4())
    leaf = TrailLeaf.objects.get()
    assert canonical.digest(audit.content(leaf)) == leaf.leaf_hash


def test_an_act_goes_with_the_transaction_it_was_in() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        write()
        _ = 1 / 0
    assert not TrailLeaf.objects.exists()


def test_sealing_gives_every_leaf_one_place() -> None:
    write(5)
    assert audit.unsealed() == 5
    assert audit.seal(at=NOON) == 5
    assert audit.unsealed() == 0
    assert [entry.position for entry in TrailEntry.objects.all()] == [1, 2, 3, 4, 5]
    assert not list(faults())


def test_sealing_nothing_makes_no_block() -> None:
    assert audit.seal(at=NOON) == 0
    assert audit.head() is None


def test_blocks_are_chained_and_positions_go_on() -> None:
    for _ in range(3):
        write(2)
        audit.seal(at=NOON)
    seals = list(TrailSeal.objects.all())
    assert [seal.first_position for seal in seals] == [1, 3, 5]
    assert [seal.previous_hash for seal in seals] == [
        audit.GENESIS,
        seals[0].seal_hash,
        seals[1].seal_hash,
    ]
    assert audit.head() == seals[-1]
    assert not list(faults())


def test_a_large_backlog_is_sealed_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "BLOCK_LEAVES", 4)
    write(10)
    assert audit.seal(at=NOON) == 10
    assert [seal.leaf_count for seal in TrailSeal.objects.all()] == [4, 4, 2]
    assert not list(faults())


def test_one_subjects_acts_are_numbered_and_chained_across_blocks() -> None:
    ana, ben = uuid.uuid4(), uuid.uuid4()
    for subject in (ana, ben, ana):
        write(1, subject)
    audit.seal(at=NOON)
    write(1, ana)
    audit.seal(at=NOON)
    own = list(TrailEntry.objects.filter(subject_id=ana))
    assert [entry.subject_number for entry in own] == [1, 2, 3]
    assert [entry.subject_previous_hash for entry in own] == [
        audit.GENESIS,
        own[0].entry_hash,
        own[1].entry_hash,
    ]


def test_the_path_of_each_entry_leads_to_the_signed_root() -> None:
    write(7)
    audit.seal(at=NOON)
    seal = TrailSeal.objects.get()
    hashes = [entry.entry_hash for entry in seal.entries.all()]
    for index, value in enumerate(hashes):
        path = merkle.path(hashes, index)
        assert merkle.holds(value=value, index=index, count=7, path=path, root=seal.merkle_root)


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        (
            "UPDATE accounts_trailleaf SET action = 'consent.event.forged' WHERE id = {leaf}",
            "leaves",
        ),
        ("UPDATE accounts_trailleaf SET actor_id = 'other' WHERE id = {leaf}", "leaves"),
        ("UPDATE accounts_trailentry SET subject_number = 9 WHERE position = 2", "leaves"),
        ("DELETE FROM accounts_trailentry WHERE position = 2", "leaves"),
        ("UPDATE accounts_trailseal SET leaf_count = 2 WHERE number = 1", "signature"),
        ("UPDATE accounts_trailseal SET merkle_root = '00' WHERE number = 2", "signature"),
        ("UPDATE accounts_trailseal SET previous_hash = '00' WHERE number = 2", "order"),
    ],
)
def test_a_change_is_seen(statement: str, fault: str) -> None:
    for _ in range(2):
        write(3)
        audit.seal(at=NOON)
    assert not list(faults())
    leaf = TrailEntry.objects.get(position=2).leaf_id
    tamper(statement.format(leaf=leaf))
    assert fault in set(faults())


def test_two_acts_that_changed_places_are_seen() -> None:
    write(3)
    audit.seal(at=NOON)
    entries = list(TrailEntry.objects.order_by("position"))
    first, second = entries[0].entry_hash, entries[1].entry_hash
    tamper(f"UPDATE accounts_trailentry SET position = 90 WHERE entry_hash = '{first}'")
    tamper(f"UPDATE accounts_trailentry SET position = 1 WHERE entry_hash = '{second}'")
    tamper(f"UPDATE accounts_trailentry SET position = 2 WHERE entry_hash = '{first}'")
    assert set(faults()) == {"leaves"}


@pytest.mark.django_db(transaction=True)
def test_sealers_at_once_make_one_chain() -> None:
    write(40)
    start = threading.Barrier(4)

    def run() -> None:
        start.wait()
        try:
            audit.seal(at=NOON)
        finally:
            connection.close()

    workers = [threading.Thread(target=run) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    audit.seal(at=NOON)
    assert TrailEntry.objects.count() == 40
    assert not list(faults())


def test_a_signed_document_is_checked_with_the_public_key() -> None:
    document = {"certificate": 1}
    signed = audit.sign(document)
    assert signed["public_key"] == audit.public_key()[1]
    assert crypto.signature_holds(
        public=bytes.fromhex(signed["public_key"]),
        signature=bytes.fromhex(signed["signature"]),
        message=canonical.encode(document),
    )
