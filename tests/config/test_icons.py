"""Does every state have a colour, a picture and a word?"""

import re

from config.lib import icons

TONES = {"good", "info", "warn", "bad", "plain"}


def test_look_of_every_state_has_a_known_tone_and_picture() -> None:
    faults = [
        state
        for state, look in icons.STATES.items()
        if look.tone not in TONES or look.icon not in icons.PATHS or not look.word
    ]
    assert not faults


def test_look_of_a_stranger_is_plain_and_says_its_name() -> None:
    assert icons.look("half_done") == icons.Look("plain", "dot", "Half done")


def test_look_never_shows_the_silence_of_a_vendor_as_success() -> None:
    assert icons.look("unknown").tone == "warn"
    assert icons.look("claimed").tone == "warn"


def test_paths_hold_path_data_only() -> None:
    assert not [
        name
        for name, path in icons.PATHS.items()
        if re.search(r"[^MLHVCSQTAZmlhvcsqtaz\d .\-]", path)
    ]
