import uuid
from pathlib import Path

import pytest

from accounts.models import User
from config.lib import clock
from retention.sweep import BLOCK_BYTES, sweep
from tests.environment import HOME

pytestmark = pytest.mark.django_db


def test_a_value_in_a_column_is_found_with_its_place() -> None:
    User.objects.create_user(email="olu@sealcast.example", name="Olu Featherstonehaugh")
    swept = sweep(values=["nobody at all", "featherstonehaugh"], home=HOME / "none")
    assert [(hit.place, hit.value_number) for hit in swept.found] == [("accounts_user.name", 1)]


def test_a_value_inside_bytes_is_found(tmp_path: Path) -> None:
    (tmp_path / "video.mp4").write_bytes(b"\x00\xff" * 100 + "Zoë Großkreutz".encode() + b"\x00")
    swept = sweep(values=["Zoë Großkreutz"], home=tmp_path)
    assert [hit.place for hit in swept.found] == ["video.mp4"]


def test_a_value_across_two_blocks_of_a_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "dump").write_bytes(b"." * (BLOCK_BYTES - 5) + b"guest.7@example.org")
    assert sweep(values=["guest.7@example.org"], home=tmp_path).found


def test_what_holds_secrets_by_design_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text("guest.7@example.org")
    assert not sweep(values=["guest.7@example.org"], home=tmp_path).found


def test_nothing_is_found_where_nothing_stands(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(str(uuid.uuid4()) + clock.now().isoformat())
    swept = sweep(values=["guest.7@example.org"], home=tmp_path)
    assert swept.found == ()
    assert swept.files == 1
