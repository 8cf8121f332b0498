"""Is each personalised video whole, and can a seam be seen or heard?

`make prove-video SEED=1 CASES=24`: films of many sizes, rates, group lengths and kinds of frames,
made by ffmpeg, with slots at places drawn by lot. Each is personalised and then asked: does every
frame decode, are frames and duration the base's, is the sound in step across each splice, do the
frames at each seam look as after a full re-encode?
"""

import io
import os
import random
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import likeness
from config.lib import encoding, speech
from config.lib.picture import Picture
from videos import compositing, greetings
from videos.compositing import BaseVideo, Composite, NameCard, Part, Stage

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
SIZES = ["320x180", "426x240", "640x360", "1280x720", "1920x1080"]
RATES = ["25", "30000/1001", "30", "60", "24000/1001"]
GROUPS = [12, 50, 250]
# What is between the frames that stand alone; the last has groups that lean on the one before.
KINDS = ["bframes=0", "bframes=3", "bframes=3:b-pyramid=normal", "bframes=2:open-gop=1"]
SOUNDS = [(48_000, 1), (44_100, 2), (48_000, 2)]
PICTURES = ["testsrc2", "mandelbrot", "gradients=speed=0.02", "testsrc"]
NAMES = ["Ada Lovelace", "محمد بن عبد الله", "王小明", "שרה כהן", "राजेश कुमार", "Zoë 👩🏽\u200d🚀"]
IN_STEP_SECONDS = 0.020
# How much less alike to the truth a frame at a seam may be than after a full re-encode.
SEAM_LOSS = 0.01
# What the studio's own films are coded with.
RE_ENCODE_QUALITY = 23
SECONDS = 9.0


@dataclass(frozen=True)
class Case:
    """One film, its slots and the person."""

    size: str
    rate: str
    group: int
    kind: str
    sound: tuple[int, int]
    picture: str
    slots: tuple[tuple[float, float], ...]
    name: str
    seed: int


@dataclass(frozen=True)
class Outcome:
    """What was seen of one case; `faults` is empty when it is whole."""

    faults: list[str]
    worst_lag_ms: float
    worst_seam: float
    own_share: float


def cases(*, seed: int, count: int) -> Iterator[Case]:
    """Draw cases: each value of each list comes up in turn, their combinations by lot."""
    lot = random.Random(seed)
    for number in range(count):
        first = round(lot.uniform(1.2, 2.5), 2)
        second = round(first + lot.uniform(0.7, 2.2), 2)
        third = round(second + lot.uniform(1.0, 2.0), 2)
        yield Case(
            # The largest takes seconds: one in ten.
            SIZES[(0, 1, 2, 0, 3, 0, 1, 2, 0, 4)[number % 10]],
            RATES[number % len(RATES)],
            lot.choice(GROUPS),
            KINDS[number % len(KINDS)],
            lot.choice(SOUNDS),
            lot.choice(PICTURES),
            ((0.0, first), (second, third)),
            NAMES[number % len(NAMES)],
            seed * 1000 + number,
        )


def examine(case: Case) -> Outcome:
    """Make a film, personalise it and look for whatever is not whole."""
    base = BaseVideo(film(case), case.slots, "en")
    stage = compositing.prepare(base=base)
    parts = [_part(case.name, "Hello"), _part(f"{case.name}, see you", "See you soon")]
    made = stage.personalise(parts=parts)
    if complaints := _complaints(made):
        return Outcome(complaints, 0.0, 0.0, 1.0)
    truth, faults = _truth(stage, parts), _counts(base, made)
    before, after = _sound(base.data), _sound(made.data)
    lag_ms, deaf = _lags(case, stage, parts, before, after)
    pictures = _pictures(made.data)
    if len(pictures) != len(truth):
        return Outcome([*faults, "another number of frames"], lag_ms, 0.0, 1.0)
    faults += deaf + _altered(stage, truth, pictures)
    seam = min(_seams(stage, truth, pictures))
    if seam < -SEAM_LOSS:
        faults.append(f"a seam is {-seam:.3f} less alike than a re-encode")
    return Outcome(faults, lag_ms, seam, len(made.head) / len(made.data))


def film(case: Case) -> bytes:
    """Make a film whose sound is noise, and rests in the slots."""
    with tempfile.TemporaryDirectory() as folder:
        sound, target = Path(folder) / "sound.wav", Path(folder) / "film.mp4"
        _write_noise(sound, case)
        join = ":" if "=" in case.picture else "="
        picture = f"{case.picture}{join}s={case.size}:r={case.rate}"
        command = [FFMPEG, "-v", "error", "-f", "lavfi", "-i", picture, "-i", str(sound)]
        command += ["-t", str(SECONDS), "-pix_fmt", "yuv420p", "-c:v", "libx264", "-crf", "20"]
        command += ["-preset", "veryfast", "-g", str(case.group), "-x264-params", case.kind]
        command += ["-c:a", "aac", "-b:a", "96k", "-movflags", "+faststart", str(target)]
        subprocess.run(command, check=True)
        return target.read_bytes()


def _write_noise(path: Path, case: Case) -> None:
    rate, channels = case.sound
    lot = np.random.default_rng(case.seed)
    noise = lot.uniform(-0.3, 0.3, (int(SECONDS * rate), channels))
    for start, end in case.slots:
        noise[int(start * rate) : int(end * rate)] = 0
    with wave.open(str(path), "wb") as target:
        target.setnchannels(channels)
        target.setsampwidth(2)
        target.setframerate(rate)
        target.writeframes((noise * 32_767).astype("<i2").tobytes())


def _part(shown: str, spoken: str) -> Part:
    return Part(NameCard(shown, "Northwind"), speech.speak(text=spoken, language="en"))


def _complaints(made: Composite) -> list[str]:
    with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        file.write(made.data)
        file.flush()
        command = [FFMPEG, "-v", "error", "-xerror", "-i", file.name, "-f", "null", "-"]
        outcome = subprocess.run(command, capture_output=True, check=False)
    said = outcome.stderr.decode(errors="replace").strip()[:200]
    return [f"ffmpeg: {said or outcome.returncode}"] if said or outcome.returncode else []


def _counts(base: BaseVideo, made: Composite) -> list[str]:
    old, new = (compositing.probe(data=data) for data in (base.data, made.data))
    facts = ("frame_count", "duration_seconds", "audio_seconds", "width", "height")
    return [f"another {fact}" for fact in facts if getattr(old, fact) != getattr(new, fact)]


def _pictures(data: bytes) -> list[Picture]:
    with av.open(io.BytesIO(data), "r") as container:
        return [np.asarray(f.to_ndarray(), np.uint8) for f in container.decode(video=0)]


def _sound(data: bytes) -> NDArray[np.float32]:
    with av.open(io.BytesIO(data), "r") as container:
        return np.concatenate([f.to_ndarray()[0] for f in container.decode(audio=0)])


def _truth(stage: Stage, parts: list[Part]) -> list[Picture]:
    """The pictures as they should be seen, before any loss."""
    truth = _pictures(stage.base.data)
    for take, drawn in zip(stage.takes, stage.drawn(parts=parts), strict=True):
        truth[take.run[0] : take.run[1]] = list(drawn)
    return truth


def _altered(stage: Stage, truth: list[Picture], pictures: list[Picture]) -> list[str]:
    """What lies outside the takes must be the base's own, pixel by pixel."""
    own = {index for take in stage.takes for index in range(*take.run)}
    outside = (index for index in range(len(truth)) if index not in own)
    wrong = [index for index in outside if not np.array_equal(truth[index], pictures[index])]
    return [f"{len(wrong)} frames outside the slots are altered, first {wrong[0]}"] if wrong else []


def _seams(stage: Stage, truth: list[Picture], pictures: list[Picture]) -> Iterator[float]:
    """Compare frames at the seams with the truth, less how alike a full re-encode is to it."""
    settings = replace(stage.settings, quality=RE_ENCODE_QUALITY, is_hurried=False)
    coded = encoding.encode_pictures(
        pictures=truth, settings=settings, key_frames={0}, ticks_per_frame=1
    )
    again = _decoded(coded)
    height = stage.settings.height
    edges = {edge for take in stage.takes for edge in take.run}
    for edge in sorted(edges):
        for index in range(max(0, edge - 2), min(len(truth), edge + 2)):
            right = truth[index][:height]
            ours, full = pictures[index][:height], again[index][:height]
            yield likeness.ssim(ours, right) - likeness.ssim(full, right)


def _decoded(coded: encoding.Encoded) -> list[Picture]:
    codec = av.CodecContext.create("h264", "r")
    codec.extradata, codec.thread_count = coded.setup, 1
    frames = [frame for sample in coded.samples for frame in codec.decode(av.Packet(sample.data))]
    return [np.asarray(frame.to_ndarray(), np.uint8) for frame in [*frames, *codec.decode(None)]]


def _lags(
    case: Case,
    stage: Stage,
    parts: list[Part],
    before: NDArray[np.float32],
    after: NDArray[np.float32],
) -> tuple[float, list[str]]:
    """Cross-correlate half a second on both sides of each splice, and each voice with its place."""
    if len(before) != len(after):
        return 0.0, ["another length of sound"]
    rate, faults, worst = case.sound[0], [], 0.0
    half = rate // 2
    for start, end in case.slots:
        for edge in (round(start * rate), round(end * rate)):
            near = slice(max(0, edge - half), edge + half)
            worst = max(worst, abs(likeness.lag_samples(before[near], after[near])) / rate)
    for (start, _), slot, part in zip(case.slots, stage.slots, parts, strict=True):
        spoken = greetings.fitted(greeting=part.spoken, slot_seconds=slot.seconds, rate_hz=rate)
        first = round((start + greetings.LEAD_SECONDS) * rate)
        worst = max(
            worst, abs(likeness.lag_samples(spoken, after[first : first + len(spoken)])) / rate
        )
    if worst > IN_STEP_SECONDS:
        faults.append(f"the sound is {worst * 1000:.1f} ms out of step")
    return worst * 1000, faults


def main() -> int:
    seed, count = int(os.environ.get("SEED", "1")), int(os.environ.get("CASES", "24"))
    began, bad = time.perf_counter(), 0
    worst_lag, worst_seam = 0.0, 1.0
    for number, case in enumerate(cases(seed=seed, count=count), 1):
        outcome = examine(case)
        bad += bool(outcome.faults)
        worst_lag = max(worst_lag, outcome.worst_lag_ms)
        worst_seam = min(worst_seam, outcome.worst_seam)
        rate, channels = case.sound
        print(
            f"{number:3} {case.size:>9} {case.rate:>10}/s group {case.group:>3} {case.kind:<27} "
            f"{rate} Hz x{channels} {case.picture.partition('=')[0]:<9} seam "
            f"{outcome.worst_seam:+.4f} lag {outcome.worst_lag_ms:.2f} ms own "
            f"{outcome.own_share:4.0%} {'; '.join(outcome.faults) or 'whole'}",
            flush=True,
        )
    print(
        f"\n{count - bad} of {count} are whole (seed {seed}, {time.perf_counter() - began:.0f} s); "
        f"worst lag {worst_lag:.2f} ms, worst seam {worst_seam:+.4f} SSIM against a re-encode"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
