"""What does Presidio find, and how fast? Run by a Python that has it; reads and writes JSON.

Its pattern recognisers of every country, on a blank language model or the one in the folder
PRESIDIO_MODEL: nothing is downloaded.
"""

import importlib
import inspect
import json
import os
import pkgutil
import sys
import time
from importlib import metadata
from typing import Any

import presidio_analyzer
import spacy
import tldextract
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry, predefined_recognizers
from presidio_analyzer.nlp_engine import SpacyNlpEngine

# The folder of a language model, by which names are found as well; without one, patterns alone.
MODEL = os.environ.get("PRESIDIO_MODEL", "")


class Blank(SpacyNlpEngine):  # type: ignore[misc]  # the package lives elsewhere
    def load(self) -> None:
        self.nlp = {"en": spacy.load(MODEL) if MODEL else spacy.blank("en")}

    def __init__(self) -> None:
        super().__init__()
        self.load()


def recognizers() -> list[object]:
    """Return one of each pattern recogniser that the package has."""
    classes: dict[str, Any] = {}
    for found in pkgutil.walk_packages(
        predefined_recognizers.__path__, predefined_recognizers.__name__ + "."
    ):
        try:
            module = importlib.import_module(found.name)  # noqa: TID251  not of this house
        except Exception:  # noqa: BLE001, S112  one of a service that is not installed
            continue
        classes |= {
            name: one
            for name, one in vars(module).items()
            if inspect.isclass(one)
            and issubclass(one, presidio_analyzer.EntityRecognizer)
            and one.__module__ == module.__name__
            and "predefined" in one.__module__
        }
    made = []
    for one in classes.values():
        try:
            made.append(one(supported_language="en"))
        except Exception:  # noqa: BLE001, S112  one that needs a model or a key
            continue
    return made


def main() -> None:
    asked = json.load(sys.stdin)
    # It would fetch the list of public suffixes at the first e-mail address.
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())
    registry = RecognizerRegistry(recognizers=recognizers(), supported_languages=["en"])
    engine = AnalyzerEngine(registry=registry, nlp_engine=Blank(), supported_languages=["en"])
    engine.analyze(text=asked["text"], language="en")
    seconds, busy = [], []
    for _ in range(asked["rounds"]):
        began, worked = time.perf_counter(), time.process_time()
        engine.analyze(text=asked["text"], language="en")
        seconds.append(time.perf_counter() - began)
        busy.append(time.process_time() - worked)
    found = []
    for one in asked["corpus"]:
        start = one["text"].index(one["value"])
        end = start + len(one["value"])
        results = engine.analyze(text=one["text"], language="en")
        found.append(any(r.start < end and start < r.end and r.score >= 0.3 for r in results))
    version = metadata.version("presidio-analyzer")
    names = sorted(type(one).__name__ for one in registry.recognizers)
    said = {"seconds": seconds, "busy": busy, "found": found, "version": version, "names": names}
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    main()
