"""Which bytes does a Range header ask for? (RFC 9110, section 14)"""

import re
from dataclasses import dataclass

# An open-ended request is answered by a piece, so that a slow phone holds no thread and little
# memory: a player asks for the next one by itself.
PIECE_BYTES = 1 << 20
OPEN_END = re.compile(r"^bytes=\d{1,18}-$")
# As many digits as a range may have: past the end of any video.
PAST_ANY_END = "9" * 18
ONE_RANGE = re.compile(r"^bytes=(\d{0,18})-(\d{0,18})$")


class Unsatisfiable(Exception):
    """No byte of the content, which has `size_bytes`, is in the range."""

    def __init__(self, size_bytes: int) -> None:
        super().__init__(size_bytes)
        self.size_bytes = size_bytes


@dataclass(frozen=True)
class Span:
    """The bytes from `start` up to but not including `end`, of `size_bytes`."""

    start: int
    end: int
    size_bytes: int
    partial: bool

    @property
    def length(self) -> int:
        return self.end - self.start

    @property
    def content_range(self) -> str:
        return f"bytes {self.start}-{self.end - 1}/{self.size_bytes}"


def meant(*, header: str, reads_on: bool) -> str:
    """Return what a Range header means of a player that may take a piece's end for the film's.

    GStreamer, in WebKitGTK, reads one answer to its end and asks for no next piece: it jumped to
    the end of the film there. It can be known by its asking for the notes of a radio station
    (`Icy-Metadata`), as do others that read on. Its open end is named for it.
    """
    return f"{header}{PAST_ANY_END}" if reads_on and OPEN_END.match(header) else header


def asked(*, header: str, size_bytes: int) -> Span:
    """Return the span a request asks for; what is not one plain range asks for everything.

    :raises Unsatisfiable: the range lies outside the content.
    """
    match = ONE_RANGE.match(header.strip().replace(" ", ""))
    if not match or match.groups() == ("", ""):
        return Span(0, size_bytes, size_bytes, partial=False)
    first, last = match.groups()
    if not first:
        start, end = max(0, size_bytes - int(last)), size_bytes
    elif not last:
        start, end = int(first), min(size_bytes, int(first) + PIECE_BYTES)
    else:
        start, end = int(first), min(size_bytes, int(last) + 1)
    # A last byte before the first is no range at all, so everything is asked for.
    if first and last and int(last) < int(first):
        return Span(0, size_bytes, size_bytes, partial=False)
    if start >= size_bytes or start >= end:
        raise Unsatisfiable(size_bytes)
    return Span(start, end, size_bytes, partial=True)
