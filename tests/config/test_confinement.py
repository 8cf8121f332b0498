"""What can a decoder that a file has taken over still do? Nothing but answer."""

import json
import platform
import sys
import time
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from config.lib import confinement, mp4_gate, reencoding
from config.lib.confinement import Failed, Limits
from config.lib.reencoding import NotDecodable
from tests.config import prisoner as prisoners
from tests.videos import hostile

LIMITS = Limits(memory_bytes=1 << 30, answer_bytes=1 << 20, cpu_seconds=5, seconds=20)
HAS_FILTER = sys.platform == "linux" and platform.machine() in {"x86_64", "aarch64"}


def prisoner(act: str, limits: Limits = LIMITS) -> dict[str, Any]:
    answer = confinement.run(
        module="tests.config.prisoner", data=b"film", request={"act": act}, limits=limits
    )
    told: dict[str, Any] = json.loads(answer)
    return told


def test_it_reads_the_file_answers_and_can_do_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "canary")
    with (tmp_path / "ours").open("wb"):
        told = prisoner("try")
    assert told["size"] == 4
    assert told["did"] == []
    assert told["folder"] == []
    assert told["handles"] == [0, 1, 2]
    assert "SECRET_KEY" not in told["environment"]
    assert told["filtered"] is HAS_FILTER


def test_the_prisoner_would_do_it_if_it_could() -> None:
    # Else the test above would pass on a prisoner that does not try.
    for act in (prisoners.kernel_open, prisoners.kernel_kill, prisoners.ACTS["read a file"]):
        assert prisoners._went_well(act)


def test_one_that_never_ends_is_ended() -> None:
    began = time.monotonic()
    for limits in (
        Limits(1 << 30, 1 << 20, cpu_seconds=1, seconds=60),
        Limits(1 << 30, 1 << 20, cpu_seconds=60, seconds=1.5),
    ):
        with pytest.raises(Failed, match="too_slow"):
            prisoner("spin", limits)
    assert time.monotonic() - began < 40


def test_one_that_answers_without_end_is_cut_off() -> None:
    with pytest.raises(Failed, match="broke"):
        prisoner("flood")


def test_a_film_comes_back_made_by_us() -> None:
    marked = hostile.changed(
        lambda index: (index.inside or []).append(hostile.Box(b"udta", b"+48.8577+002.295/"))
    )
    clean = reencoding.reencode(data=marked, slot_ms=3000)
    assert b"+48.8577" not in clean.video
    length_ms = mp4_gate.look(data=marked).duration_seconds * 1000
    assert abs(clean.duration_ms - length_ms) < 40
    # None of the coded samples is the original's either.
    original = hostile.good()
    assert original[-4_000:-3_900] not in clean.video


def test_a_film_of_noise_is_refused() -> None:
    data = bytearray(hostile.good())
    at = data.index(b"mdat") + 4
    data[at:] = hostile.noise(len(data) - at)
    with pytest.raises(NotDecodable):
        reencoding.reencode(data=bytes(data), slot_ms=3000)


def test_a_film_that_needs_too_much_is_refused() -> None:
    little = Limits(memory_bytes=1 << 27, answer_bytes=1 << 20, cpu_seconds=20, seconds=30)
    with pytest.raises(NotDecodable):
        reencoding.reencode(data=hostile.good(), slot_ms=3000, limits=little)


def test_a_picture_larger_in_the_stream_than_in_the_index_is_refused() -> None:
    # The decoder believes the stream: 16,384 by 16,384 would be 400 MB a picture.
    with pytest.raises(NotDecodable, match="other_size"):
        reencoding._size(16_384, 16_384)


@pytest.mark.parametrize(
    ("told", "written"), [("25", "25"), ("50", "25"), ("60000/1001", "30000/1001"), ("12", "24")]
)
def test_an_even_rate_is_chosen(told: str, written: str) -> None:
    stream = SimpleNamespace(average_rate=Fraction(told))
    assert reencoding._rate(stream) == Fraction(written)  # type: ignore[arg-type]
