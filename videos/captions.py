"""What does one person read under the video, and can a name break the captions?"""

from config.lib import picture, webvtt

_HEADER = "WEBVTT"
# Above the picture's lower third, so that both cues of the slot can be read.
_AT_TOP = "line:0"


class NotWebVtt(Exception):
    """The base captions do not begin as WebVTT must."""


def for_person(*, base_vtt: str, slot_seconds: float, text: str, language: str = "en") -> str:
    """Put a person's greeting and the AI disclosure before everybody's captions.

    Whatever stands in the text stays text: it cannot end its cue, open a tag or start
    another cue. A text with nothing to show gives the disclosure alone.

    :raises NotWebVtt: the base captions are not WebVTT.
    """
    disclosure = webvtt.cue(
        start_seconds=0,
        end_seconds=slot_seconds,
        text=picture.ai_label_text(language=language),
        settings=_AT_TOP,
    )
    greeting = ""
    if webvtt.escape(text):
        greeting = webvtt.cue(start_seconds=0, end_seconds=slot_seconds, text=text)
    return f"{_HEADER}\n\n{greeting}{disclosure}{_body(base_vtt)}"


def _body(base_vtt: str) -> str:
    """Take the cues of a caption file: all after its header block."""
    lines = base_vtt.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    header, _, body = lines.partition("\n\n")
    if header.split("\n")[0].split(" ")[0].split("\t")[0] != _HEADER:
        raise NotWebVtt("the captions do not begin with WEBVTT")
    return body.strip("\n") + "\n" if body.strip() else ""
