"""Would the proof of whole videos notice one that is not?"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks import likeness, prove_video
from benchmarks.prove_video import Case
from config.lib import encoding
from videos.compositing import Composite, Part, Stage

CASE = Case(
    "320x180", "25", 12, "bframes=3", (44_100, 2), "testsrc2", ((0.0, 1.5), (3.3, 4.6)), "Zoë", 7
)


OPEN = replace(CASE, rate="30000/1001", group=50, kind="bframes=2:open-gop=1", sound=(48_000, 1))


@pytest.mark.parametrize("case", [CASE, OPEN])
def test_films_of_many_kinds_come_out_whole(case: Case) -> None:
    outcome = prove_video.examine(case)
    assert outcome.faults == []
    assert outcome.worst_seam > -prove_video.SEAM_LOSS


@pytest.mark.parametrize("end", [b"", bytes(40_000)])
def test_a_tail_that_is_cut_or_anothers_is_noticed(
    monkeypatch: pytest.MonkeyPatch, end: bytes
) -> None:
    make = Stage.personalise

    def spoilt(stage: Stage, *, parts: Sequence[Part]) -> Composite:
        made = make(stage, parts=parts)
        return replace(made, tail=made.tail[:-40_000] + end)

    monkeypatch.setattr(Stage, "personalise", spoilt)
    (fault,) = prove_video.examine(CASE).faults
    assert fault.startswith("ffmpeg:")


def test_sound_that_comes_late_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    voice = Stage._voice
    monkeypatch.setattr(Stage, "_voice", lambda *facts: np.roll(voice(*facts), 2_000))
    (fault,) = prove_video.examine(CASE).faults
    assert "out of step" in fault


def test_pictures_that_are_worse_at_a_seam_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    film = Stage._film

    def coarse(stage: Stage, *facts: Any) -> encoding.Encoded:
        return film(replace(stage, settings=replace(stage.settings, quality=45)), *facts)

    monkeypatch.setattr(Stage, "_film", coarse)
    (fault,) = prove_video.examine(CASE).faults
    assert "less alike" in fault


def test_likeness_is_one_for_equals_and_less_for_others() -> None:
    lot = np.random.default_rng(1)
    plane = lot.integers(0, 256, (64, 64), np.uint8)
    assert likeness.ssim(plane, plane) == pytest.approx(1)
    assert likeness.ssim(plane, lot.integers(0, 256, (64, 64), np.uint8)) < 0.2
    sound = lot.normal(size=4_000).astype(np.float32)
    assert likeness.lag_samples(sound, np.roll(sound, 30)) == 30
    assert likeness.lag_samples(np.roll(sound, 30), sound) == -30
