"""Would the browser's policy block anything that our pages say?"""

import re
from pathlib import Path

import pytest
from django.conf import settings

from tests.contracts import source

FAULTS = {
    "a script in the page": re.compile(r"<script(?![^>]*\ssrc=)(?![^>]*application/json)", re.I),
    "a style in the page": re.compile(r"<style\b", re.I),
    "a style attribute": re.compile(r"\sstyle\s*=", re.I),
    "an event attribute": re.compile(r"\son[a-z]+\s*=\s*[\"']", re.I),
    "a javascript address": re.compile(r"javascript:", re.I),
    "a third party": re.compile(r"<(?:script|img|link|iframe|source)\b[^>]*[\"']https?://", re.I),
    "unescaped text": re.compile(r"(?<!help_text)\|\s*safe\b|{%\s*autoescape\s+off", re.I),
}
PLANTED = {
    "a script in the page": "<script>alert(1)</script>",
    "a style in the page": "<style>p{}</style>",
    "a style attribute": '<p style="color:red">',
    "an event attribute": '<a onclick="go()">',
    "a javascript address": '<a href="javascript:go()">',
    "a third party": '<script src="https://cdn.example/x.js"></script>',
    "unescaped text": "{{ name|safe }}",
}


def templates() -> list[Path]:
    return [path for path in source.files(".html") if "templates" in path.parts]


@pytest.mark.parametrize("fault", FAULTS)
def test_no_template_has(fault: str) -> None:
    faulty = [
        source.place(path)
        for path in templates()
        if FAULTS[fault].search(path.read_text(encoding="utf-8"))
    ]
    assert not faulty, faulty


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_seen(fault: str) -> None:
    assert FAULTS[fault].search(PLANTED[fault])


def test_the_policy_allows_nothing_unsafe() -> None:
    directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    assert directives["default-src"] in (["'none'"], ["'self'"])
    assert "unsafe" not in str(directives)
