"""Is what must exist made once, for us alone, and never made anew?"""

import stat
from pathlib import Path

import pytest

from config import bootstrap
from config.lib import keyring


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_first_run_makes_the_folders_the_ring_and_the_secret(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert bootstrap.prepare(home) == ["secret_key", "keyring.json", "content_signer.pem"]
    assert mode(home) == 0o700
    assert {mode(home / name) for name in bootstrap.FOLDERS} == {0o700}
    assert {mode(home / name) for name in ("secret_key", "keyring.json")} == {0o600}
    assert keyring.load(path=home / "keyring.json", environment={}).roots
    assert len((home / "secret_key").read_text()) >= 50


def test_the_second_run_changes_nothing(tmp_path: Path) -> None:
    bootstrap.prepare(tmp_path)
    before = [(tmp_path / name).read_bytes() for name in ("secret_key", "keyring.json")]
    assert bootstrap.prepare(tmp_path) == []
    after = [(tmp_path / name).read_bytes() for name in ("secret_key", "keyring.json")]
    assert after == before


def test_a_lost_ring_is_not_replaced(tmp_path: Path) -> None:
    bootstrap.prepare(tmp_path)
    (tmp_path / "keyring.json").unlink()
    assert bootstrap.prepare(tmp_path) == []
    assert not (tmp_path / "keyring.json").exists()


def test_a_ring_that_was_brought_along_is_kept(tmp_path: Path) -> None:
    (tmp_path / "keyring.json").write_text("brought along")
    assert bootstrap.prepare(tmp_path) == ["secret_key", "content_signer.pem"]
    assert (tmp_path / "keyring.json").read_text() == "brought along"


def test_what_was_made_is_named_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SEALCAST_HOME", str(tmp_path))
    bootstrap.main()
    shown = capsys.readouterr().out
    assert "keyring.json" in shown
    assert (tmp_path / "secret_key").read_text() not in shown
