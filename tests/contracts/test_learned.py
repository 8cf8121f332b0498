"""Was the file of weights learned from the answers that are kept, and is it whole?"""

import json

from benchmarks import learn_words
from consent import resemblance

PAGE = json.loads(resemblance.LEARNED.read_text(encoding="utf-8"))


def test_the_weights_were_learned_from_the_corpus_that_is_kept() -> None:
    """Mended lines of the corpus? Then `make learn-words`."""
    assert PAGE["corpus_sha256"] == learn_words.corpus_sum(learn_words.corpus_paths())


def test_the_weights_are_whole_and_small() -> None:
    assert resemblance.learned() is not None
    assert resemblance.LEARNED.stat().st_size < 300_000


def test_no_holdout_taught() -> None:
    assert not [path for path in learn_words.corpus_paths() if path.name.startswith("holdout")]


def test_the_threshold_hears_what_was_promised_of_authors_left_out() -> None:
    threshold, _ = PAGE["recall_threshold_asked"][str(learn_words.RECALL)]
    assert PAGE["threshold"] <= threshold
