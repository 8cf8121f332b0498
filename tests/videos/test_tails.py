from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings

from accounts import keys
from tests.videos import stage
from tests.videos.stage import AT, HEAD, TAIL
from videos import tails, vault
from videos.models import Extent, SealedObject
from videos.vault import NotReadable

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    tails.forget()
    monkeypatch.setattr(tails, "BLOCK_BYTES", 64 << 10)
    yield
    tails.forget()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Where in an object something was opened."""
    seen: list[int] = []
    real = vault.read_range

    def counted(*, sealed_object: SealedObject, start: int, end: int, at: object) -> object:
        seen.append(start)
        return real(sealed_object=sealed_object, start=start, end=end, at=AT)

    monkeypatch.setattr(vault, "read_range", counted)
    return seen


def parts() -> tuple[SealedObject, SealedObject]:
    stage.link()
    mine, tail = (one.sealed_object for one in Extent.objects.order_by("number"))
    return mine, tail


def read(row: SealedObject, start: int = 0, end: int = 1 << 30, **later: float) -> bytes:
    at = AT + timedelta(**later)
    return b"".join(tails.read_range(sealed_object=row, start=start, end=end, at=at))


def test_any_stretch_is_the_same_bytes_and_is_opened_once(opened: list[int]) -> None:
    _, tail = parts()
    for start, end in ((0, 9), (65_530, 65_550), (100, len(TAIL)), (len(TAIL) - 3, len(TAIL) + 9)):
        assert read(tail, start, end) == TAIL[start:end]
    assert len(opened) == -(-len(TAIL) // tails.BLOCK_BYTES)


def test_a_persons_own_part_is_never_kept() -> None:
    mine, _ = parts()
    assert read(mine) == HEAD
    assert tails.kept_bytes() == 0


def test_a_destroyed_key_gives_nothing_and_drops_what_was_kept() -> None:
    _, tail = parts()
    read(tail)
    assert tails.kept_bytes() == len(TAIL)
    keys.destroy(key=tail.key, at=AT)
    tail.refresh_from_db()
    with pytest.raises(keys.KeyDestroyed):
        read(tail)
    assert tails.kept_bytes() == 0


def test_a_deleted_object_gives_nothing() -> None:
    _, tail = parts()
    read(tail)
    tail.state = SealedObject.State.DELETED
    with pytest.raises(NotReadable):
        read(tail)
    assert tails.kept_bytes() == 0


def test_what_is_old_is_opened_again(opened: list[int]) -> None:
    _, tail = parts()
    read(tail, 0, 9)
    read(tail, 0, 9, minutes=9)
    assert opened == [0]
    read(tail, 0, 9, minutes=10)
    assert opened == [0, 0]


def test_no_more_is_kept_than_the_settings_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    _, tail = parts()
    monkeypatch.setattr(tails, "BLOCK_BYTES", 512 << 10)
    monkeypatch.setattr(settings, "PLAYBACK_MEMORY_MIB", 1)
    for copy in range(4):
        tails._keep((tail.pk, copy), tails._Block(bytes(tails.BLOCK_BYTES), AT))
    assert tails.kept_bytes() == 1 << 20
    monkeypatch.setattr(settings, "PLAYBACK_MEMORY_MIB", 0)
    assert read(tail) == TAIL
    assert tails.kept_bytes() == 0
