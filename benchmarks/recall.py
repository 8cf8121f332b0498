"""How many identifiers of each class are found, and how much that is none is refused?

`make bench-recall SEED=1 EACH=200 PRESIDIO=path/to/python`. For each class of HIPAA's 18 and their
kin, so many values of nobody are made by the seed, and so many near misses. A value counts as found
if anything is found where it stands. A near miss that may leave must leave; one that has all of a
number but its checksum is refused by the rule for long numbers, and only must not be named so.
Presidio, by the Python that PRESIDIO names, reads the same texts. Exit status 1 if it finds more of
a class than we do.
"""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

from benchmarks import ground

ground.prepare("sqlite")

from benchmarks.identifier_kinds import KINDS
from benchmarks.identifiers import Kind
from videos import detectors, names

SEED = int(os.environ.get("SEED", "1"))
EACH = int(os.environ.get("EACH", "200"))
PRESIDIO = os.environ.get("PRESIDIO", "")
SHOWN = int(os.environ.get("SHOW", "0"))

Text = dict[str, str]


def texts(kind: Kind, luck: random.Random) -> tuple[list[Text], list[Text]]:
    """Make the sentences of a class: those that hold one, and those that hold none."""
    held = [_said(kind, kind.make(luck)) for _ in range(EACH)]
    misses = [_said(kind, kind.miss(luck)) for _ in range(EACH)]
    return held, misses


def _said(kind: Kind, value: str) -> Text:
    if not kind.label:
        return {"value": value, "text": f"{value}, thank you for all."}
    return {"value": value, "text": f"Please note the {kind.label} {value}, as before."}


def found(one: Text) -> set[str]:
    """Return what is found where the value stands, by kind."""
    text = detectors.plain(one["text"])
    start = text.text.index(detectors.plain(one["value"]).text)
    end = start + len(one["value"])
    places = [*detectors.find(text=text.text, language="en")]
    places += names.find_addressed(text=text.text, language="en")
    return {kind for kind, first, last in places if first < end and start < last}


def presidio(corpus: list[Text]) -> list[bool]:
    """Return of each text whether Presidio finds anything where the value stands."""
    asked = json.dumps({"text": "Nothing.", "rounds": 1, "corpus": corpus})
    peer = Path(__file__).with_name("presidio_peer.py")
    ran = subprocess.run(
        [PRESIDIO, str(peer)], input=asked, capture_output=True, text=True, check=True
    )
    return list(json.loads(ran.stdout)["found"])


def line(kind: Kind, held: list[Text], misses: list[Text]) -> tuple[int, str]:
    """Count a class; return how many were found and the line that says so."""
    by_value = [found(one) for one in held]
    by_miss = [found(one) for one in misses]
    own = set(kind.named.split())
    count = sum(map(bool, by_value))
    named = sum(bool(one & own) for one in by_value)
    refused = sum(map(bool, by_miss))
    wrong = sum(bool(one & own) for one in by_miss)
    if SHOWN:
        show(
            [one["value"] for one, kinds in zip(held, by_value, strict=True) if not kinds], "missed"
        )
        if kind.free:
            show(
                [
                    f"{one['value']} {kinds}"
                    for one, kinds in zip(misses, by_miss, strict=True)
                    if kinds
                ],
                "refused",
            )
    free = f"refused {refused:4}" if kind.free else f"misnamed {wrong:3}"
    return count, f"{kind.group:8} {kind.name:22} found {count:4} named {named:4} | {free}"


def show(values: list[str], what: str) -> None:
    for value in values[:SHOWN]:
        print(f"    {what}: {value}")


def main() -> int:
    print(f"{len(KINDS)} classes, {EACH} of each and {EACH} near misses, seed {SEED}")
    luck = random.Random(SEED)
    made = [(kind, *texts(kind, luck)) for kind in KINDS]
    theirs = (
        presidio([one for _, *both in made for side in both for one in side]) if PRESIDIO else []
    )
    lower, total, false = 0, 0, 0
    for number, (kind, held, misses) in enumerate(made):
        count, text = line(kind, held, misses)
        total += count
        false += sum(bool(found(one)) for one in misses) if kind.free else 0
        if theirs:
            own = theirs[number * 2 * EACH :][: 2 * EACH]
            other, wrong = sum(own[:EACH]), sum(own[EACH:])
            text += f" | Presidio found {other:4} refused {wrong:4}"
            if other > count:
                text, lower = f"{text} LOWER", lower + 1
        print(text)
    free = EACH * sum(kind.free for kind, *_ in made)
    print(f"found {total} of {EACH * len(KINDS)}; refused {false} of {free} that may leave")
    return 1 if lower else 0


if __name__ == "__main__":
    sys.exit(main())
