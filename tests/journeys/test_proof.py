"""Does the file that `prove` writes hold for a stranger, and fail when it was touched?"""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.retention import story

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]


def checked(file: Path) -> "subprocess.CompletedProcess[str]":
    # -I and another folder: neither our modules nor our environment are seen.
    command = [sys.executable, "-I", str(ROOT / "verify_proof.py"), str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=file.parent)


def test_prove_writes_a_file_that_holds(tmp_path: Path) -> None:
    person, _ = story.whole()
    file = tmp_path / "proof.json"
    call_command("prove", person.public_id, out=file, stdout=io.StringIO())
    outcome = checked(file)
    assert outcome.returncode == 0, outcome.stdout
    assert "1  messages, each allowed twice and agreed to" in outcome.stdout
    assert "1  requests to AI vendors, byte for byte" in outcome.stdout


def test_a_touched_file_fails_and_the_element_is_named(tmp_path: Path) -> None:
    person, _ = story.whole()
    file = tmp_path / "proof.json"
    call_command("prove", str(person.pk), out=file, stdout=io.StringIO())
    document = json.loads(file.read_text())
    document["consent"][1]["kind"] = "withdrawn"
    file.write_text(json.dumps(document))
    outcome = checked(file)
    assert outcome.returncode == 1
    assert "consent[1]: was changed" in outcome.stdout


def test_an_address_is_read_from_a_line_and_never_from_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    story.whole()
    file = tmp_path / "proof.json"
    monkeypatch.setattr(sys, "stdin", io.StringIO("zoe@example.org\n"))
    call_command("prove", "--email", out=file, stdout=io.StringIO())
    assert checked(file).returncode == 0


@pytest.mark.parametrize("wanted", ["con_00", "nobody", "5ea1ca57-0000-4000-8000-00000000dead", ""])
def test_who_is_not_known_is_refused_in_words(tmp_path: Path, wanted: str) -> None:
    with pytest.raises(CommandError):
        call_command("prove", wanted, out=tmp_path / "proof.json")
    assert not (tmp_path / "proof.json").exists()
