"""What does the code never say? Read from its syntax, where no import tool looks."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.contracts import source

VAGUE_FILES = {"services.py", "utils.py", "helpers.py", "common.py", "misc.py"}
CLOCKS = {"now", "utcnow", "today"}
CLOCK_OWNERS = {"timezone", "datetime", "date", "dt"}
# Before Django can start there are no settings, and so no clock of ours.
CLOCK_FILES = {"config/lib/clock.py", "config/bootstrap.py"}
# These two play the vendor on this machine: what they delete is the vendor's copy.
VENDORS = {"integrations/video/local.py", "integrations/messaging/sandbox.py"}
# Edges speak the web's language; below them a rule must not know where it was asked.
WEB = ("django.http", "django.shortcuts", "rest_framework")
EDGES = {
    "adapters",
    "admin",
    "api",
    "context",
    "forms",
    "middleware",
    "playback",
    "problems",
    "readonly",
    "urls",
    "views",
    "webhooks",
    "wsgi",
}


def calls(path: Path) -> Iterator[tuple[ast.Call, ast.Attribute]]:
    for node in ast.walk(source.tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node, node.func


def imported(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(source.tree(path)):
        if isinstance(node, ast.ImportFrom):
            yield node.lineno, node.module or ""
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)


def may_delete(path: Path) -> bool:
    first = path.relative_to(source.ROOT).parts[0]
    # config has no rows of its own: what it tidies is the plumbing of the job queue.
    ours = first in {"retention", "config"} or path.name == "personal_data.py"
    return ours or source.place(path) in VENDORS


def is_edge(path: Path) -> bool:
    parts = {part.removesuffix(".py") for part in path.relative_to(source.ROOT).parts}
    words = {word for part in parts for word in part.split("_")}
    return bool(words & EDGES) or "commands" in parts or "templatetags" in parts


def is_object_in_storage(node: ast.Call) -> bool:
    # `rows.delete()` takes no argument; a file, a session key or a vendor's copy is named.
    return bool(node.args or node.keywords)


def test_rows_are_deleted_by_retention_and_personal_data_only() -> None:
    stray = [
        source.place(path, node.lineno)
        for path in source.modules()
        if not may_delete(path)
        for node, function in calls(path)
        if function.attr in {"delete", "_raw_delete"} and not is_object_in_storage(node)
    ]
    assert not stray, stray


def test_imports_stand_at_the_top() -> None:
    stray = [
        source.place(path, node.lineno)
        for path in source.modules(tests=True)
        for function in source.functions(path)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert not stray, stray


def test_only_the_clock_asks_the_time() -> None:
    stray = [
        source.place(path, node.lineno)
        for path in source.modules()
        if source.place(path) not in CLOCK_FILES
        for node, function in calls(path)
        if function.attr in CLOCKS
        and isinstance(function.value, ast.Name)
        and function.value.id in CLOCK_OWNERS
    ]
    assert not stray, stray


def test_domain_modules_do_not_know_the_web() -> None:
    stray = [
        f"{source.place(path, line)} {module}"
        for path in source.modules()
        if path.relative_to(source.ROOT).parts[0] in source.APPS and not is_edge(path)
        for line, module in imported(path)
        if module.startswith(WEB)
    ]
    assert not stray, stray


def test_no_file_is_named_for_nothing() -> None:
    vague = [source.place(path) for path in source.modules() if path.name in VAGUE_FILES]
    assert not vague, vague


def test_each_module_says_its_question() -> None:
    silent = [
        source.place(path)
        for path in source.modules()
        if path.name != "__init__.py" and not ast.get_docstring(source.tree(path))
    ]
    assert not silent, silent


def test_no_promise_of_later_work_stands_in_a_comment() -> None:
    words = ("TO" + "DO", "FIX" + "ME", "XX" + "X:")
    stray = [
        source.place(path, number)
        for path in source.files(".py", ".html", ".js", ".css")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if any(word in line for word in words)
    ]
    assert not stray, stray


def test_an_anonymous_script_is_made_by_the_anonymiser_only() -> None:
    stray = [
        source.place(path, node.lineno)
        for path in source.modules()
        if source.place(path) != "videos/anonymisation.py"
        for node in ast.walk(source.tree(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("AnonymousScript")
    ]
    assert not stray, stray
