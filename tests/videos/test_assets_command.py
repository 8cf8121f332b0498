"""Does `assets check` name what is wrong at rest, and go on after a kill?"""

import io
import json
import os
import signal
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.storage import FileSystemStorage, storages
from django.core.management import call_command
from django.db import connections

from accounts import keys
from config.lib import blobs, sealed_stream
from tests.videos import stage
from videos import inspections, vault
from videos.management.commands import assets
from videos.models import SealedObject

pytestmark = pytest.mark.django_db(transaction=True)
DATA = os.urandom(sealed_stream.CHUNK_BYTES + 77)


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    place = FileSystemStorage(location=tmp_path / "media", file_permissions_mode=0o600)
    monkeypatch.setitem(storages._storages, "default", place)  # type: ignore[attr-defined]
    monkeypatch.setattr(settings, "HOME", tmp_path)
    yield tmp_path / "media"


@pytest.fixture
def rows() -> list[SealedObject]:
    key = stage.campaign().key
    return [stage.stored(key, DATA) for _ in range(4)]


def path_of(row: SealedObject) -> Path:
    return Path(storages["default"].path(row.name))


def checked(*options: str) -> tuple[int, dict[str, Any], str]:
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("assets", "check", *options, stdout=out, stderr=err)
        status = 0
    except SystemExit as ended:
        status = int(str(ended.code))
    return status, json.loads(out.getvalue()), err.getvalue()


def faults() -> set[tuple[str, str]]:
    status, summary, _ = checked()
    assert status == 1
    assert not summary["is_whole"]
    return {(one["code"], one["name"]) for one in summary["faults"]}


def test_all_is_read_and_told(rows: list[SealedObject]) -> None:
    status, summary, progress = checked()
    assert (status, summary["is_whole"], summary["resumed"]) == (0, True, False)
    assert (summary["objects"], summary["files"]) == (4, 4)
    assert summary["size_bytes"] == 4 * len(DATA)
    assert "of 4 objects" in progress
    assert inspections.kept() is None


@pytest.mark.parametrize("place", [0, 7, 40, len(DATA) // 2, -1])
def test_a_flipped_bit_is_named(rows: list[SealedObject], place: int) -> None:
    body = bytearray(path_of(rows[1]).read_bytes())
    body[place] ^= 1
    path_of(rows[1]).write_bytes(body)
    assert ("altered", rows[1].name) in faults()


def test_a_missing_file_is_named(rows: list[SealedObject]) -> None:
    path_of(rows[2]).unlink()
    assert faults() == {("missing", rows[2].name)}


def test_bytes_after_the_end_are_named(rows: list[SealedObject]) -> None:
    with path_of(rows[3]).open("ab") as file:
        file.write(b"hidden")
    assert faults() == {("longer", rows[3].name)}


def test_an_empty_object_is_authenticated_too(rows: list[SealedObject]) -> None:
    empty = stage.stored(rows[0].key, b"")
    body = path_of(empty).read_bytes()
    path_of(empty).write_bytes(body[:-1] + bytes([body[-1] ^ 1]))
    assert faults() == {("altered", empty.name)}


def test_a_plain_file_is_named(rows: list[SealedObject], own_folder: Path) -> None:
    (own_folder / "video.mp4").write_bytes(b"\0\0\0\x18ftypisom")
    assert faults() == {("plain", "video.mp4")}


def test_a_stranger_is_named(rows: list[SealedObject]) -> None:
    name = blobs.new_name()
    blobs.write(name=name, chunks=[sealed_stream.MAGIC])
    old = stage.AT - timedelta(days=900)
    os.utime(storages["default"].path(name), (old.timestamp(),) * 2)
    assert faults() == {("no_row", name)}


def test_an_object_whose_key_is_gone_is_no_fault(rows: list[SealedObject]) -> None:
    keys.destroy(key=rows[0].key, at=stage.AT)
    status, summary, _ = checked()
    assert (status, summary["closed"], summary["size_bytes"]) == (0, 4, 0)


def test_an_object_removed_in_the_meantime_is_no_fault(
    rows: list[SealedObject], monkeypatch: pytest.MonkeyPatch
) -> None:
    read = vault.fault_of

    def removed_first(*, sealed_object: SealedObject, at: datetime) -> str | None:
        vault.remove(sealed_object=sealed_object, at=at)
        return read(sealed_object=sealed_object, at=at)

    monkeypatch.setattr(vault, "fault_of", removed_first)
    assert checked()[0] == 0


def test_one_that_was_cut_off_goes_on(rows: list[SealedObject]) -> None:
    first = min(rows, key=lambda row: row.pk)
    path_of(first).unlink()
    walk = inspections.begun(at=stage.AT)
    going = inspections.inspect(walk=walk, at=stage.AT)
    for _ in range(2):
        inspections.keep(walk=next(going))
    status, summary, _ = checked()
    # What was found before the cut is still told, and nothing is counted twice.
    assert (status, summary["resumed"], summary["objects"]) == (1, True, 4)
    assert summary["faults"] == [{"code": "missing", "name": first.name}]
    assert checked("--anew")[1]["resumed"] is False


def test_files_go_on_after_the_last_name(rows: list[SealedObject]) -> None:
    names = sorted(row.name for row in rows)
    walk = inspections.Walk(
        began_at=stage.AT.isoformat(), phase="files", after=names[1], files=2, objects=4
    )
    inspections.keep(walk=walk)
    assert checked()[1]["files"] == 4


def test_one_that_was_killed_goes_on(
    rows: list[SealedObject], monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = os.fork()
    if pid == 0:
        die_at_the_third(monkeypatch)
    _, status = os.waitpid(pid, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    read_again = counted(monkeypatch)
    status, summary, _ = checked()
    assert (status, summary["resumed"], summary["objects"], summary["files"]) == (0, True, 4, 4)
    assert len(read_again) == 2


def die_at_the_third(monkeypatch: pytest.MonkeyPatch) -> None:
    # The parent's connections are not ours to close, nor to speak through.
    held = [one.connection for one in connections.all()]
    for one in connections.all():
        one.connection = None
    seen, read = list(held[:0]), vault.fault_of

    def third(*, sealed_object: SealedObject, at: datetime) -> str | None:
        seen.append(sealed_object)
        if len(seen) == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return read(sealed_object=sealed_object, at=at)

    monkeypatch.setattr(vault, "fault_of", third)
    monkeypatch.setattr(assets, "EVERY_SECONDS", 0)
    try:
        checked()
    finally:
        os._exit(1)


def counted(monkeypatch: pytest.MonkeyPatch) -> list[SealedObject]:
    seen, read = list[SealedObject](), vault.fault_of

    def count(*, sealed_object: SealedObject, at: datetime) -> str | None:
        seen.append(sealed_object)
        return read(sealed_object=sealed_object, at=at)

    monkeypatch.setattr(vault, "fault_of", count)
    return seen
