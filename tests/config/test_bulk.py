"""Does a quick insert write what an ordinary one writes?"""

import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import IntegrityError, transaction

from accounts.models import DataKey, TrailLeaf
from config.lib import bulk

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 1, 9, 30, 15, 123456, tzinfo=timezone(timedelta(hours=5, minutes=30)))
COLUMNS = [field.attname for field in TrailLeaf._meta.concrete_fields if field.name != "id"]


def leaf(number: int) -> TrailLeaf:
    return TrailLeaf(
        uid=uuid.UUID(int=number),
        at=AT + timedelta(seconds=number),
        action="tests.row.written",
        actor_kind="system",
        actor_id='tab\tline\nback\\slash "quote" \\N',
        subject_id=uuid.UUID(int=number) if number % 2 else None,
        details={"a": [1, "é", None], "empty": ""},
        leaf_hash=f"{number:064x}",
    )


def test_a_quick_insert_writes_what_an_ordinary_one_writes() -> None:
    bulk.insert([leaf(number) for number in range(20)])
    quick = list(TrailLeaf.objects.filter(uid__lt=uuid.UUID(int=20)).values(*COLUMNS))
    TrailLeaf.objects.bulk_create([leaf(number) for number in range(20, 40)])
    plain = list(TrailLeaf.objects.filter(uid__gte=uuid.UUID(int=20)).values(*COLUMNS))
    moving = {"uid", "at", "subject_id", "leaf_hash"}
    assert len(quick) == len(plain) == 20
    for one, other in zip(quick, plain, strict=True):
        assert {k: one[k] for k in one if k not in moving} == {
            k: other[k] for k in other if k not in moving
        }
    assert [row["at"] for row in quick] == [AT + timedelta(seconds=n) for n in range(20)]
    assert [row["subject_id"] is None for row in quick[:2]] == [True, False]


def test_bytes_come_back_and_a_refused_row_keeps_none() -> None:
    rows = [
        DataKey(
            scope="person",
            owner_id=uuid.uuid4(),
            root_key_id="r1",
            wrapped=bytes(range(256)),
            created_at=AT,
        )
        for _ in range(10)
    ]
    bulk.insert(rows)
    assert {bytes(row.wrapped or b"") for row in DataKey.objects.all()} >= {bytes(range(256))}
    assert not rows[0]._state.adding
    fresh = [leaf(number) for number in range(10)]
    fresh[9].leaf_hash = fresh[0].leaf_hash
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.insert(fresh)
    assert not TrailLeaf.objects.filter(action="tests.row.written").exists()


def test_a_few_rows_and_none_are_written_as_well() -> None:
    bulk.insert([])
    bulk.insert([leaf(1)])
    assert TrailLeaf.objects.get(action="tests.row.written").at == AT.astimezone(UTC) + timedelta(
        seconds=1
    )


def test_a_quick_row_is_as_an_ordinary_one() -> None:
    parent = DataKey(scope="person", owner_id=uuid.uuid4(), created_at=AT)
    told = {"id": uuid.uuid4(), "scope": "asset", "owner_id": parent.id, "created_at": AT}
    quick, plain = bulk.row(DataKey, parent=parent, **told), DataKey(parent=parent, **told)
    for one in (quick, plain):
        assert (one.parent, one.parent_id, one._state.adding) == (parent, parent.id, True)
    assert {**vars(quick), "_state": None} == {**vars(plain), "_state": None}
    assert bulk.row(DataKey, parent=None).parent is None
    leaves = bulk.row(TrailLeaf), bulk.row(TrailLeaf)
    assert leaves[0].uid != leaves[1].uid
    assert leaves[0].details == {}
    assert leaves[0].details is not leaves[1].details


def test_a_column_that_is_none_makes_no_row() -> None:
    with pytest.raises(TypeError):
        bulk.row(TrailLeaf, subject="somebody")
