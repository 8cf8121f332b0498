"""Learn which answers resemble a no, from all that were judged by hand. No network, one seed.

`make learn-words` reads each `tuned*.tsv` of tests/payloads/replies and writes
`consent/words/learned.json`, in about two minutes; the same corpus and lists give the same file.

1. Pieces: logistic regression by plain steps, one line at a time, in an order that the seed gives.
2. The card: logistic regression over a dozen signs, by Newton's steps. It learns from what the
   lists and the pieces make of a file that neither has seen (`AUTHORS`: no list was tuned on these
   before it was measured on them, and the pieces are learned without the file), so that it
   trusts neither more than it deserves.
3. The threshold: so low that of the stops in those files no more than one in a thousand is missed,
   each file judged by what was learned from the others alone; and `MARGIN` lower, since lists were
   mended with those lines in view.

The curve that is printed, and kept in the file, says what each recall costs in answers that a human
must read. It is measured by file too: one author's lines, judged by what the others taught.
"""

import base64
import json
import math
import random
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from benchmarks.prove_words import REPLIES, lines
from consent import resemblance
from consent.keywords import Meaning, listed, must_ask

AUTHORS = ("tuned_fourth", "tuned_fifth", "tuned_sixth", "tuned_seventh")
SEED = 1
ROUNDS, PACE = 12, 4.0
CARD_ROUNDS, CARD_KEPT = 8, 1.0
RECALLS = (0.99, 0.995, 0.998, 0.999, 1.0)
RECALL, MARGIN = 0.999, 0.3
CHARS_A_LINE = 120
ABOUT = (
    "Made by `make learn-words` from tests/payloads/replies/tuned*.tsv; see consent/resemblance.py."
)
OPEN = {Meaning.OTHER, Meaning.UNSURE}
Row = tuple[bool, Mapping[str, float]]


@dataclass(frozen=True)
class Line:
    """One answer, and what the lists made of it."""

    file: str
    is_stop: bool
    theirs: str
    found: Meaning
    pieces: tuple[int, ...]

    def signs(self, alike: float) -> dict[str, float]:
        return resemblance.signs(self.theirs, unsure=self.found == Meaning.UNSURE, alike=alike)


@dataclass(frozen=True)
class Pieces:
    """A weight a piece, before it is rounded."""

    weights: Sequence[float]
    bias: float

    def alike(self, line: Line) -> float:
        total = sum(map(self.weights.__getitem__, line.pieces))
        return self.bias + total / math.sqrt(max(1, len(line.pieces)))


def corpus(paths: Iterable[Path]) -> list[Line]:
    found = []
    for path in paths:
        for _, label, text in lines(path):
            theirs, meaning = listed(text)
            # What goes to a human in any case is not the model's to judge.
            meaning = Meaning.STOP if must_ask(theirs) else meaning
            held = tuple(sorted(resemblance.pieces(theirs)))
            found.append(Line(path.stem, label == "stop", theirs, meaning, held))
    return found


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, value))))


def learn_pieces(known: Sequence[Line]) -> Pieces:
    weights, bias = [0.0] * resemblance.PIECES, 0.0
    order, rng = list(known), random.Random(SEED)
    for turn in range(ROUNDS):
        rng.shuffle(order)
        pace = PACE / (1 + turn)
        for line in order:
            size = 1 / math.sqrt(max(1, len(line.pieces)))
            total = bias + size * sum(map(weights.__getitem__, line.pieces))
            step = pace * (line.is_stop - sigmoid(total))
            bias += step * 0.01
            step *= size
            for piece in line.pieces:
                weights[piece] += step
    return Pieces(weights, bias)


def learn_card(rows: Sequence[Row]) -> dict[str, float]:
    """Return a weight a sign: logistic regression by Newton's steps, with a small ridge."""
    names = list(rows[0][1])
    table = [(is_stop, [signs[name] for name in names]) for is_stop, signs in rows]
    weights = [0.0] * len(names)
    for _ in range(CARD_ROUNDS):
        slope = [-CARD_KEPT * weight for weight in weights]
        bend = [[CARD_KEPT * (i == j) for j in range(len(names))] for i in range(len(names))]
        for is_stop, values in table:
            chance = sigmoid(sum(map(float.__mul__, weights, values)))
            sure = max(chance * (1 - chance), 1e-6)
            for i, value in enumerate(values):
                slope[i] += (is_stop - chance) * value
                row, share = bend[i], sure * value
                for j, other in enumerate(values):
                    row[j] += share * other
        weights = [a + b for a, b in zip(weights, solved(bend, slope), strict=True)]
    return dict(zip(names, weights, strict=True))


def solved(table: list[list[float]], wanted: list[float]) -> list[float]:
    """Return what a table of equations comes to (Gauss; the table is symmetric and positive)."""
    rows = [[*row, value] for row, value in zip(table, wanted, strict=True)]
    for i, pivot in enumerate(rows):
        for row in rows[i + 1 :]:
            factor = row[i] / pivot[i]
            row[i:] = [a - factor * b for a, b in zip(row[i:], pivot[i:], strict=True)]
    found = [0.0] * len(rows)
    for i in reversed(range(len(rows))):
        rest = sum(rows[i][j] * found[j] for j in range(i + 1, len(rows)))
        found[i] = (rows[i][-1] - rest) / rows[i][i]
    return found


def without(known: Sequence[Line], *files: str) -> list[Line]:
    return [line for line in known if line.file not in files]


class Lessons:
    """What was learned without these files; each is learned once."""

    def __init__(self, known: Sequence[Line]) -> None:
        self._known = known
        self._done: dict[frozenset[str], Pieces] = {}

    def pieces(self, *left_out: str) -> Pieces:
        key = frozenset(left_out)
        if key not in self._done:
            self._done[key] = learn_pieces(without(self._known, *left_out))
        return self._done[key]

    def rows(self, name: str, *left_out: str) -> list[Row]:
        """Return what the signs say of one file, learned without it (and without others)."""
        pieces = self.pieces(name, *left_out)
        held = [line for line in self._known if line.file == name and line.found in OPEN]
        return [(line.is_stop, line.signs(pieces.alike(line))) for line in held]


def scores(lessons: Lessons) -> list[tuple[bool, float]]:
    """Return how each author's open lines score by what was learned from the others alone."""
    found = []
    for name in AUTHORS:
        others = [other for other in AUTHORS if other != name]
        card = learn_card([row for other in others for row in lessons.rows(other, name)])
        rows = lessons.rows(name)
        found += [(is_stop, resemblance.summed(card, signs)) for is_stop, signs in rows]
    return found


def curve(known: Sequence[Line], judged: Sequence[tuple[bool, float]]) -> dict[str, list[float]]:
    """Return, for each recall, the threshold that reaches it, and the share of others it asks."""
    theirs = [line for line in known if line.file in AUTHORS]
    stops = sum(line.is_stop for line in theirs)
    lost = sum(line.is_stop and line.found not in {*OPEN, Meaning.STOP} for line in theirs)
    low = sorted(score for is_stop, score in judged if is_stop)
    found = {}
    for recall in RECALLS:
        threshold = low[max(0, int(stops * (1 - recall) + 1e-9) - lost)]
        asked = sum(score >= threshold for is_stop, score in judged if not is_stop)
        found[str(recall)] = [round(threshold, 3), round(asked / (len(theirs) - stops), 4)]
    return found


def page(known: Sequence[Line], paths: Sequence[Path]) -> dict[str, Any]:
    lessons = Lessons(known)
    measured = curve(known, scores(lessons))
    card = learn_card([row for name in AUTHORS for row in lessons.rows(name)])
    learned = lessons.pieces()
    scale = sorted(map(abs, learned.weights))[-20] / 127
    rounded = [max(-127, min(127, round(weight / scale))) for weight in learned.weights]
    text = base64.b64encode(array("b", rounded).tobytes()).decode()
    made = {
        "about": ABOUT,
        "corpus_sha256": corpus_sum(paths),
        "lines": len(known),
        "recall_threshold_asked": measured,
        "threshold": round(measured[str(RECALL)][0] - MARGIN, 3),
        "card": {name: round(weight, 4) for name, weight in card.items()},
        "bias": round(learned.bias, 6),
        "scale": round(scale, 9),
        "pieces": [text[i : i + CHARS_A_LINE] for i in range(0, len(text), CHARS_A_LINE)],
    }
    return {**made, "sha256": resemblance.checksum(made)}


def corpus_paths() -> list[Path]:
    return sorted(REPLIES.glob("tuned*.tsv"))


def corpus_sum(paths: Iterable[Path]) -> str:
    whole = sha256()
    for path in paths:
        whole.update(path.name.encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()


def main() -> None:
    paths = corpus_paths()
    made = page(corpus(paths), paths)
    for recall, (threshold, asked) in made["recall_threshold_asked"].items():
        print(f"recall {float(recall):7.2%} on authors unseen: threshold {threshold:7.3f}", end="")
        print(f", asked {asked:7.2%} of the others")
    print(f"threshold {made['threshold']}; card {made['card']}")
    resemblance.LEARNED.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
