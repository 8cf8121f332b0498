"""Which law does which function keep? Prints a table from the `Law:` lines of docstrings."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
APPS = ("accounts", "integrations", "consent", "videos", "retention")


def citations(path: Path) -> Iterator[tuple[str, str]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            _, found, law = (ast.get_docstring(node) or "").partition("Law:")
            if found:
                place = f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
                yield place, " ".join(law.split())


def main() -> None:
    paths = (path for app in APPS for path in sorted((ROOT / app).rglob("*.py")))
    rows = [row for path in paths for row in citations(path)]
    width = max((len(place) for place, _ in rows), default=0)
    for place, law in rows:
        print(f"{place:<{width}}  {law}")


if __name__ == "__main__":
    main()
