"""Can a machine read in a video that AI made it, and that nobody changed it since? C2PA in MP4.

The manifest is a box after the first one, so that all of it lies in a person's head: the tail,
which everybody shares, keeps its bytes. Nothing here asks the network.
"""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import c2pa

from config.lib.content_signer import ContentSigner

FORMAT = "video/mp4"
# Sources as the IPTC names them; C2PA points there.
_SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
GENERATED = f"{_SOURCE}trainedAlgorithmicMedia"
CREATED = f"{_SOURCE}digitalCreation"
COMPOSITE = f"{_SOURCE}compositeWithTrainedAlgorithmicMedia"
_READ_AHEAD_BYTES = 1 << 20
_SETTINGS: Mapping[str, Mapping[str, object]] = {
    "core": {"allowed_network_hosts": []},
    "verify": {
        "verify_trust": True,
        # What is stored is read again, which proves more and costs it once.
        "verify_after_sign": False,
        "remote_manifest_fetch": False,
        "ocsp_fetch": False,
    },
    "builder": {"thumbnail": {"enabled": False}},
}

Read = Callable[[int, int], bytes]


class NotMarked(Exception):
    """The video carries no mark, one that does not fit its bytes, or one of somebody else."""


@dataclass(frozen=True)
class Mark:
    """What a machine reads: the manifest's own random name, and how the video came about."""

    name: str
    sources: tuple[str, ...]


class Parts(io.RawIOBase):
    """Several runs of bytes as one file that can be read and not written; nothing is joined."""

    def __init__(self, parts: Sequence[tuple[int, Read]]) -> None:
        super().__init__()
        self._parts = parts
        self._size = sum(size for size, _ in parts)
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def readinto(self, buffer: Any) -> int:
        target = memoryview(buffer)
        start, base = self._at, 0
        for size, read in self._parts:
            low, high = max(self._at - base, 0), min(start + len(target) - base, size)
            if low < high:
                place = self._at - start
                target[place : place + high - low] = read(low, high)
                self._at += high - low
            base += size
        return self._at - start


def sign(
    *, head: bytes, tail: bytes, manifest: Mapping[str, object], signer: ContentSigner
) -> bytes:
    """Return a head with a signed manifest over the whole file; the tail stays as it is.

    :raises NotMarked: the file cannot be signed, or its tail would not stay the same.
    """
    # Joined in memory: read in parts, the library takes twice as long.
    whole, signed = io.BytesIO(head + tail), io.BytesIO()
    info = c2pa.C2paSignerInfo(signer.algorithm.encode(), signer.chain, signer.key, None)
    try:
        # Made anew each time (0.2 ms): handles of the library do not survive a fork.
        with (
            c2pa.Context.from_dict(_SETTINGS) as context,
            c2pa.Signer.from_info(info) as key,
            c2pa.Builder(dict(manifest), context=context) as builder,
        ):
            builder.sign(key, FORMAT, whole, signed)
    except c2pa.C2paError as problem:
        raise NotMarked("the video cannot be signed") from problem
    with signed.getbuffer() as data:
        cut = len(data) - len(tail)
        if data[cut:] != tail:
            raise NotMarked("signing would change what everybody shares")
        return bytes(data[:cut])


def check(*, parts: Sequence[tuple[int, Read]], signer: ContentSigner) -> Mark:
    """Read a whole video and return its mark.

    :raises NotMarked: there is none, a byte differs, or another signer made it.
    """
    settings = {**_SETTINGS, "trust": {"trust_anchors": signer.anchor.decode()}}
    source = io.BufferedReader(Parts(parts), _READ_AHEAD_BYTES)
    try:
        with (
            c2pa.Context.from_dict(settings) as context,
            c2pa.Reader(FORMAT, source, context=context) as reader,
        ):
            state, found = reader.get_validation_state(), json.loads(reader.json())
    except c2pa.C2paError as problem:
        raise NotMarked("there is no mark in the video") from problem
    if state != "Trusted":
        raise NotMarked("the mark does not fit the video, or is not ours")
    return _mark(found)


def _mark(found: Mapping[str, Any]) -> Mark:
    name = str(found["active_manifest"])
    manifest = found["manifests"][name]
    sources = [
        action["digitalSourceType"]
        for assertion in manifest["assertions"]
        if assertion["label"].startswith("c2pa.actions")
        for action in assertion["data"]["actions"]
        if "digitalSourceType" in action
    ]
    return Mark(name, tuple(sources))
