"""Do the tags of all templates answer for what is missing as well as for what is there?"""

import pytest
from django.template import Context
from django.test import RequestFactory

from accounts.templatetags import sealcast


def test_nav_url_of_a_page_that_is_not_installed_is_empty() -> None:
    assert sealcast.nav_url("nowhere:page") == ""


def test_nav_url_of_a_page_is_its_address() -> None:
    assert sealcast.nav_url("admin:index") == "/admin/"


@pytest.mark.parametrize(
    ("path", "url", "under"),
    [
        ("/contacts/7/", "/contacts/", True),
        ("/campaigns/", "/contacts/", False),
        ("/x/", "", False),
    ],
)
def test_is_under_marks_where_one_is(path: str, url: str, under: bool) -> None:
    assert sealcast.is_under(Context({"request": RequestFactory().get(path)}), url) is under


def test_icon_of_an_unknown_name_is_a_dot() -> None:
    assert sealcast.icon('"><script>') == sealcast.icon("dot")


def test_at_past_the_end_is_empty() -> None:
    assert sealcast.at(["a"], 3) == ""


def test_percent_of_nothing_is_nothing() -> None:
    assert sealcast.percent_of(3, 0) == 0
    assert sealcast.percent_of(None, 10) == 0
    assert sealcast.percent_of(1, 3) == 33


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, ""), (0, "0 s"), (119, "119 s"), (720, "12 min"), (7200, "2 h"), (200_000, "2 d")],
)
def test_duration_uses_the_largest_unit_that_fits(seconds: float | None, words: str) -> None:
    assert sealcast.duration(seconds) == words
