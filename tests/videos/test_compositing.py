import io
import subprocess
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import pytest

from config.lib import mp4, speech
from integrations.video import studio
from videos import compositing
from videos.compositing import BaseVideo, Composite, NameCard, Stage

SLOT_SECONDS = 3.0
PEOPLE = [
    ("Anna Müller", "Hello Anna Müller."),
    ("محمد بن عبد الله", "مرحبا محمد"),
    ("👩🏽\u200d🚀 राजेश 王小明", "Hello राजेश"),
]


@pytest.fixture(scope="module")
def base() -> BaseVideo:
    text = "This part is for everybody. It is the same for all, and it is stored only once."
    film = studio.produce(
        request=studio.StudioRequest(
            language="en",
            items=[studio.Slot("greeting", SLOT_SECONDS), studio.Speech(text)],
            width=640,
            height=360,
        )
    )
    return BaseVideo(film.data, SLOT_SECONDS, "en")


@pytest.fixture(scope="module")
def stage(base: BaseVideo) -> Stage:
    return compositing.prepare(base=base)


@pytest.fixture(scope="module")
def composites(stage: Stage) -> list[Composite]:
    return [
        stage.personalise(
            card=NameCard(name, "Northwind Savings"),
            greeting=speech.speak(text=greeting, language="en"),
        )
        for name, greeting in PEOPLE
    ]


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
        assert found == expected
        assert len(_pictures(composite.data)) == expected.frame_count == composite.frame_count


def test_the_tail_is_the_same_for_everybody_and_most_of_the_file(
    base: BaseVideo, composites: list[Composite]
) -> None:
    tails = {composite.tail for composite in composites}
    assert tails == {compositing.shared_tail(base=base)}
    assert len({composite.tail_sha256 for composite in composites}) == 1
    assert len({composite.head for composite in composites}) == len(PEOPLE)
    # The base of this test has few seconds beyond its slot; longer ones share far more.
    assert all(len(c.tail) / len(c.data) > 0.5 for c in composites)


def test_what_follows_the_slot_is_the_base_byte_for_byte(
    base: BaseVideo, composites: list[Composite]
) -> None:
    first = round(SLOT_SECONDS * 30)
    expected = mp4.read(data=base.data)
    for composite in composites:
        video, sound = mp4.read(data=composite.data)
        assert list(video.samples[first:]) == list(expected[0].samples[first:])
        assert list(sound.samples[145:]) == list(expected[1].samples[145:])
        assert video.setup == expected[0].setup and sound.setup == expected[1].setup


def test_the_name_is_seen_in_the_slot_and_gone_after_it(
    base: BaseVideo, composites: list[Composite]
) -> None:
    plain = _pictures(base.data)
    seen = [_pictures(composite.data) for composite in composites]
    for pictures in seen:
        assert np.abs(pictures[45] - plain[45])[100:230, 280:610].mean() > 8
        assert np.abs(pictures[88] - plain[88]).mean() < 1.0
        assert np.array_equal(pictures[90], plain[90])
    assert np.abs(seen[0][45] - seen[1][45]).mean() > 1


def test_the_ai_label_is_there_from_the_first_frame(composites: list[Composite]) -> None:
    for composite in composites:
        for picture in _pictures(composite.data)[:90]:
            label = picture[322:346, 14:120]
            assert label.max() > 200 and label.min() < 40


def test_the_greeting_is_heard_in_the_slot_and_leaves_the_rest_alone(
    base: BaseVideo, composites: list[Composite]
) -> None:
    plain, shared = _sound(base.data), int(SLOT_SECONDS * 48_000)
    for composite in composites:
        sound = _sound(composite.data)
        assert len(sound) == len(plain)
        assert _loudness(sound, 0.2, 1.0) > 0.03
        assert np.array_equal(sound[shared:], plain[shared:])
    assert _loudness(plain, 0.05, 2.9) < 0.001


def test_speech_and_picture_stay_in_step_across_the_seam(
    base: BaseVideo, composites: list[Composite]
) -> None:
    onsets = []
    for data in (base.data, composites[0].data):
        loud = np.abs(_sound(data)[int((SLOT_SECONDS - 0.05) * 48_000) :]) > 0.02
        onsets.append(int(np.argmax(loud)))
    assert abs(onsets[0] - onsets[1]) < 0.02 * 48_000


def test_long_speech_is_quickened_then_faded_before_the_slot_ends(stage: Stage) -> None:
    long = speech.speak(text="This greeting goes on and on, " * 6, language="en")
    sound = _sound(stage.personalise(card=NameCard("A"), greeting=long).data)
    assert _loudness(sound, 2.2, 2.7) > 0.03
    assert _loudness(sound, 2.92, 2.99) < 0.01


@pytest.mark.parametrize(
    "name", ["", "\U00012000", "😀", "x" * 300, "<script>\x00\u202e", "王" * 120]
)
def test_any_name_gives_a_whole_video(stage: Stage, name: str) -> None:
    silence = speech.speak(text="", language="en")
    composite = stage.personalise(card=NameCard(name), greeting=silence)
    assert len(_pictures(composite.data)) == composite.frame_count


def test_the_same_person_gives_the_same_bytes(stage: Stage, composites: list[Composite]) -> None:
    name, greeting = PEOPLE[0]
    again = stage.personalise(
        card=NameCard(name, "Northwind Savings"),
        greeting=speech.speak(text=greeting, language="en"),
    )
    assert again.head == composites[0].head


def test_the_poster_shows_the_base(base: BaseVideo) -> None:
    assert compositing.poster(base=base).startswith(b"\xff\xd8\xff")


def test_a_film_from_elsewhere_with_b_frames_is_joined_without_a_seam(tmp_path: Path) -> None:
    path = tmp_path / "elsewhere.mp4"
    picture, sound = "testsrc2=s=320x240:r=25:d=6", "sine=f=300:r=44100:d=6"
    sources = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, "-ac", "2"]
    coding = ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-g", "50", "-bf", "3", "-c:a", "aac"]
    program = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run([program, "-v", "error", *sources, *coding, str(path)], check=True)
    elsewhere = BaseVideo(path.read_bytes(), 2.0, "en")
    greeting = speech.speak(text="Hello", language="en")
    composite = compositing.personalise(base=elsewhere, card=NameCard("Ada"), greeting=greeting)
    before, after = _pictures(elsewhere.data), _pictures(composite.data)
    assert len(before) == len(after) == 150
    assert all(np.array_equal(a, b) for a, b in zip(before[50:], after[50:], strict=True))
    assert np.abs(before[25] - after[25]).mean() > 3
    assert np.abs(before[49] - after[49]).mean() < 3
    found, expected = (compositing.probe(data=d) for d in (composite.data, elsewhere.data))
    assert found.duration_seconds == expected.duration_seconds
    assert found.audio_seconds == expected.audio_seconds
    assert found.audio_rate_hz == 44_100 and found.audio_channels == 2


def test_a_slot_that_is_not_at_the_start_is_refused(base: BaseVideo) -> None:
    with pytest.raises(compositing.NotComposable, match="at the start"):
        compositing.prepare(base=BaseVideo(base.data, 6.0, "en", slot_start_seconds=3.0))


@pytest.mark.parametrize("seconds", [0.0, 0.5, 10_000.0])
def test_a_slot_of_no_use_is_refused(base: BaseVideo, seconds: float) -> None:
    with pytest.raises(compositing.NotComposable, match="at least a second"):
        compositing.prepare(base=BaseVideo(base.data, seconds, "en"))


@pytest.mark.parametrize("data", [b"", b"not a video", b"\x00\x00\x00\x18ftypisom" + bytes(500)])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(compositing.NotComposable):
        compositing.probe(data=data)
    with pytest.raises(compositing.NotComposable):
        compositing.prepare(base=BaseVideo(data, 3.0, "en"))
