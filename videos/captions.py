"""What does one person read under the video, and can a name break the captions?"""

import re
from collections.abc import Sequence

from config.lib import picture, webvtt
from videos.splices import Slots

_HEADER = "WEBVTT"
_TIMES = re.compile(r"^(?:(\d+):)?(\d\d):(\d\d\.\d{3})[ \t]+-->", re.MULTILINE)
# Above the picture's lower third, so that both cues of the slot can be read.
_AT_TOP = "line:0"


class NotWebVtt(Exception):
    """The base captions do not begin as WebVTT must."""


def for_person(*, base_vtt: str, slots: Slots, lines: Sequence[str], language: str = "en") -> str:
    """Put what a person hears in each slot, and the AI disclosure, among everybody's captions.

    Whatever stands in a line stays text: it cannot end its cue, open a tag or start another
    cue. A line with nothing to show gives no cue; the disclosure stands in the first slot.

    :raises NotWebVtt: the base captions are not WebVTT.
    """
    blocks = _blocks(base_vtt)
    for (start, end), line in reversed(list(zip(slots, lines, strict=True))):
        place = next((i for i, block in enumerate(blocks) if _start(block) >= start), len(blocks))
        if webvtt.escape(line):
            blocks.insert(place, webvtt.cue(start_seconds=start, end_seconds=end, text=line))
    start, end = slots[0]
    disclosure = picture.ai_label_text(language=language)
    blocks.insert(
        1 if webvtt.escape(lines[0]) else 0,
        webvtt.cue(start_seconds=start, end_seconds=end, text=disclosure, settings=_AT_TOP),
    )
    return f"{_HEADER}\n\n{''.join(blocks).rstrip()}\n"


def _blocks(base_vtt: str) -> list[str]:
    """Take a caption file apart, without its header block; a blank line ends each block."""
    lines = base_vtt.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    header, _, body = lines.partition("\n\n")
    if header.split("\n")[0].split(" ")[0].split("\t")[0] != _HEADER:
        raise NotWebVtt("the captions do not begin with WEBVTT")
    return [f"{block.strip(chr(10))}\n\n" for block in body.split("\n\n") if block.strip()]


def _start(block: str) -> float:
    """Say when a cue begins, in seconds; what is no cue stands before all others."""
    found = _TIMES.search(block)
    if not found:
        return -1.0
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds
