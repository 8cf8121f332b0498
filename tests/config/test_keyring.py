"""Is a key ring taken only when it is whole and ours alone?"""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from config.lib import keyring


@pytest.fixture
def ring_file(tmp_path: Path) -> Path:
    path = tmp_path / "keyring.json"
    path.write_text(keyring.generate(), encoding="utf-8")
    path.chmod(0o600)
    return path


def load(path: Path) -> keyring.Keyring:
    return keyring.load(path=path, environment={})


def damaged(change: Callable[[dict[str, Any]], object]) -> str:
    data = json.loads(keyring.generate())
    change(data)
    return json.dumps(data)


def test_a_generated_ring_is_taken(ring_file: Path) -> None:
    ring = load(ring_file)
    keys = [
        *ring.roots.values(),
        ring.index_pepper,
        ring.suppression_pepper,
        ring.link_pepper,
        ring.signing_seed,
    ]
    assert [len(key) for key in keys] == [32] * 5
    assert len(set(keys)) == 5


def test_two_rings_share_nothing() -> None:
    first, second = keyring.parse(keyring.generate()), keyring.parse(keyring.generate())
    assert first.primary_id != second.primary_id
    assert first.index_pepper != second.index_pepper


def test_the_first_root_is_primary_and_older_ones_are_found() -> None:
    data = json.loads(keyring.generate())
    newer = {"id": "root-new", "key": base64.b64encode(bytes(range(32))).decode()}
    older = data["roots"][0]
    data["roots"] = [newer, older]
    ring = keyring.parse(json.dumps(data))
    assert ring.primary_id == "root-new"
    assert ring.root(older["id"]) == base64.b64decode(older["key"])


def test_a_root_that_a_row_names_and_the_ring_lacks_is_refused(ring_file: Path) -> None:
    with pytest.raises(keyring.RootKeyMissing, match="root-gone"):
        load(ring_file).root("root-gone")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(keyring.KeyringUnavailable, match="missing"):
        load(tmp_path / "keyring.json")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o601, 0o777])
def test_a_file_that_others_can_read_is_refused(ring_file: Path, mode: int) -> None:
    ring_file.chmod(mode)
    with pytest.raises(keyring.KeyringUnavailable, match="too open"):
        load(ring_file)


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_that_is_ours_alone_is_taken(ring_file: Path, mode: int) -> None:
    ring_file.chmod(mode)
    assert load(ring_file).roots


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "7", '{"roots": 1}', "\x00"])
def test_what_is_no_ring_is_refused(text: str) -> None:
    with pytest.raises(keyring.KeyringUnavailable, match="damaged"):
        keyring.parse(text)


@pytest.mark.parametrize(
    "change",
    [
        lambda ring: ring.update(roots=[]),
        lambda ring: ring.pop("index_pepper"),
        lambda ring: ring.pop("signing"),
        lambda ring: ring["signing"].pop("seed"),
        lambda ring: ring["roots"][0].update(key="AAAA"),
        lambda ring: ring["roots"][0].update(key="not base64!"),
        lambda ring: ring.update(link_pepper=None),
        lambda ring: ring.update(suppression_pepper=base64.b64encode(bytes(16)).decode()),
    ],
)
def test_a_damaged_ring_is_refused(change: Callable[[dict[str, Any]], object]) -> None:
    with pytest.raises(keyring.KeyringUnavailable, match="damaged"):
        keyring.parse(damaged(change))


def test_a_refusal_does_not_repeat_the_key() -> None:
    secret = base64.b64encode(bytes(range(16))).decode()
    text = damaged(lambda ring: ring.update(link_pepper=secret))
    with pytest.raises(keyring.KeyringUnavailable) as refused:
        keyring.parse(text)
    assert secret not in repr(refused.value)
    assert refused.value.__cause__ is None


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    text = keyring.generate()
    ring = keyring.load(path=tmp_path / "none", environment={"SEALCAST_KEYRING": text})
    assert ring.primary_id == json.loads(text)["roots"][0]["id"]


def test_a_ring_does_not_show_its_keys() -> None:
    ring = keyring.parse(keyring.generate())
    assert "b'" not in repr(ring)
    assert ring.index_pepper.hex() not in repr(ring)
