"""Is each hostile file refused for what is wrong with it, in a moment, before any decoder?"""

import random
import time
import tracemalloc

import pytest

from config.lib import mp4, mp4_gate
from config.lib.mp4_gate import Refused
from tests.videos import hostile

MOST_SECONDS = 2.0
MOST_MEMORY_BYTES = 64 << 20


def test_a_good_film_passes() -> None:
    shape = mp4_gate.look(data=hostile.good())
    assert (shape.width, shape.height, shape.has_sound) == (640, 360, True)
    assert shape.frame_count == len(mp4.read(data=hostile.good())[0].samples)


def test_a_film_taken_apart_and_put_together_passes() -> None:
    # Else the corpus would be refused for what its maker did.
    assert hostile.changed(lambda index: None) == hostile.good()
    grown = hostile.changed(lambda index: (index.inside or []).append(hostile.Box(b"udta", b"x")))
    mp4_gate.look(data=grown)
    assert mp4.read(data=grown)[0].samples == mp4.read(data=hostile.good())[0].samples


def test_the_corpus_is_large_enough() -> None:
    assert len(hostile.FILES) >= 30


@pytest.mark.parametrize("name", hostile.FILES)
def test_it_is_refused_at_once_and_says_why(name: str) -> None:
    make, code = hostile.FILES[name]
    data = make()
    began = time.perf_counter()
    with pytest.raises(Refused) as refused:
        mp4_gate.look(data=data)
    assert time.perf_counter() - began < MOST_SECONDS
    assert refused.value.code == code
    assert refused.value.words.endswith(".")


@pytest.mark.parametrize(
    "name", ["a billion frames", "cuts without end", "boxes without end", "an index that unpacks"]
)
def test_no_lie_makes_it_take_memory(name: str) -> None:
    data = hostile.FILES[name][0]()
    tracemalloc.start()
    try:
        with pytest.raises(Refused):
            mp4_gate.look(data=data)
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY_BYTES
    finally:
        tracemalloc.stop()


def test_a_file_that_is_too_large_is_not_even_walked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mp4_gate, "LARGEST_BYTES", len(hostile.good()) - 1)
    with pytest.raises(Refused, match="too_large"):
        mp4_gate.look(data=hostile.good())


def test_whatever_bytes_are_changed_it_answers_or_refuses() -> None:
    luck, good = random.Random(hostile.SEED), hostile.good()
    index_ends = good.index(b"mdat")
    for _ in range(400):
        data = bytearray(good)
        for _ in range(luck.randrange(1, 8)):
            data[luck.randrange(index_ends)] = luck.randrange(256)
        try:
            mp4_gate.look(data=bytes(data))
        except Refused as refused:
            assert refused.code in mp4_gate.WORDS
