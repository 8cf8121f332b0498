import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import learn_words
from consent import keywords, resemblance
from consent.keywords import Meaning
from consent.resemblance import Learned

HARMLESS = "Thanks, see you on Friday at the shop"


def kept() -> Learned:
    learned = resemblance.learned()
    assert learned is not None
    return learned


def believe(monkeypatch: pytest.MonkeyPatch, learned: Learned | None) -> None:
    monkeypatch.setattr(resemblance, "learned", lambda: learned)


@pytest.mark.parametrize(
    "text",
    ["I would be thankful for no further films", "bitte künftig ohne mich", "sin mí, gracias"],
)
def test_what_resembles_a_no_goes_to_a_human(text: str) -> None:
    assert keywords.read(text) in {Meaning.UNSURE, Meaning.STOP}


def test_what_resembles_no_no_is_spared_a_human() -> None:
    assert keywords.read(HARMLESS) == Meaning.OTHER


def test_a_no_scores_above_a_thank_you() -> None:
    learned = kept()
    no = learned.alike(resemblance.pieces("leave me out of your mailings"))
    assert no > learned.alike(resemblance.pieces("lovely, see you on friday"))


@pytest.mark.parametrize("threshold", [-1e9, 1e9])
def test_a_model_never_says_stop_and_never_takes_one_back(
    monkeypatch: pytest.MonkeyPatch, threshold: float
) -> None:
    believe(monkeypatch, replace(kept(), threshold=threshold))
    assert keywords.read(HARMLESS) == (Meaning.UNSURE if threshold < 0 else Meaning.OTHER)
    assert keywords.read("please stop sending me these") == Meaning.STOP
    assert keywords.read("YES") == Meaning.YES


@pytest.mark.parametrize("text", ["🛑", "STOP, que no lo repita", "Flurbel grank tosset mirv"])
def test_some_go_to_a_human_whatever_the_model_thinks(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    believe(monkeypatch, replace(kept(), threshold=1e9))
    assert keywords.read(text) in {Meaning.UNSURE, Meaning.STOP}


def test_without_a_model_all_that_is_not_understood_goes_to_a_human(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    believe(monkeypatch, None)
    assert keywords.read(HARMLESS) == Meaning.UNSURE
    assert keywords.read("YES") == Meaning.YES
    assert keywords.read("STOP") == Meaning.STOP
    assert keywords.read("") == Meaning.OTHER


def test_a_file_that_is_missing_is_no_opinion(tmp_path: Path) -> None:
    assert resemblance.read(tmp_path / "none.json") is None


def test_a_file_that_was_cut_is_no_opinion(tmp_path: Path) -> None:
    cut = tmp_path / "cut.json"
    cut.write_text(resemblance.LEARNED.read_text()[:-100])
    assert resemblance.read(cut) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("threshold", 99.0), ("card", {}), ("pieces", []), ("pieces", None), ("sha256", "0" * 64)],
)
def test_a_file_that_was_altered_is_no_opinion(tmp_path: Path, name: str, value: object) -> None:
    altered = tmp_path / "altered.json"
    page = json.loads(resemblance.LEARNED.read_text())
    altered.write_text(json.dumps({**page, name: value}))
    assert resemblance.read(altered) is None


def test_a_file_that_is_no_table_is_no_opinion(tmp_path: Path) -> None:
    odd = tmp_path / "odd.json"
    odd.write_text("[]")
    assert resemblance.read(odd) is None


def test_a_card_that_names_an_unknown_sign_is_no_opinion(tmp_path: Path) -> None:
    odd = tmp_path / "odd.json"
    page = json.loads(resemblance.LEARNED.read_text())
    page["card"] = {**page["card"], "moon": 1.0}
    page["sha256"] = resemblance.checksum(page)
    odd.write_text(json.dumps(page))
    assert resemblance.read(odd) is None


def test_the_same_lines_teach_the_same(tmp_path: Path) -> None:
    few = tmp_path / "few.tsv"
    whole = learn_words.corpus_paths()[0].read_text(encoding="utf-8").split("\n")
    few.write_text("\n".join(whole[:121]), encoding="utf-8")
    known = learn_words.corpus([few])
    once, again = learn_words.learn_pieces(known), learn_words.learn_pieces(known)
    assert once == again
    assert sum((once.alike(line) > 0) == line.is_stop for line in known) >= 114


def test_equations_are_solved() -> None:
    assert learn_words.solved([[2.0, 1.0], [1.0, 3.0]], [5.0, 10.0]) == pytest.approx([1.0, 3.0])
