"""One person's video by the sliver, beside what most do: lay a card over and code all again.

`make bench-personalise ROUNDS=5 N=8 PEER= SECONDS=60 HEIGHT=1080 KEEP=folder`. Two films, a busy
one and the local studio's talking figure; the first 4 s are one person's. Side by side in one run,
alternating; ratios of medians, with the spread, since seconds mean nothing on another machine. KEEP
holds the films for the next run. The peer is given its card and its voice; drawing them is in our
time.
"""

import io
import multiprocessing
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
from PIL import Image, ImageDraw

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import likeness
from config.lib import content_signer, mp4, provenance, speech
from config.lib.picture import Picture
from integrations.video import studio
from videos import compositing, originals
from videos.compositing import BaseVideo, Composite, NameCard, Part, Stage

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
ROUNDS, N = int(os.environ.get("ROUNDS", "5")), int(os.environ.get("N", "8"))
SECONDS, HEIGHT = int(os.environ.get("SECONDS", "60")), int(os.environ.get("HEIGHT", "1080"))
SOURCES = os.environ.get("SOURCES", "busy,talking").split(",")
KEEP = os.environ.get("KEEP", "")
# How many the peer codes in one go of the batch. It costs the same for each, so where N of them
# take hours, fewer tell its pace: then ROUNDS goes of so many, and what is compared is one video.
PEER = int(os.environ.get("PEER") or N)
WIDTH = HEIGHT * 16 // 9
SLOT_SECONDS, LOOKED_AT = 4.0, 10
# The same preset and quality as ours.
PRESET, CRF = "veryfast", 23
WORDS = "Spring is here, and the boats are back on the lake. We kept a room with a view for all. "
GOALS = {"busy": 15, "talking": 40}
# As long as a real one: a year, a maker, two actions.
MANIFEST: dict[str, object] = {
    "claim_generator_info": [{"name": "Sealcast", "version": "0.1.0"}],
    "format": provenance.FORMAT,
    "assertions": [
        {
            "label": "c2pa.actions.v2",
            "data": {
                "actions": [
                    {"action": "c2pa.created", "digitalSourceType": provenance.GENERATED},
                    {
                        "action": "c2pa.edited",
                        "digitalSourceType": provenance.COMPOSITE,
                        "softwareAgent": {"name": "Sealcast", "version": "0.1.0"},
                        "when": "2026-11-26T00:00:00+00:00",
                    },
                ]
            },
        }
    ],
}
SIGNER = content_signer.parse(content_signer.generate(at=datetime(2026, 11, 26, tzinfo=UTC)))
Spent = tuple[float, float]


@dataclass(frozen=True)
class Source:
    """A film to personalise, and where it lies for the peer."""

    name: str
    path: Path
    base: BaseVideo


def film(name: str, folder: Path) -> Source:
    path = folder / f"{name}-{HEIGHT}-{SECONDS}.mp4"
    if not path.exists():
        print(f"making the {name} film ...", flush=True)
        _make_busy(path) if name == "busy" else path.write_bytes(_talking())
    return Source(name, path, BaseVideo(path.read_bytes(), [(0.0, SLOT_SECONDS)], "en"))


def _make_busy(path: Path) -> None:
    """Coded as a vendor would: B-frames, groups of two seconds."""
    picture = f"testsrc2=s={WIDTH}x{HEIGHT}:r=30,noise=alls=6:allf=t"
    command = [FFMPEG, "-v", "error", "-f", "lavfi", "-i", picture]
    command += ["-f", "lavfi", "-i", "sine=f=220:r=48000", "-t", str(SECONDS), "-ac", "1"]
    command += ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "veryfast", "-crf", "23"]
    subprocess.run([*command, "-g", "60", "-c:a", "aac", "-b:a", "96k", str(path)], check=True)


def _talking() -> bytes:
    # About two and a half words a second.
    words = WORDS * max(1, round((SECONDS - SLOT_SECONDS) / 7))
    items: list[studio.Slot | studio.Speech] = [
        studio.Slot("s1", SLOT_SECONDS),
        studio.Speech(words),
    ]
    return studio.produce(
        request=studio.StudioRequest(language="en", items=items, width=WIDTH, height=HEIGHT)
    ).data


def parts(number: int = 0) -> list[Part]:
    name = f"Ada Lovelace {number}"
    spoken = speech.speak(text=f"Hello {name}, this is for you.", language="en")
    return [Part(NameCard(name, "Northwind"), spoken)]


def prepare_peer(folder: Path) -> None:
    card = Image.new("RGBA", (int(WIDTH * 0.53) & ~1, int(HEIGHT * 0.4) & ~1), (13, 14, 40, 176))
    ImageDraw.Draw(card).text((60, 60), "Ada Lovelace", fill="white", font_size=HEIGHT // 12)
    card.save(folder / "card.png")
    voice = parts()[0].spoken
    with wave.open(str(folder / "voice.wav"), "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(voice.sample_rate_hz)
        target.writeframes((voice.samples * 32_767).astype("<i2").tobytes())


def peer_inputs(source: Source, folder: Path) -> list[str]:
    card = [
        "-loop",
        "1",
        "-framerate",
        "30",
        "-t",
        str(SLOT_SECONDS),
        "-i",
        str(folder / "card.png"),
    ]
    return ["-i", str(source.path), *card, "-i", str(folder / "voice.wav")]


def peer_filter() -> str:
    fades = "fade=in:st=0.15:d=0.5:alpha=1,fade=out:st=3.4:d=0.45:alpha=1"
    laid = f"[0:v][c]overlay={int(WIDTH * 0.42)}:{int(HEIGHT * 0.26)}:eof_action=pass"
    return f"[1]{fades}[c];{laid}"


def peer(source: Source, folder: Path, target: Path) -> None:
    mixed = "[0:a][2:a]amix=inputs=2:duration=first:normalize=0[a]"
    command = [FFMPEG, "-v", "error", "-y", *peer_inputs(source, folder)]
    command += ["-filter_complex", f"{peer_filter()}[v];{mixed}", "-map", "[v]", "-map", "[a]"]
    command += ["-c:v", "libx264", "-preset", PRESET, "-crf", str(CRF), "-pix_fmt", "yuv420p"]
    command += ["-c:a", "aac", "-b:a", "80k", "-movflags", "+faststart", str(target)]
    subprocess.run(command, check=True)


def marked(made: Composite) -> bytes:
    """Return what is stored for one person: the head with its signed mark."""
    return provenance.sign(head=made.head, tail=made.tail, manifest=MANIFEST, signer=SIGNER)


def spent(act: Callable[[], object]) -> Spent:
    """Return the seconds and the seconds of processor that an act takes, children included."""

    def processor() -> float:
        both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return sum(one.ru_utime + one.ru_stime for one in both)

    cpu, began = processor(), time.perf_counter()
    act()
    return time.perf_counter() - began, processor() - cpu


def likeness_of_ours(stage: Stage, data: bytes) -> float:
    """Compare with the card on the base's pictures as they decode, before we make them still."""
    video, run = stage.tracks[0], stage.takes[0].run
    decoded = tuple(originals.pictures(video=video, run=run, language=stage.base.language))
    right = list(replace(stage, pictures=(decoded,)).drawn(parts=parts())[0])
    return _alike(right[::LOOKED_AT], _first(data, len(right)))


def likeness_of_peer(source: Source, folder: Path, target: Path) -> float:
    count = int(SLOT_SECONDS * 30)
    graph = f"{peer_filter()},select=not(mod(n\\,{LOOKED_AT})),format=yuv420p[v]"
    command = [FFMPEG, "-v", "error", *peer_inputs(source, folder), "-filter_complex", graph]
    command += ["-map", "[v]", "-frames:v", str(count // LOOKED_AT), "-fps_mode", "passthrough"]
    raw = subprocess.run([*command, "-f", "rawvideo", "-"], check=True, capture_output=True).stdout
    right = np.frombuffer(raw, np.uint8).reshape(-1, HEIGHT * 3 // 2, WIDTH)
    return _alike(list(right), _first(target.read_bytes(), count))


def _first(data: bytes, count: int) -> list[Picture]:
    with av.open(io.BytesIO(data), "r") as container:
        frames = zip(range(count), container.decode(video=0), strict=False)
        return [np.asarray(f.to_ndarray(), np.uint8) for i, f in frames if i % LOOKED_AT == 0]


def _alike(right: list[Picture], found: list[Picture]) -> float:
    pairs = zip(right, found, strict=True)
    return float(np.mean([likeness.ssim(b[:HEIGHT], a[:HEIGHT]) for a, b in pairs]))


def one_by_one(source: Source, folder: Path) -> None:
    """The first rows: one person, and bytes a person."""
    began = time.perf_counter()
    stage = compositing.prepare(base=source.base)
    prepared = time.perf_counter() - began
    target = folder / "peer.mp4"
    made = stage.personalise(parts=parts())
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours += [spent(lambda: stage.personalise(parts=parts())) for _ in range(3)]
        theirs.append(spent(lambda: peer(source, folder, target)))
    print(
        f"\n{source.name}: {len(source.base.data) / 1e6:.1f} MB, prepared once in {prepared:.1f} s"
    )
    _row("wall", [one[0] for one in ours], [one[0] for one in theirs])
    _row("CPU", [one[1] for one in ours], [one[1] for one in theirs])
    alike = likeness_of_ours(stage, made.data), likeness_of_peer(source, folder, target)
    print(f"  likeness of the first 4 s (SSIM)  ours {alike[0]:.4f}  peer {alike[1]:.4f}")
    whole = target.stat().st_size
    own, all_of_it = len(marked(made)), len(marked(made)) + len(made.tail)
    shares = all_of_it / own, whole / own
    index = len(mp4.read(data=made.data)[0].samples)
    print(
        f"  bytes a person, mark included  ours {own:,} (mark {own - len(made.head):,}; "
        f"{index:,} pictures indexed)  whole file {all_of_it:,}: "
        f"1/{shares[0]:.1f} (of the peer's file 1/{shares[1]:.1f}), goal 1/{GOALS[source.name]}"
    )


def _row(what: str, ours: list[float], theirs: list[float]) -> None:
    ratio = statistics.median(theirs) / statistics.median(ours)
    print(
        f"  {what:<5} peer {_spread(theirs)}  ours {_spread(ours)}  {ratio:.1f}x "
        f"[{min(theirs) / max(ours):.1f}-{max(theirs) / min(ours):.1f}], goal 30x"
    )


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} s [{min(values):.2f}-{max(values):.2f}]"


def batch(source: Source, folder: Path) -> None:
    """N people over all cores, beside as many processes of ffmpeg; a video's share of each."""
    cores = os.cpu_count() or 1
    targets = [folder / f"peer-{number}.mp4" for number in range(PEER)]

    def theirs() -> None:
        with ThreadPoolExecutor(cores) as pool:
            list(pool.map(lambda target: peer(source, folder, target), targets))

    def ours() -> None:
        with multiprocessing.get_context("fork").Pool(cores, _begin, [source]) as pool:
            list(pool.imap_unordered(_one, range(N)))
            pool.close()
            pool.join()

    made = spent(ours)
    goes = [spent(theirs) for _ in range(1 if PEER == N else ROUNDS)]
    print(f"\n{source.name}, N={N} over {cores} cores, each process preparing its own stage;")
    print(f"{len(goes)} goes of the peer of {PEER} each, and a video's share of all")
    for index, what in enumerate(("wall", "CPU")):
        one, others = made[index] / N, [go[index] / PEER for go in goes]
        ratio = statistics.median(others) / one
        spread = f"[{min(others) / one:.1f}-{max(others) / one:.1f}]"
        print(
            f"  {what:<5} peer {_spread(others)}  ours {one:.2f} s ({made[index]:.1f} s for all)  "
            f"{ratio:.1f}x {spread}, goal 30x"
        )


_stage: list[Stage] = []


def _begin(source: Source) -> None:
    _stage[:] = [compositing.prepare(base=source.base)]


def _one(number: int) -> int:
    return len(_stage[0].personalise(parts=parts(number)).head)


def _folders() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="sealcast-bench-") as folder:
        yield Path(folder)


def main() -> None:
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, {platform.machine()}, load {load:.1f}; medians of {ROUNDS}")
    for folder in _folders():
        kept = Path(KEEP) if KEEP else folder
        prepare_peer(folder)
        sources = [film(name, kept) for name in SOURCES]
        for source in sources:
            one_by_one(source, folder)
        if N:
            batch(sources[-1], folder)


if __name__ == "__main__":
    main()
