"""Are slots found in the sound of a film, and none where they cannot be told apart?"""

import pytest

from config.lib import canonical
from integrations.video import orders, timing
from tests.videos import vendor as played

SLOT: dict[str, object] = {"slot": "s1", "ms": 3000}
SAID: dict[str, object] = {"speech": "This part is for everybody, and it is stored only once."}


def order(*items: dict[str, object]) -> orders.Order:
    body = {"language": "en", "width": 640, "height": 360, "items": list(items)}
    return orders.read(canonical.encode(body))


def test_slots_and_captions_are_found_in_a_real_film() -> None:
    film = played.film(later=True)
    asked = order(SLOT, SAID, {"slot": "s2", "ms": 3000}, {"speech": "And this."})
    found = timing.timed(film=film.video, order=asked)
    assert abs(found.duration_ms - film.duration_ms) < 100
    for (start, end), (real_start, real_end) in zip(found.slots_ms, film.slots_ms, strict=True):
        assert abs(start - real_start) <= 300
        assert end - start == real_end - real_start
    assert found.slots_ms[0] == [0, 3000]
    assert found.captions_vtt.startswith("WEBVTT\n\n00:00:03.000 -->")
    assert "And this." in found.captions_vtt


@pytest.mark.parametrize(
    "items", [(SLOT, SAID, SLOT, SAID), ({"slot": "s1", "ms": 9000}, SAID), (SAID, SLOT, SAID)]
)
def test_another_film_than_ordered_has_no_slots(items: tuple[dict[str, object], ...]) -> None:
    found = timing.timed(film=played.film().video, order=order(*items))
    assert (found.slots_ms, found.captions_vtt) == ([], "") or items[0] is SAID


@pytest.mark.parametrize("film", [b"", b"<html>", b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 99])
def test_what_is_no_film_is_passed_on_as_it_came(film: bytes) -> None:
    found = timing.timed(film=film, order=order(SLOT, SAID))
    assert (found.video, found.slots_ms, found.duration_ms) == (film, [], 0)


@pytest.mark.parametrize(
    ("silences", "ordered", "slots"),
    [
        ([(0, 3000), (9000, 12_400)], [[3000], [3000]], [[0, 3000], [9400, 12_400]]),
        ([(40, 2900), (8000, 11_000)], [[3000], [3000]], [[0, 3000], [8000, 11_000]]),
        ([(0, 6100)], [[3000, 3000]], [[0, 3000], [3000, 6000]]),
        ([(0, 3000), (17_000, 20_000)], [[3000], [2500]], [[0, 3000], [17_500, 20_000]]),
        ([(0, 3000), (4000, 4300)], [[3000]], [[0, 3000]]),
        ([(0, 2400)], [[3000]], []),
        ([(0, 3000), (5000, 8000)], [[3000]], []),
        ([(0, 3000)], [[3000], [3000]], []),
        ([(0, 3000), (5000, 8000)], [[3000], [4000]], []),
        ([], [], []),
    ],
)
def test_silences_are_matched(
    silences: list[tuple[int, int]], ordered: list[list[int]], slots: list[list[int]]
) -> None:
    found = timing.slots_in(silences=silences, ordered_ms=ordered)
    assert found == slots
