import io
import subprocess
from dataclasses import replace
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import pytest

from config.lib import mp4, speech
from integrations.video import studio
from videos import compositing
from videos.compositing import BaseVideo, Composite, NameCard, Part, Stage

SLOT_SECONDS, LATER_SECONDS = 3.0, 2.0
PEOPLE = [
    ("Anna Müller", "Hello Anna Müller."),
    ("محمد بن عبد الله", "مرحبا محمد"),
    ("👩🏽\u200d🚀 राजेश 王小明", "Hello राजेश"),
]


def _part(name: str, spoken: str, line: str = "") -> Part:
    return Part(NameCard(name, line), speech.speak(text=spoken, language="en"))


def _parts(name: str, greeting: str) -> list[Part]:
    later = f"So, {name}, see you soon."
    return [_part(name, greeting, "Northwind Savings"), _part(later, later)]


@pytest.fixture(scope="module")
def base() -> BaseVideo:
    film = studio.produce(
        request=studio.StudioRequest(
            language="en",
            items=[
                studio.Slot("greeting", SLOT_SECONDS),
                studio.Speech("This part is for everybody. It is stored only once."),
                studio.Slot("later", LATER_SECONDS),
                studio.Speech("And so is this part, to the end."),
            ],
            width=640,
            height=360,
        )
    )
    slots = [(slot.start_seconds, slot.end_seconds) for slot in film.slots]
    return BaseVideo(film.data, slots, "en")


@pytest.fixture(scope="module")
def stage(base: BaseVideo) -> Stage:
    return compositing.prepare(base=base)


@pytest.fixture(scope="module")
def composites(stage: Stage) -> list[Composite]:
    return [stage.personalise(parts=_parts(*person)) for person in PEOPLE]


def _pictures(data: bytes) -> list[np.ndarray[tuple[int, ...], np.dtype[np.int16]]]:
    with av.open(io.BytesIO(data), "r") as container:
        return [f.to_ndarray(format="gray").astype(np.int16) for f in container.decode(video=0)]


def _sound(data: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    with av.open(io.BytesIO(data), "r") as container:
        return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])


def _loudness(
    sound: np.ndarray[tuple[int, ...], np.dtype[np.float32]], a: float, b: float
) -> float:
    part = sound[int(a * 48_000) : int(b * 48_000)].astype(np.float64)
    return float(np.sqrt((part**2).mean()))


def test_ffmpeg_finds_nothing_to_complain_about(
    composites: list[Composite], tmp_path: Path
) -> None:
    for number, composite in enumerate(composites):
        path = tmp_path / f"{number}.mp4"
        path.write_bytes(composite.data)
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path)]
        outcome = subprocess.run([*command, "-f", "null", "-"], capture_output=True, check=False)
        assert (outcome.returncode, outcome.stderr) == (0, b"")


def test_frames_and_duration_equal_the_base(base: BaseVideo, composites: list[Composite]) -> None:
    expected = compositing.probe(data=base.data)
    for composite in composites:
        found = compositing.probe(data=composite.data)
        assert replace(found, key_frames=()) == replace(expected, key_frames=())
        # Those of the base at each seam, and no more than needed between.
        assert set(found.key_frames) < set(expected.key_frames)
        assert {0, 90} <= set(found.key_frames)
        assert len(_pictures(composite.data)) == expected.frame_count == composite.frame_count


def test_the_tail_is_the_same_for_everybody_and_most_of_the_file(
    base: BaseVideo, composites: list[Composite]
) -> None:
    tails = {composite.tail for composite in composites}
    assert tails == {compositing.shared_tail(base=base)}
    assert len({composite.tail_sha256 for composite in composites}) == 1
    assert len({composite.head for composite in composites}) == len(PEOPLE)
    # The base of this test has few seconds beyond its slots; longer ones share far more.
    assert all(len(c.tail) / len(c.data) > 0.4 for c in composites)


def test_what_lies_outside_the_slots_is_the_base_byte_for_byte(
    base: BaseVideo, composites: list[Composite]
) -> None:
    expected = mp4.read(data=base.data)
    for composite in composites:
        for found, track in zip(mp4.read(data=composite.data), expected, strict=True):
            assert found.setup == track.setup
            for sample, old in zip(found.samples, track.samples, strict=True):
                inside = any(
                    start <= old.show_at_ticks / track.ticks_per_second < end
                    for start, end in base.slots
                )
                assert inside or old.show_at_ticks < 0 or sample == old


def test_the_name_is_seen_in_each_slot_and_gone_after_it(
    base: BaseVideo, composites: list[Composite]
) -> None:
    plain = _pictures(base.data)
    seen = [_pictures(composite.data) for composite in composites]
    for start, end in ((round(a * 30), round(b * 30)) for a, b in base.slots):
        for pictures in seen:
            middle = (start + end) // 2
            assert np.abs(pictures[middle] - plain[middle])[100:230, 280:610].mean() > 8
            # Coded anew, and still where it hardly moved: under the two steps that nobody sees.
            assert np.abs(pictures[end - 2] - plain[end - 2]).mean() < 1.5
            assert np.array_equal(pictures[end], plain[end])
            assert start == 0 or np.array_equal(pictures[start - 1], plain[start - 1])
    assert np.abs(seen[0][45] - seen[1][45]).mean() > 1


def test_the_ai_label_is_there_from_the_first_frame(composites: list[Composite]) -> None:
    for composite in composites:
        for picture in _pictures(composite.data)[:90]:
            label = picture[322:346, 14:120]
            assert label.max() > 200 and label.min() < 40


def test_each_slot_is_heard_and_the_rest_left_alone(
    base: BaseVideo, composites: list[Composite]
) -> None:
    plain, (first, second) = _sound(base.data), base.slots
    shared = [(first[1], second[0]), (second[1], len(plain) / 48_000)]
    for composite in composites:
        sound = _sound(composite.data)
        assert len(sound) == len(plain)
        for start, _ in base.slots:
            assert _loudness(sound, start + 0.2, start + 1.0) > 0.03
            assert _loudness(plain, start + 0.2, start + 1.0) < 0.001
        for start, end in shared:
            where = slice(round(start * 48_000), round(end * 48_000))
            assert np.array_equal(sound[where], plain[where])


def test_long_speech_is_quickened_then_faded_before_the_slot_ends(stage: Stage) -> None:
    long = speech.speak(text="This greeting goes on and on, " * 6, language="en")
    parts = [Part(NameCard("A"), long), _part("A", "A")]
    sound = _sound(stage.personalise(parts=parts).data)
    assert _loudness(sound, 2.2, 2.7) > 0.03
    assert _loudness(sound, 2.92, 2.99) < 0.01


@pytest.mark.parametrize(
    "name", ["", "\U00012000", "😀", "x" * 300, "<script>\x00\u202e", "王" * 120]
)
def test_any_name_gives_a_whole_video(stage: Stage, name: str) -> None:
    composite = stage.personalise(parts=[_part(name, "")] * 2)
    assert len(_pictures(composite.data)) == composite.frame_count


def test_the_same_person_gives_the_same_bytes(stage: Stage, composites: list[Composite]) -> None:
    assert stage.personalise(parts=_parts(*PEOPLE[0])).head == composites[0].head


def test_the_poster_shows_the_base(base: BaseVideo) -> None:
    assert compositing.poster(base=base).startswith(b"\xff\xd8\xff")


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Make a film with B-frames, a group of two seconds and sound that never rests."""
    path = tmp_path_factory.mktemp("elsewhere") / "film.mp4"
    picture, sound = "testsrc2=s=320x180:r=25:d=8", "sine=f=300:r=44100:d=8"
    sources = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, "-ac", "2"]
    coding = ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-g", "50", "-bf", "3", "-c:a", "aac"]
    program = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run([program, "-v", "error", *sources, *coding, str(path)], check=True)
    return path.read_bytes()


def test_a_film_from_elsewhere_with_b_frames_is_joined_without_a_seam(elsewhere: bytes) -> None:
    slots = [(0.0, 1.5), (4.4, 5.6)]
    stage = compositing.prepare(base=BaseVideo(elsewhere, slots, "en"))
    composite = stage.personalise(parts=[_part("Ada", "Hello"), _part("Ada", "Hello again")])
    assert [take.run for take in stage.takes] == [(0, 50), (100, 150)]
    before, after = _pictures(elsewhere), _pictures(composite.data)
    assert len(before) == len(after) == 200
    shared = [*range(50, 100), *range(150, 200)]
    assert all(np.array_equal(before[index], after[index]) for index in shared)
    for middle, seams in ((20, (49,)), (125, (100, 149))):
        assert np.abs(before[middle] - after[middle]).mean() > 3
        assert all(np.abs(before[seam] - after[seam]).mean() < 3 for seam in seams)
    found, expected = (compositing.probe(data=d) for d in (composite.data, elsewhere))
    assert found.duration_seconds == expected.duration_seconds
    assert found.audio_seconds == expected.audio_seconds
    assert found.audio_rate_hz == 44_100 and found.audio_channels == 2


def test_slots_in_one_group_of_pictures_are_encoded_together(elsewhere: bytes) -> None:
    slots = [(0.0, 1.0), (2.2, 3.2), (3.4, 4.4)]
    stage = compositing.prepare(base=BaseVideo(elsewhere, slots, "en"))
    assert [(take.run, len(take.slots)) for take in stage.takes] == [((0, 50), 1), ((50, 150), 2)]
    composite = stage.personalise(parts=[_part(name, name) for name in ("Ada", "Bo", "Cy")])
    plain, pictures = _pictures(elsewhere), _pictures(composite.data)
    assert len(pictures) == 200
    assert all(np.abs(pictures[i] - plain[i]).mean() > 3 for i in (14, 68, 98))


@pytest.mark.parametrize(
    ("slots", "why"),
    [
        ([], "at the start"),
        ([(1.0, 3.0)], "at the start"),
        ([(0.0, 0.5)], "at least a second"),
        ([(0.0, 10_000.0)], "at least a second"),
        ([(0.0, 2.0), (3.0, 3.2)], "at least a second"),
        ([(0.0, 2.0), (1.5, 3.0)], "one over another"),
        ([(0.0, 2.0), (4.0, 6.0), (2.0, 4.0)], "one over another"),
    ],
)
def test_slots_of_no_use_are_refused(
    base: BaseVideo, slots: list[tuple[float, float]], why: str
) -> None:
    with pytest.raises(compositing.NotComposable, match=why):
        compositing.prepare(base=BaseVideo(base.data, slots, "en"))


def test_a_part_for_each_slot_is_asked_for(stage: Stage) -> None:
    with pytest.raises(compositing.NotComposable, match="number of personal slots"):
        stage.personalise(parts=[_part("A", "A")])


@pytest.mark.parametrize("data", [b"", b"not a video", b"\x00\x00\x00\x18ftypisom" + bytes(500)])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(compositing.NotComposable):
        compositing.probe(data=data)
    with pytest.raises(compositing.NotComposable):
        compositing.prepare(base=BaseVideo(data, [(0.0, 3.0)], "en"))
