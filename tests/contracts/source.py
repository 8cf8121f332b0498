"""What is the house made of? The files and syntax trees that the contracts read."""

import ast
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APPS = ("accounts", "integrations", "consent", "videos", "retention")
STOREYS = ("config", *APPS)
Function = ast.FunctionDef | ast.AsyncFunctionDef
ELSEWHERE = {".git", ".venv", "var", "node_modules", "__pycache__", ".hypothesis"}


def files(*suffixes: str) -> list[Path]:
    """Return the repository's own files with these endings (all, if none is given)."""
    found = []
    for folder, names, leaves in os.walk(ROOT):
        # Pruned in place: the environment alone holds tens of thousands of files.
        names[:] = [name for name in names if name not in ELSEWHERE and not name.endswith("_cache")]
        wanted = [leaf for leaf in leaves if not suffixes or leaf.endswith(suffixes)]
        found += [Path(folder, leaf) for leaf in wanted]
    return sorted(found)


def modules(*, tests: bool = False, migrations: bool = False) -> list[Path]:
    """Return the Python files of the storeys, and of the tests if asked."""
    tops = (*STOREYS, "tests") if tests else STOREYS
    return [
        path
        for path in files(".py")
        if path.relative_to(ROOT).parts[0] in tops
        and (migrations or "migrations" not in path.parts)
    ]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def functions(path: Path) -> Iterator[Function]:
    for node in ast.walk(tree(path)):
        if isinstance(node, Function):
            yield node


def place(path: Path, line: int = 0) -> str:
    """Return where something stands, as a reader would click on it."""
    name = str(path.relative_to(ROOT))
    return f"{name}:{line}" if line else name


def called(node: ast.Call) -> str:
    """Return what is called; a row that is made quickly is a call of its model."""
    made = ast.unparse(node.func)
    return ast.unparse(node.args[0]) if made == "bulk.row" and node.args else made
