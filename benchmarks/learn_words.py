"""Learn which answers resemble a no, from all that were judged by hand. Deterministic; no network.

`make learn-words` reads each `tuned*.tsv` of tests/payloads/replies and writes
`consent/words/learned.json`. `CHECK=1` writes nothing, and prints the figures only.

1. Pieces: logistic regression by plain steps, one line at a time, in an order that a seed gives.
2. The card: the same over a dozen signs. It is learned from what the lists and the pieces make of a
   file that neither has seen (`UNSEEN`; the pieces are learned without it), so that it does
   not trust either too much.
3. The threshold: the lowest score of a no among those lines, but for `MISSED` of them.

The honest figure is by file: one author's lines are judged by what was learned from the others alone.
The curve that is printed says what each recall costs in answers that a human must read.
"""

import base64
import json
import math
import os
import random
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import combinations
from pathlib import Path

from benchmarks.prove_words import REPLIES, lines
from consent import resemblance
from consent.keywords import Meaning, listed

# Files that no list was tuned on before the lists were last measured on them.
UNSEEN = ("tuned_fourth", "tuned_fifth", "tuned_sixth", "tuned_seventh")
SEED = 1
ROUNDS, PACE = 12, 4.0
CARD_ROUNDS, CARD_KEPT = 8, 1.0
RECALLS = (0.99, 0.995, 0.998, 0.999, 1.0)
OPEN = {Meaning.OTHER, Meaning.UNSURE}


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
            held = tuple(sorted(resemblance.pieces(theirs)))
            found.append(Line(path.stem, label == "stop", theirs, meaning, held))
    return found


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, value))))


def learn_pieces(known: Sequence[Line]) -> Pieces:
    weights, bias = [0.0] * resemblance.PIECES, 0.0
    order, rng = list(known), random.Random(SEED)  # noqa: S311 - reproducible, not secret
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


def learn_card(rows: Sequence[tuple[bool, Mapping[str, float]]]) -> dict[str, float]:
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


def scored(held: Sequence[Line], pieces: Pieces) -> list[tuple[bool, dict[str, float]]]:
    return [(line.is_stop, line.signs(pieces.alike(line))) for line in held if line.found in OPEN]


def without(known: Sequence[Line], *files: str) -> list[Line]:
    return [line for line in known if line.file not in files]


def of(known: Sequence[Line], name: str) -> list[Line]:
    return [line for line in known if line.file == name]
