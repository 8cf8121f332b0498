"""Is every frame of a base labelled, everybody's part as well, whoever made it?"""

from fractions import Fraction

import numpy as np
import pytest

from config.lib import encoding, mp4, picture
from tests.videos import vendor as played
from videos import compositing, labelling
from videos.labelling import NotLabelled, labelled, shows


@pytest.fixture(scope="module")
def bare() -> bytes:
    """Return two seconds of a vendor who puts no label in."""
    frames = [np.full((360 * 3 // 2, 640), 90 + index, np.uint8) for index in range(60)]
    coded = encoding.encode_pictures(
        pictures=frames,
        settings=encoding.PictureSettings(640, 360, Fraction(30)),
        key_frames={0, 30},
        ticks_per_frame=512,
    )
    track = mp4.Track(
        is_video=True,
        ticks_per_second=15_360,
        setup=coded.setup,
        samples=coded.samples,
        width=640,
        height=360,
    )
    sound = mp4.read(data=played.film().video)[1]
    return mp4.write(tracks=[track, sound])


def test_a_film_of_the_studio_is_labelled_and_stays_as_it_is() -> None:
    film = played.film().video
    assert shows(data=film, language="en")
    assert labelled(data=film, language="en") is film


def test_a_film_without_the_label_gets_it_in_every_frame(bare: bytes) -> None:
    assert not shows(data=bare, language="en")
    film = labelled(data=bare, language="en")
    label = picture.ai_label(language="en", frame_height=360)
    frames = list(labelling._pictures(film))
    assert all(labelling._stands(frame, label) for frame in frames)
    before, after = compositing.probe(data=bare), compositing.probe(data=film)
    assert (len(frames), before) == (60, after)


def test_another_languages_label_is_not_ours(bare: bytes) -> None:
    film = labelled(data=bare, language="de")
    assert shows(data=film, language="de")
    assert not shows(data=film, language="ja")


def test_what_cannot_be_decoded_is_refused() -> None:
    with pytest.raises(NotLabelled):
        labelled(data=played.film().video[:3000], language="en")
