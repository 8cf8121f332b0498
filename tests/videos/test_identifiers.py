"""The corpus of identifiers: each is found, and what only looks like one may leave."""

import tomllib
from pathlib import Path

import pytest

from videos import detectors, names

CORPUS = Path(__file__).resolve().parents[1] / "payloads" / "identifiers"


def texts(name: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = tomllib.loads((CORPUS / name).read_text(encoding="utf-8"))["text"]
    return found


def found_in(text: str, language: str) -> list[tuple[int, int]]:
    plain = detectors.plain(text).text
    found = [*detectors.find(text=plain, language=language)]
    found += names.find_addressed(text=plain, language=language)
    return [(start, end) for _, start, end in found]


@pytest.mark.parametrize("one", texts("positive.toml"), ids=lambda one: one["value"])
def test_an_identifier_is_found_in_its_place(one: dict[str, str]) -> None:
    start = detectors.plain(one["text"]).text.index(one["value"])
    end = start + len(one["value"])
    places = found_in(one["text"], one.get("language", "en"))
    assert any(first < end and start < last for first, last in places)


@pytest.mark.parametrize("one", texts("negative.toml"), ids=lambda one: one["text"][:30])
def test_what_only_looks_like_one_may_leave(one: dict[str, str]) -> None:
    assert found_in(one["text"], one.get("language", "en")) == []
