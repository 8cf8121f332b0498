"""Can every template be read, and does each keep the content security policy?"""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template import loader

ROOT = Path(settings.BASE_DIR) / "templates"
TEMPLATES = sorted(str(path.relative_to(ROOT)) for path in ROOT.rglob("*.html"))
COMPONENTS = sorted(path for path in (ROOT / "components").glob("[!_]*.html"))
FORBIDDEN = {
    "an inline style": r"\sstyle=|<style",
    "an inline handler": r"\son[a-z]+=",
    "a script with a body": r"<script(?![^>]*(?:\bsrc=|application/json))[^>]*>",
    "something from elsewhere": r"(?:src|href)=\"(?:https?:)?//",
    "a trigger that needs eval": r"hx-on|hx-trigger=\"[^\"]*\[",
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_template_can_be_read(name: str) -> None:
    assert loader.get_template(name) is not None


@pytest.mark.parametrize("name", TEMPLATES)
def test_template_keeps_the_content_security_policy(name: str) -> None:
    text = (ROOT / name).read_text()
    assert not [fault for fault, pattern in FORBIDDEN.items() if re.search(pattern, text)]


@pytest.mark.parametrize("path", COMPONENTS, ids=lambda path: path.stem)
def test_component_begins_with_what_it_takes(path: Path) -> None:
    assert path.read_text().startswith("{% comment %}\n")


def test_stylesheet_uses_only_tokens_that_exist() -> None:
    folder = Path(settings.BASE_DIR) / "config" / "static"
    sheets = {path.name: path.read_text() for path in folder.glob("*.css")}
    known = set(re.findall(r"(--[\w-]+):", sheets["tokens.css"]))
    used = {
        token
        for name in ("tokens.css", "components.css", "site.css")
        for token in re.findall(r"var\((--[\w-]+)", sheets[name])
    }
    assert used <= known


def render(name: str, **context: object) -> str:
    return loader.render_to_string(f"components/{name}.html", context)


def test_badge_shows_an_unknown_state_by_its_own_name() -> None:
    assert "Half done" in render("badge", state="half_done")
    assert "tone-bad" in render("badge", state="withdrawn")


def test_cell_escapes_a_name_with_mark_up() -> None:
    assert "<script" not in render("cell", cell={"text": "<script>", "href": "/x"})
    assert "<script" not in render("cell", cell="<script>")


def test_cell_shows_zero_and_marks_nothing() -> None:
    assert ">0<" in render("cell", cell=0)
    assert ">0<" in render("cell", cell={"text": 0})
    assert "&ndash;" in render("cell", cell=None)


def test_progress_of_nothing_is_nothing() -> None:
    assert 'data-announce="Sending: 0 %"' in render("progress", title="Sending", total=0, done=0)


def test_progress_is_announced_once_a_tenth() -> None:
    assert 'data-announce="Sending: 40 %"' in render("progress", title="Sending", total=99, done=44)


def test_table_names_each_cell_for_the_narrow_form() -> None:
    html = render("table", caption="People", headers=["Name", "State"], rows=[["Ana", "x"]])
    assert 'data-label="State"' in html


def test_sealed_page_names_the_reason() -> None:
    assert "the key ring is missing" in loader.render_to_string(
        "sealed.html", {"reason": "missing"}
    )
