"""One contract for both places: the local folder, and a versioned bucket that moto plays."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage, storages
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from storages.backends.s3 import S3Storage

from config.lib import blobs

DATA = bytes(range(256)) * 8000
NOW = datetime.now(UTC)
PART = b"p" * (5 << 20)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with mock_aws():
        storage = S3Storage(
            bucket_name="bucket",
            access_key="a",
            secret_key="b",
            region_name="eu-central-1",
            file_overwrite=False,
        )
        place = {"LocationConstraint": "eu-central-1"}
        storage.connection.create_bucket(Bucket="bucket", CreateBucketConfiguration=place)
        storage.connection.BucketVersioning("bucket").enable()
        monkeypatch.setitem(storages._storages, "default", storage)  # type: ignore[attr-defined]
        yield storage.bucket


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    local = FileSystemStorage(location=tmp_path)
    monkeypatch.setitem(storages._storages, "default", local)  # type: ignore[attr-defined]
    return tmp_path


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(request.param)


def held(bucket: Any) -> list[str]:
    return sorted(item.object_key for item in bucket.object_versions.all())


def read(name: str, start: int, length: int) -> bytes:
    with blobs.reader(name=name) as reader:
        return reader(start, length)


def test_any_part_of_an_object_is_read(place: None) -> None:
    blobs.write(name="ab/abc", chunks=[DATA[:70_000], DATA[70_000:]])
    with blobs.reader(name="ab/abc") as reader:
        assert reader(0, 10) == DATA[:10]
        assert reader(1_500_000, 20) == DATA[1_500_000:1_500_020]
        assert reader(len(DATA) - 3, 10) == DATA[-3:]
        assert reader(len(DATA), 1) == b""


def test_an_empty_object_is_kept_and_read(place: None) -> None:
    blobs.write(name="ab/abc", chunks=[])
    assert read("ab/abc", 0, 5) == b""


def test_many_small_chunks_leave_no_hole(place: None) -> None:
    blobs.write(name="ab/abc", chunks=(DATA[i : i + 1000] for i in range(0, len(DATA), 1000)))
    assert read("ab/abc", 0, len(DATA)) == DATA


def test_an_object_that_is_absent_is_missing(place: None) -> None:
    with pytest.raises(blobs.BlobMissing):
        read("ab/abc", 0, 1)
    with pytest.raises(blobs.BlobMissing):
        blobs.age_seconds(name="ab/abc", at_epoch=0)


def test_a_removed_object_is_gone_and_may_be_removed_again(place: None) -> None:
    blobs.write(name="ab/abc", chunks=[b"x"])
    blobs.remove(name="ab/abc")
    blobs.remove(name="ab/abc")
    assert list(blobs.names()) == []
    with pytest.raises(blobs.BlobMissing):
        read("ab/abc", 0, 1)


def test_a_name_that_begins_another_takes_only_its_own(place: None) -> None:
    for name in ("ab/abc", "ab/abcd", "ab/ab"):
        blobs.write(name=name, chunks=[name.encode()])
    blobs.remove(name="ab/abc")
    assert list(blobs.names()) == ["ab/ab", "ab/abcd"]
    assert read("ab/abcd", 0, 9) == b"ab/abcd"
    blobs.remove(name="ab/a")
    assert list(blobs.names()) == ["ab/ab", "ab/abcd"]


def test_names_come_in_order_and_go_on_after_one(place: None) -> None:
    names = ["0f/a", "ab/abc", "ab/b", "abc", "b", "fe/x/y"]
    for name in reversed(names):
        blobs.write(name=name, chunks=[b"x"])
    found = list(blobs.names())
    assert found == sorted(names)
    for number, name in enumerate(found):
        assert list(blobs.names(after=name)) == found[number + 1 :]


def test_nothing_stored_is_no_name(place: None) -> None:
    assert list(blobs.names()) == []


def test_age_is_told(place: None) -> None:
    blobs.write(name="ab/abc", chunks=[b"x"])
    age = blobs.age_seconds(name="ab/abc", at_epoch=(NOW + timedelta(hours=2)).timestamp())
    assert 6000 < age < 7300


def test_nothing_is_begun_in_parts_where_nothing_was(place: None) -> None:
    assert blobs.abort_uploads(older_than=NOW + timedelta(days=1)) == 0


def test_the_folder_is_flushed_up_to_a_new_entry(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[Path] = []
    monkeypatch.setattr(blobs, "_flush", flushed.append)
    blobs.write(name="ab/abc", chunks=[b"x"])
    assert flushed == [folder / "ab/abc", folder / "ab", folder]


def test_every_version_and_mark_in_a_bucket_goes(bucket: Any) -> None:
    for name in ("ab/abc", "ab/abc", "ab/abcd"):
        bucket.put_object(Key=name, Body=b"x")
    bucket.Object("ab/abc").delete()
    bucket.put_object(Key="ab/abc", Body=b"y")
    bucket.Object("ab/abc").delete()
    assert len(held(bucket)) == 6
    blobs.remove(name="ab/abc")
    assert held(bucket) == ["ab/abcd"]


def test_what_only_a_mark_hides_is_still_named_and_aged(bucket: Any) -> None:
    blobs.write(name="ab/abc", chunks=[b"x"])
    bucket.Object("ab/abc").delete()
    assert list(blobs.names()) == ["ab/abc"]
    later = (datetime.now(UTC) + timedelta(hours=2)).timestamp()
    assert blobs.age_seconds(name="ab/abc", at_epoch=later) > 7000


def test_more_versions_than_a_page_holds_all_go(bucket: Any) -> None:
    backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    for number in range(1003):
        backend.put_object("bucket", "ab/abc", b"%d" % number)
    bucket.put_object(Key="ab/abd", Body=b"x")
    assert list(blobs.names()) == ["ab/abc", "ab/abd"]
    blobs.remove(name="ab/abc")
    assert held(bucket) == ["ab/abd"]


def test_a_version_that_stays_is_no_removal(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    blobs.write(name="ab/abc", chunks=[b"x"])
    refusing = lambda **_: {"Errors": [{"Code": "AccessDenied"}]}  # noqa: E731
    monkeypatch.setattr(bucket, "delete_objects", refusing)
    monkeypatch.setattr(S3Storage, "bucket", bucket)
    with pytest.raises(blobs.BlobStillThere):
        blobs.remove(name="ab/abc")


def test_uploads_in_parts_that_never_ended_are_aborted(bucket: Any) -> None:
    for name in ("ab/abc", "ab/abcd"):
        upload = bucket.Object(name).initiate_multipart_upload()
        upload.Part(1).upload(Body=PART)
    begun = min(one.initiated for one in bucket.multipart_uploads.all())
    assert blobs.abort_uploads(older_than=begun) == 0
    blobs.remove(name="ab/abc")
    assert [one.object_key for one in bucket.multipart_uploads.all()] == ["ab/abcd"]
    assert blobs.abort_uploads(older_than=begun + timedelta(seconds=1)) == 1
    assert list(bucket.multipart_uploads.all()) == []


def test_a_large_object_goes_up_in_parts_and_comes_back(bucket: Any) -> None:
    data = os.urandom(1 << 20) * 20
    blobs.write(name="ab/abc", chunks=[data[i : i + 65_552] for i in range(0, len(data), 65_552)])
    assert read("ab/abc", len(data) - 70_000, 70_000) == data[-70_000:]
    assert len(held(bucket)) == 1


def test_a_part_is_fetched_a_stretch_ahead(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    blobs.write(name="ab/abc", chunks=[DATA])
    asked: list[int] = []
    fetch = blobs._S3Reader._fetch

    def counted(self: Any, start: int, length: int) -> bytes:
        asked.append(length)
        return fetch(self, start, length)

    monkeypatch.setattr(blobs._S3Reader, "_fetch", counted)
    with blobs.reader(name="ab/abc") as reader:
        parts = [reader(at, 65_552) for at in range(0, 10 * 65_552, 65_552)]
    assert b"".join(parts) == DATA[: 10 * 65_552]
    assert asked == [blobs.AHEAD_BYTES]
