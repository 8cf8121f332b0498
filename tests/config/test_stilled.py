"""Does a coder's flicker vanish, and is every movement that can be seen kept?"""

import numpy as np

from config.lib import picture


def frames(*levels: int) -> list[picture.Picture]:
    return [np.full((96, 64), level, np.uint8) for level in levels]


def test_what_differs_by_two_steps_stays_as_it_was_shown() -> None:
    found = list(picture.stilled(frames(100, 102, 101, 98)))
    assert all(np.array_equal(frame, found[0]) for frame in found)


def test_unseen_steps_do_not_add_up() -> None:
    given = frames(100, 102, 104, 106, 108)
    for shown, true in zip(picture.stilled(given), given, strict=True):
        assert np.abs(shown.astype(int) - true).max() <= 2


def test_a_movement_is_kept_exactly_and_its_neighbour_stays() -> None:
    first, second = frames(100, 101)
    second[8:12, 16:20] = 180
    shown = list(picture.stilled([first, second]))[1]
    assert (shown[8:12, 16:20] == 180).all()
    assert (shown[40:48, 40:48] == 100).all()


def test_colour_alone_is_a_movement_too() -> None:
    first, second = frames(100, 100)
    picture.planes(second)[1][0, 0] = 140
    shown = list(picture.stilled([first, second]))[1]
    assert picture.planes(shown)[1][0, 0] == 140


def test_the_given_pictures_are_left_alone() -> None:
    given = frames(100, 150)
    list(picture.stilled(given))
    assert [int(frame.max()) for frame in given] == [100, 150]
