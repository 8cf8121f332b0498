import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage, storages
from django.db import transaction

from accounts import keys
from config.lib import blobs, sealed_stream
from tests.videos import stage
from videos import vault
from videos.models import SealedObject
from videos.vault import Fault

pytestmark = pytest.mark.django_db(transaction=True)
AT, LATER = stage.AT, stage.AT + timedelta(hours=2)
DATA = os.urandom(3 * sealed_stream.CHUNK_BYTES + 77)


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    place = FileSystemStorage(location=tmp_path, file_permissions_mode=0o600)
    monkeypatch.setitem(storages._storages, "default", place)  # type: ignore[attr-defined]
    yield tmp_path


def stored(data: bytes = DATA) -> SealedObject:
    return stage.stored(stage.campaign().key, data)


def path_of(row: SealedObject) -> Path:
    return Path(storages["default"].path(row.name))


def change(row: SealedObject, place: int) -> None:
    body = bytearray(path_of(row).read_bytes())
    body[place] ^= 1
    path_of(row).write_bytes(body)


def faults(*, hours: int = 0) -> list[Fault]:
    return list(vault.check_all(at=AT + timedelta(hours=hours)))


def age(path: Path, *, hours: int) -> None:
    moment = (AT - timedelta(hours=hours)).timestamp()
    os.utime(path, (moment, moment))


def test_what_is_stored_reads_back_whole_and_in_parts() -> None:
    row = stored()
    assert vault.read(sealed_object=row, at=AT) == DATA
    part = vault.read_range(sealed_object=row, start=65_000, end=70_000, at=AT)
    assert b"".join(part) == DATA[65_000:70_000]
    assert (row.state, row.size_bytes) == (SealedObject.State.STORED, len(DATA))
    assert faults() == []


@pytest.mark.parametrize("size", [0, 1, sealed_stream.CHUNK_BYTES, sealed_stream.CHUNK_BYTES + 1])
def test_every_size_reads_back(size: int) -> None:
    assert vault.read(sealed_object=stored(DATA[:size]), at=AT) == DATA[:size]


def test_nothing_plain_lies_in_the_folder() -> None:
    row = stored(b"ftypisom" + b"plain words" * 1000)
    raw = path_of(row).read_bytes()
    assert raw.startswith(sealed_stream.MAGIC)
    assert b"plain" not in raw
    assert b"ftyp" not in raw
    assert path_of(row).stat().st_mode & 0o077 == 0


def test_the_row_stands_before_the_file(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    class Watched(FileSystemStorage):
        def _save(self, name: str, content: object) -> str:
            seen.extend(SealedObject.objects.values_list("state", flat=True))
            return super()._save(name, content)  # type: ignore[misc,no-any-return]

    watched = Watched(location=own_folder)
    monkeypatch.setitem(storages._storages, "default", watched)  # type: ignore[attr-defined]
    assert stored().state == SealedObject.State.STORED
    assert seen == [SealedObject.State.WRITING]


def test_storing_inside_a_transaction_is_refused() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        stored()


def test_a_changed_byte_anywhere_is_refused() -> None:
    row = stored()
    for place in (0, 10, 30, path_of(row).stat().st_size - 1):
        change(row, place)
        with pytest.raises(vault.NotReadable, match="altered"):
            vault.read(sealed_object=row, at=AT)
        assert "altered" in [fault.code for fault in faults()]
        change(row, place)
    assert faults() == []


def test_a_file_cut_short_is_refused() -> None:
    row = stored()
    path_of(row).write_bytes(path_of(row).read_bytes()[: -sealed_stream.CHUNK_BYTES])
    with pytest.raises(vault.NotReadable, match="altered"):
        vault.read(sealed_object=row, at=AT)


def test_two_objects_cannot_be_swapped() -> None:
    key = stage.campaign().key
    one, other = stage.stored(key, DATA), stage.stored(key, DATA)
    path_of(one).write_bytes(path_of(other).read_bytes())
    with pytest.raises(vault.NotReadable, match="altered"):
        vault.read(sealed_object=one, at=AT)


def test_a_missing_file_is_named() -> None:
    row = stored()
    path_of(row).unlink()
    with pytest.raises(vault.NotReadable, match="missing"):
        vault.read(sealed_object=row, at=AT)
    assert faults() == [Fault("missing", row.name)]


def test_without_its_key_nothing_opens() -> None:
    row = stored()
    keys.destroy(key=row.key, at=AT)
    with pytest.raises(keys.KeyDestroyed):
        vault.read(sealed_object=SealedObject.objects.get(), at=AT)
    assert faults() == []


def test_removing_waits_for_the_commit_and_does_nothing_twice() -> None:
    row = stored()
    with transaction.atomic():
        vault.remove(sealed_object=row, at=AT)
        assert path_of(row).exists()
    assert not path_of(row).exists()
    vault.remove(sealed_object=row, at=LATER)
    row.refresh_from_db()
    assert (row.state, row.deleted_at) == (SealedObject.State.DELETED, AT)
    with pytest.raises(vault.NotReadable):
        vault.read(sealed_object=row, at=AT)


def test_a_plain_file_in_the_folder_is_named(own_folder: Path) -> None:
    (own_folder / "video.mp4").write_bytes(b"\0\0\0\x18ftypisom")
    assert Fault("plain", "video.mp4") in faults()


def test_orphans_are_swept_after_an_hour_and_no_sooner(own_folder: Path) -> None:
    waste, stray = stored(), own_folder / "stray"
    stray.write_bytes(sealed_stream.MAGIC)
    age(stray, hours=0)
    assert vault.sweep(at=AT + timedelta(minutes=30)) == 0
    age(stray, hours=1)
    assert vault.sweep(at=LATER) == 2
    assert not stray.exists()
    assert not path_of(waste).exists()


def test_what_is_in_use_is_not_swept() -> None:
    link, _ = stage.link()
    assert vault.sweep(at=AT + timedelta(days=3)) == 0
    assert link.asset.extents.count() == 2


def test_what_a_crash_left_half_written_is_swept() -> None:
    row = stored()
    SealedObject.objects.update(state=SealedObject.State.WRITING)
    assert vault.sweep(at=LATER) == 1
    row.refresh_from_db()
    assert row.state == SealedObject.State.DELETED


def test_names_are_random_and_say_nothing() -> None:
    names = {blobs.new_name() for _ in range(100)}
    assert len(names) == 100
    assert all(len(name) == 43 for name in names)
