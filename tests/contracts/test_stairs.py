"""Does each storey import only those below, and each door only have its own callers?"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.contracts.source import ROOT, STOREYS

LINTER = Path(sys.executable).with_name("lint-imports")
STRAY = [
    ("accounts/keys.py", "from consent import models"),
    ("config/urls.py", "import videos.models"),
    ("videos/models.py", "import integrations.messaging"),
    ("consent/models.py", "import integrations.video"),
    ("videos/models.py", "import consent.personal_data"),
    ("consent/models.py", "import config.lib.crypto"),
]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    # Its cache has been seen to give the verdict on files that had changed since.
    return subprocess.run(
        [LINTER, "--no-cache", "--config", folder / "pyproject.toml"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_stairs_and_the_doors_are_kept() -> None:
    outcome = lint(ROOT)
    assert outcome.returncode == 0, outcome.stdout


def test_each_stray_import_is_named(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for storey in STOREYS:
        shutil.copytree(ROOT / storey, tmp_path / storey, ignore=only_python)
    for file, statement in STRAY:
        with (tmp_path / file).open("a", encoding="utf-8") as module:
            module.write(f"\n{statement}\n")
    said = lint(tmp_path).stdout
    assert [stray for stray in STRAY if not named(stray, said)] == []


def named(stray: tuple[str, str], said: str) -> bool:
    importer = stray[0].removesuffix(".py").replace("/", ".")
    imported = stray[1].replace("from ", "").replace(" import ", ".").replace("import ", "")
    return bool(re.search(rf"{re.escape(importer)} *-> *{re.escape(imported)}", said))


def only_python(folder: str, names: list[str]) -> set[str]:
    return {n for n in names if not n.endswith(".py") and not Path(folder, n).is_dir()}
