"""Does the parser hear every no, and take nothing else for one? Its corpus is read, part by part.

`make prove-words SEED=1` reads each `*.tsv` of tests/payloads/replies and spells the seven words of
47 CFR 64.1200(a)(10) in many ways. It prints three figures a part and language:

- recall: a stop was read as STOP or UNSURE (bound: 99.9 %);
- revoked: nobody asked for anything, and it was read as STOP (bound: 2 %);
- asked: nobody asked for anything, and a human must read it (UNSURE; the price, without a bound).

A broken bound is exit code 1. The corpus was written by hand, by more than one author, none of them
a customer. The word lists were tuned on `tuned*.tsv`, and `benchmarks/learn_words.py` learned from
them what resembles a no: their figures say that nothing got worse. Between the two stands the
curve that `make learn-words` prints: each author's lines, judged by what the others taught. Only a
`holdout*.tsv`, by an author who never saw the parser, says how it does on what people will write;
once its lines have been read to mend the lists, it is renamed to `tuned`, and learned from.
"""

import os
import random
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from consent.keywords import Meaning, read

REPLIES = Path(__file__).parents[1] / "tests" / "payloads" / "replies"
SEVEN = ("stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe")
SPELLINGS = 2000
RECALL, WRONG = 0.999, 0.02
FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
LOOK_ALIKE = str.maketrans("aceopxy", "асеорху")
AROUND = (
    *("{}", "please {}", "{} please", "{} thanks", "{}!!!", '"{}"', "«{}»", "({})", "🛑 {}", "{}."),
    *("Hi, {}", "{}\n\nSent from my iPhone", "  {}\t", "\u200b{}\u200b", "{} {}", "*{}*", "{}?"),
)


@dataclass
class Tally:
    """What was asked in one language, and what was read wrongly."""

    stops: int = 0
    others: int = 0
    missed: list[str] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @property
    def recall(self) -> float:
        return 1 - len(self.missed) / max(1, self.stops)

    @property
    def wrong(self) -> float:
        return len(self.revoked) / max(1, self.others)

    @property
    def price(self) -> float:
        return len(self.asked) / max(1, self.others)

    def add(self, label: str, text: str) -> None:
        found = read(text)
        if label == "stop":
            self.stops += 1
            self.missed += [] if found in {Meaning.STOP, Meaning.UNSURE} else [text]
        else:
            self.others += 1
            self.revoked += [text] if found == Meaning.STOP else []
            self.asked += [text] if found == Meaning.UNSURE else []


def lines(path: Path) -> Iterator[tuple[str, str, str]]:
    for line in path.read_text(encoding="utf-8").split("\n")[1:]:
        if line.strip():
            language, label, text = line.split("\t", 2)
            yield language, label, text.rstrip("\r").replace("\\n", "\n")


def judged(found: Iterable[tuple[str, str, str]]) -> dict[str, Tally]:
    tallies: dict[str, Tally] = defaultdict(Tally)
    for language, label, text in found:
        tallies[language].add(label, text)
        tallies["all"].add(label, text)
    return dict(tallies)


def spelt(word: str, rng: random.Random) -> str:
    capitals = rng.choice((0, 0.5, 1))
    word = "".join(char.upper() if rng.random() < capitals else char for char in word)
    ways = (
        lambda: word,
        lambda: word.translate(FULL_WIDTH),
        lambda: rng.choice((" ", ".", "-", "_", ". ")).join(word.replace(" ", "")),
        lambda: "".join(char * rng.choice((1, 1, 1, 2, 4)) for char in word),
        lambda: word.translate(LOOK_ALIKE),
        lambda: "\u200b".join(word),
        lambda: "".join(char + rng.choice(("", "", "\u0301", "\u0308")) for char in word),
        lambda: word.replace(" ", rng.choice(("-", "", "_", "  ", "."))),
    )
    return rng.choice(AROUND).replace("{}", rng.choice(ways)())


def the_seven(seed: int) -> list[str]:
    rng = random.Random(seed)
    return [text for word in SEVEN for text in (spelt(word, rng) for _ in range(SPELLINGS))]


def is_holdout(path: Path) -> bool:
    return path.name.startswith("holdout")


def show(tallies: dict[str, Tally]) -> None:
    for language, tally in sorted(tallies.items()):
        print(f"  {language:8}{tally.stops:5} stops, recall {tally.recall:8.3%}", end="")
        print(f" {tally.others:5} others, revoked {tally.wrong:7.3%}, asked {tally.price:7.3%}")
    for text in tallies["all"].missed:
        print(f"    missed: {text!r}")
    for text in tallies["all"].revoked:
        print(f"    revoked: {text!r}")


def main() -> None:
    seed, broken = int(os.environ.get("SEED", "1")), False
    for path in sorted(REPLIES.glob("*.tsv")):
        tallies = judged(lines(path))
        print(f"{path.name}: {'holdout' if is_holdout(path) else 'tuned on'}")
        show(tallies)
        broken |= tallies["all"].recall < RECALL or tallies["all"].wrong > WRONG
    spellings = the_seven(seed)
    lost = [text for text in spellings if read(text) != Meaning.STOP]
    print(f"the seven words: {len(spellings)} spellings (seed {seed}), {len(lost)} not a stop")
    print(*(f"    {text!r}" for text in lost[:20]), sep="\n", end="\n" if lost else "")
    sys.exit(broken or bool(lost))


if __name__ == "__main__":
    main()
