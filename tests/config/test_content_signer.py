"""Is a content signer taken only when it is whole, ours alone, and of one piece?"""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.lib import content_signer
from config.lib.content_signer import SignerUnavailable

AT = datetime(2026, 6, 2, 10, 0, tzinfo=UTC)


def test_a_new_one_has_a_key_its_certificate_and_a_root() -> None:
    signer = content_signer.parse(content_signer.generate(at=AT))
    assert signer.algorithm == "ed25519"
    assert signer.chain.count(b"BEGIN CERTIFICATE") == 2
    assert signer.chain.endswith(signer.anchor)
    assert b"BEGIN PRIVATE KEY" not in signer.chain


def test_another_keys_certificate_is_refused() -> None:
    key = content_signer.generate(at=AT).split("-----BEGIN CERTIFICATE")[0]
    other = content_signer.generate(at=AT).split("-----BEGIN CERTIFICATE", 1)[1]
    with pytest.raises(SignerUnavailable, match="mixed up"):
        content_signer.parse(f"{key}-----BEGIN CERTIFICATE{other}")


@pytest.mark.parametrize("text", ["", "no PEM", content_signer.generate(at=AT)[:200]])
def test_what_is_damaged_is_refused_without_a_quote(text: str) -> None:
    with pytest.raises(SignerUnavailable, match="damaged") as refused:
        content_signer.parse(text)
    assert refused.value.__cause__ is None


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "content_signer.pem"
    with pytest.raises(SignerUnavailable, match="missing"):
        content_signer.load(path=path, environment={})
    path.write_text(content_signer.generate(at=AT))
    path.chmod(0o644)
    with pytest.raises(SignerUnavailable, match="too open"):
        content_signer.load(path=path, environment={})
    path.chmod(0o600)
    assert content_signer.load(path=path, environment={}).key


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    text = content_signer.generate(at=AT)
    environment = {"SEALCAST_CONTENT_SIGNER": text}
    found = content_signer.load(path=tmp_path / "none", environment=environment)
    assert found == content_signer.parse(text)
