import io
import itertools
from dataclasses import replace
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest

from config.lib import mp4
from integrations.video import studio
from integrations.video.studio import Slot, Speech, StudioRequest, StudioVideo

REQUEST = StudioRequest(
    language="en",
    items=[Slot("greeting", 1.5), Speech("A short film. It says two things."), Slot("bye", 1.0)],
    width=640,
    height=360,
)


@pytest.fixture(scope="module")
def film() -> StudioVideo:
    return studio.produce(request=REQUEST)


def _pictures(data: bytes) -> list[av.VideoFrame]:
    with av.open(io.BytesIO(data), "r") as container:
        return list(container.decode(video=0))


def _sound(data: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    with av.open(io.BytesIO(data), "r") as container:
        return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])


def test_the_film_is_h264_and_aac_that_starts_at_once(film: StudioVideo) -> None:
    with av.open(io.BytesIO(film.data), "r") as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, video.codec_context.profile) == ("h264", "High")
        assert video.codec_context.pix_fmt == "yuv420p"
        assert (video.width, video.height) == (640, 360)
        assert video.average_rate == Fraction(30)
        assert (audio.codec_context.name, audio.sample_rate) == ("aac", 48_000)
    assert film.data.index(b"moov") < film.data.index(b"mdat")


def test_every_picture_decodes_and_sound_is_as_long(film: StudioVideo) -> None:
    pictures = _pictures(film.data)
    assert len(pictures) == round(film.duration_seconds * 30)
    assert len(_sound(film.data)) / 48_000 == pytest.approx(film.duration_seconds, abs=0.03)


def test_slots_are_silent_and_the_rest_is_spoken(film: StudioVideo) -> None:
    sound = _sound(film.data).astype(np.float64)
    greeting, bye = film.slots
    assert (greeting.slot_id, greeting.start_seconds, greeting.end_seconds) == ("greeting", 0, 1.5)
    assert bye.end_seconds == film.duration_seconds

    def loudness(start: float, end: float) -> float:
        return float(np.sqrt((sound[int(start * 48_000) : int(end * 48_000)] ** 2).mean()))

    assert loudness(0.05, 1.4) < 0.001
    assert loudness(bye.start_seconds + 0.1, bye.end_seconds) < 0.001
    assert loudness(greeting.end_seconds, bye.start_seconds) > 0.04


def test_key_frames_stand_each_second_and_at_each_edge_of_a_slot(film: StudioVideo) -> None:
    video = mp4.read(data=film.data)[0]
    keys = [index for index, sample in enumerate(video.samples) if sample.is_key]
    edges = {round(edge * 30) for s in film.slots for edge in (s.start_seconds, s.end_seconds)}
    assert edges - {len(video.samples)} <= set(keys)
    assert max(b - a for a, b in itertools.pairwise(keys)) <= 30
    assert all(sample.decode_at_ticks == sample.show_at_ticks for sample in video.samples)


def test_the_picture_moves_and_carries_the_label_from_the_first_frame(film: StudioVideo) -> None:
    pictures = [
        picture.to_ndarray(format="gray").astype(np.int32) for picture in _pictures(film.data)
    ]
    moved = np.abs(pictures[75] - pictures[60]).mean()
    assert moved > 0.5
    label = [picture[322:346, 14:120] for picture in pictures]
    assert all(part.max() > 180 and part.min() < 40 for part in label)


def test_captions_follow_the_words(film: StudioVideo) -> None:
    assert film.captions_vtt.startswith("WEBVTT\n\n00:00:01.500 --> ")
    assert "A short film.\n" in film.captions_vtt
    assert "It says two things.\n" in film.captions_vtt


def test_the_same_request_gives_the_same_bytes(film: StudioVideo) -> None:
    studio.produce(request=replace(REQUEST, language="de", items=[Speech("Etwas anderes.")]))
    assert studio.produce(request=REQUEST) == film


@pytest.mark.parametrize(
    ("language", "text"),
    [("ar", "مرحبا بكم جميعا"), ("hi", "आप सभी का स्वागत है"), ("zh", "欢迎大家，谢谢你们。")],
)
def test_other_scripts_are_spoken_and_captioned(language: str, text: str) -> None:
    request = replace(REQUEST, language=language, items=(Slot("greeting", 1.0), Speech(text)))
    film = studio.produce(request=request)
    assert float(np.abs(_sound(film.data)).max()) > 0.3
    assert film.captions_vtt.count("-->") >= 1


@pytest.mark.parametrize(
    "change",
    [
        {"items": []},
        {"width": 641},
        {"height": 100},
        {"frames_per_second": 29},
        {"items": [Slot("a", 0.0)]},
        {"items": [Slot("a", 61.0)]},
        {"items": [Slot("a", 60.0)] * 16},
        {"items": [Speech("a" * 100_000)]},
    ],
)
def test_what_cannot_be_made_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(studio.RequestRefused):
        studio.produce(request=replace(REQUEST, **change))
