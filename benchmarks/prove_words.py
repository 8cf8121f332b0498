"""Does the parser hear every no, and take nothing else for one? Its corpus is read, part by part.

`make prove-words SEED=1` reads each `*.tsv` of tests/payloads/replies and spells the seven words of
47 CFR 64.1200(a)(10) in many ways. It prints what was found and what was missed, and fails if a
bound is broken.
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
RECALL, FALSE = 0.999, 0.02
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
    false: list[str] = field(default_factory=list)

    @property
    def recall(self) -> float:
        return 1 - len(self.missed) / max(1, self.stops)

    @property
    def wrong(self) -> float:
        return len(self.false) / max(1, self.others)

    def add(self, label: str, text: str) -> None:
        heard = read(text) in {Meaning.STOP, Meaning.UNSURE}
        if label == "stop":
            self.stops += 1
            self.missed += [] if heard else [text]
        else:
            self.others += 1
            self.false += [text] if heard else []


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
    rng = random.Random(seed)  # noqa: S311 - reproducible, not secret
    return [text for word in SEVEN for text in (spelt(word, rng) for _ in range(SPELLINGS))]


def main() -> None:
    seed, broken = int(os.environ.get("SEED", "1")), False
    for path in sorted(REPLIES.glob("*.tsv")):
        tallies = judged(lines(path))
        print(path.name)
        for language, tally in sorted(tallies.items()):
            print(f"  {language:4} {tally.stops:5} stops, recall {tally.recall:8.3%}", end="")
            print(f" {tally.others:5} others, false {tally.wrong:7.3%}")
        for kind, texts in (("missed", tallies["all"].missed), ("false", tallies["all"].false)):
            for text in texts:
                print(f"    {kind}: {text!r}")
        broken |= tallies["all"].recall < RECALL or tallies["all"].wrong > FALSE
    spellings = the_seven(seed)
    lost = [text for text in spellings if read(text) != Meaning.STOP]
    print(f"the seven words: {len(spellings)} spellings (seed {seed}), {len(lost)} not a stop")
    print(*(f"    {text!r}" for text in lost[:20]), sep="\n", end="\n" if lost else "")
    sys.exit(broken or bool(lost))


if __name__ == "__main__":
    main()
