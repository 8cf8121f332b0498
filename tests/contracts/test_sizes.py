"""Can each piece be read in one sitting?"""

import statistics
from pathlib import Path

from tests.contracts import source

FILE_LINES, TEST_FILE_LINES = 500, 600
FUNCTION_LINES, TEST_FUNCTION_LINES = 60, 30
MEDIAN_LINES = 10
# One file by its purpose: a stranger carries it away and runs it without the rest of the house.
STAND_ALONE = {"verify_proof.py": 650}
OTHERS = {".html": 120, ".js": 150}


def is_test(path: Path) -> bool:
    return path.relative_to(source.ROOT).parts[0] == "tests"


def filled_lines(path: Path) -> int:
    return sum(1 for line in path.read_text(encoding="utf-8").splitlines() if line.strip())


def test_no_file_is_too_long() -> None:
    long = [
        f"{source.place(path)}: {lines}"
        for path in source.modules(tests=True)
        if (lines := filled_lines(path)) > file_limit(path)
    ]
    assert not long, long


def test_no_page_or_script_is_too_long() -> None:
    long = [
        f"{source.place(path)}: {lines}"
        for path in source.files(*OTHERS)
        if (lines := filled_lines(path)) > OTHERS[path.suffix]
    ]
    assert not long, long


def test_no_function_is_too_long() -> None:
    long = [
        f"{source.place(path, node.lineno)} {node.name}: {lines}"
        for path in source.modules(tests=True)
        for node in source.functions(path)
        if (lines := body_lines(node)) > limit(node)
    ]
    assert not long, long


def test_half_of_the_functions_fit_in_ten_lines() -> None:
    sizes = [body_lines(n) for path in source.modules() for n in source.functions(path)]
    assert statistics.median(sizes) <= MEDIAN_LINES


def file_limit(path: Path) -> int:
    others = STAND_ALONE.get(source.place(path), FILE_LINES)
    return TEST_FILE_LINES if is_test(path) else others


def limit(node: source.Function) -> int:
    return TEST_FUNCTION_LINES if node.name.startswith("test_") else FUNCTION_LINES


def body_lines(node: source.Function) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1
