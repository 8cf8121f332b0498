"""Does the repository hold what it must and nothing of the machine it was written on?"""

import re
import subprocess
from pathlib import Path

import pytest

from tests.contracts import source

LOCKS = ("requirements.txt", ".ci/requirements.txt")
# Written so that this file does not hold what it looks for.
MACHINE = re.compile(r"/wor[k]/|/roo[t]/|pyp[i]\.org|pythonhoste[d]|npmj[s]\.")
BINARY = {".png", ".jpg", ".ttf", ".otf", ".woff2", ".mp4", ".ico", ".gz", ".wav", ".pdf"}
SECRETS = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KE[Y]|AKI[A][0-9A-Z]{16}|xox[bp][-]")


def text_files() -> list[Path]:
    return [path for path in source.files() if path.suffix not in BINARY]


@pytest.mark.parametrize("pattern", [MACHINE, SECRETS], ids=["a machine", "a secret"])
def test_no_file_holds(pattern: re.Pattern[str]) -> None:
    stray = [
        source.place(path, number)
        for path in text_files()
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not stray, stray


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_and_hashed(lock: str) -> None:
    text = (source.ROOT / lock).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    requirements = [line for line in lines if not line.startswith("--")]
    assert len(requirements) > 40
    assert all("==" in line and "--hash=sha256:" in line for line in requirements)


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_file_names_an_index(lock: str) -> None:
    text = (source.ROOT / lock).read_text()
    assert not re.search(r"^--(index|extra|find|trusted)|://", text, re.M)


def test_each_target_of_make_is_short() -> None:
    long, name, lines = [], "", 0
    for line in (source.ROOT / "Makefile").read_text().splitlines():
        name, lines = (name, lines + 1) if line.startswith("\t") else (line, 0)
        if lines > 3:
            long.append(name)
    assert not long, long


def test_each_target_of_make_is_listed_with_its_purpose() -> None:
    listed = subprocess.run(
        ["make", "help"], cwd=source.ROOT, capture_output=True, text=True, check=True
    )
    for target in ("env", "run", "reset", "test", "lint", "types", "shots"):
        assert f"make {target} " in listed.stdout


def test_each_folder_of_tests_is_a_package() -> None:
    # Without it, tests/consent would hide the app consent.
    bare = {p.parent for p in source.modules(tests=True) if not (p.parent / "__init__.py").exists()}
    assert not bare, bare
