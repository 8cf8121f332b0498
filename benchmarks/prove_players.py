"""Does a person's video play, seek and show its captions in each browser? On the real page.

`make prove-players ONLY=Firefox SHOTS=folder ENGINE=`. The production server serves the links of a
campaign that was made, personalised and sent as any other. In Chromium, Firefox and WebKitGTK, on
a page as wide as a phone, the button is pressed; the film runs over its first splice, is sought to
its middle, to both sides of each splice and to its end, and played again. What the browser itself
says it showed is compared. Then once more without scripts, where two pictures must differ.
"""

import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
from django.core.management import call_command
from PIL import Image

PORT = 8745
ORIGIN = f"https://127.0.0.1:{PORT}"
# Links are made for https, with cookies as in production.
os.environ["SEALCAST_PUBLIC_URL"] = ORIGIN

from benchmarks import browsers, serve  # sets Django up
from benchmarks.browsers import Missing, Page

Opened = Callable[..., AbstractContextManager[Page]]
BROWSERS: dict[str, Opened] = {
    "Chromium": browsers.chromium,
    "Firefox": browsers.firefox,
    "WebKitGTK": browsers.webkit,
}

from accounts import audit
from config.lib import clock
from integrations.models import SandboxMessage
from retention.management.commands.serve import web_command
from tests.journeys import real
from tests.videos import stage
from videos import base_media, campaigns, compositing, vault
from videos.models import Asset, Render

SAME_SECONDS, BESIDE_SECONDS, BEFORE_END_SECONDS = 0.05, 0.15, 0.5
# Of the pictures' points; a film that stands changes none.
CHANGED = 0.0002
# The player of WebKitGTK is made of scripts: without them only a link plays the film.
START = {"WebKitGTK": "noscript a"}
# Each of these runs in the page. Frames are counted where the browser shows them.
FRAMES = """
const seen = [], video = document.querySelector("video");
const shown = (count) => new Promise((done, failed) => {
  setTimeout(() => failed(`${seen.length} frames in 15 s, the last of ${seen.at(-1)} s, ` +
    `at ${video.currentTime} s, error ${video.error?.code}`), 15000);
  const look = (_, frame) => {
    seen.push(frame.mediaTime);
    if (seen.length >= count) done(seen); else video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
});
"""
PLAYED = """const until = arguments[0];
return new Promise((done, failed) => {
  const began = performance.now();
  const look = () => {
    const video = document.querySelector("video"), at = video?.currentTime ?? 0;
    const frames = video?.getVideoPlaybackQuality().totalVideoFrames ?? 0;
    if (at > until && frames > 20 * until) return done(frames);
    if (performance.now() - began > 30000) return failed(`${frames} frames until ${at} s`);
    setTimeout(look, 50);
  };
  look();
});"""
SOUGHT = f"""{FRAMES}
const began = performance.now(), to = arguments[0];
const there = new Promise((done) => video.addEventListener("seeked", done, {{ once: true }}));
video.currentTime = to;
await there;
// Not awaited: WebKitGTK shows frames, and does not say that it plays.
video.play().catch(() => null);
await shown(5);
return [performance.now() - began, seen[0] - to, seen[4] - seen[0]];"""
ENDED = """const video = document.querySelector("video");
return new Promise((done, failed) => {
  setTimeout(() => failed(`it stands at ${video.currentTime} s`), 15000);
  if (video.ended) done(video.currentTime);
  video.addEventListener("ended", () => done(video.currentTime), { once: true });
});"""
AGAIN = f"""{FRAMES}
// Not awaited: WebKitGTK shows frames, and does not say that it plays.
video.play().catch(() => null);
await shown(5);
return seen;"""
CAPTIONS = """const video = document.querySelector("video"), track = video.textTracks[0];
const there = new Promise((done) => video.addEventListener("seeked", done, { once: true }));
video.pause();
video.currentTime = arguments[0];
await there;
await new Promise((done) => setTimeout(done, 300));
return [track.mode, [...(track.activeCues ?? [])].map((cue) => cue.text).join(" ")];"""
STATE = """const video = document.querySelector("video");
return [video.duration, video.videoWidth, video.videoHeight, video.error?.message ?? null];"""
WIDTHS = "return [document.documentElement.scrollWidth, innerWidth];"


class Failed(Exception):
    """A browser did not do what it must."""


@dataclass(frozen=True)
class Film:
    """What everybody's film is; where it is spliced, and where it names a person, in seconds."""

    seconds: float
    size: tuple[int, int]
    splices: tuple[float, ...]
    named: tuple[float, ...]


Look = Iterator[tuple[str, Callable[[], str]]]


def sent(count: int) -> tuple[Film, list[str]]:
    """Send a film with two slots to so many people; return it and the links on their phones."""
    now, made = clock.now(), real.draft(text=real.TWO_SLOTS)
    for number in range(count):
        email, phone = f"v{number}@example.org", f"+120255501{number:02d}"
        stage.agreed(stage.person(email=email, phone=phone, at=now), at=now)
    real.render(campaigns.start(campaign=made, at=clock.now(), actor=audit.SYSTEM))
    real.send(made)
    shown = SandboxMessage.objects.filter(direction="to_phone")
    texts = [str(one.content_sealed["text"]) for one in shown]
    return film(), [f"{ORIGIN}/v/" + text.partition("/v/")[2][:43] for text in texts]


def grainy(data: bytes) -> bytes:
    """Return a film with a camera's grain: larger than one piece of what is served."""
    with tempfile.TemporaryDirectory() as folder:
        plain, target = Path(folder, "plain.mp4"), Path(folder, "grainy.mp4")
        plain.write_bytes(data)
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(plain)]
        command += ["-vf", "noise=alls=8:allf=t", "-c:v", "libx264", "-preset", "ultrafast"]
        command += ["-crf", "27", "-g", "60", "-pix_fmt", "yuv420p", "-c:a", "copy"]
        subprocess.run([*command, "-movflags", "+faststart", str(target)], check=True)
        return target.read_bytes()


def with_grain() -> None:
    """Have the base video of this run be a grainy one."""
    seal = base_media.seal

    def sealed(*, delivery: base_media.Delivery, **others: Any) -> Any:
        return seal(delivery=replace(delivery, video=grainy(delivery.video)), **others)

    base_media.seal = sealed


def film() -> Film:
    render = Render.objects.select_related("base__key__parent").get()
    assert render.base is not None
    base = compositing.probe(data=vault.read(sealed_object=render.base, at=clock.now()))
    ends = base.duration_seconds
    keys = [number * base.duration_seconds / base.frame_count for number in base.key_frames]
    # From the last frame that stands alone before a slot to the first one after it.
    slots = [(start / 1000, end / 1000) for start, end in render.slots_ms]
    starts = {max(key for key in keys if key <= start + SAME_SECONDS) for start, _ in slots}
    stops = {min((k for k in keys if k >= end - SAME_SECONDS), default=ends) for _, end in slots}
    return Film(
        max(base.duration_seconds, base.audio_seconds),
        (base.width, base.height),
        tuple(sorted((starts | stops) - {0.0, ends})),
        tuple(start for start, _ in slots),
    )


def watched(page: Page, film: Film, address: str) -> Look:
    """Yield each thing that must hold, in the order in which a person would do it."""
    yield "page fits its width", lambda: _opened(page, address)
    yield "plays after one press", lambda: _played(page, film)
    yield "is the base's in length and size", lambda: _same(page, film)
    for at in film.named:
        yield f"names the person at {at:.1f} s", partial(_named, page, at)
    yield f"seeks to {film.seconds / 2:.2f} s", lambda: _sought(page, film.seconds / 2)
    for splice in film.splices:
        for at in (splice - BESIDE_SECONDS, splice + BESIDE_SECONDS):
            yield f"seeks to {at:.2f} s", partial(_sought, page, at)
    last = film.seconds - BEFORE_END_SECONDS
    yield f"seeks to {last:.2f} s", lambda: _sought(page, last)
    yield "comes to its end", lambda: _ended(page, film)
    yield "plays again", lambda: _again(page)
    yield "no complaint", lambda: _silent(page)


def _opened(page: Page, address: str) -> str:
    page.open(address)
    needs, has = page.run(WIDTHS)
    if needs > has:
        raise Failed(f"it needs {needs} of {has}")
    return f"{has} px"


def _played(page: Page, film: Film) -> str:
    page.press("form[data-play] button")
    return f"{page.run(PLAYED, film.splices[0] + 0.3)} frames"


def _same(page: Page, film: Film) -> str:
    seconds, wide, high, error = page.run(STATE)
    if error or (wide, high) != film.size or abs(seconds - film.seconds) > SAME_SECONDS:
        raise Failed(f"{seconds} s, {wide}x{high}, {error}")
    return f"{1000 * (seconds - film.seconds):+.0f} ms"


def _named(page: Page, at: float) -> str:
    mode, words = page.run(CAPTIONS, at + 0.5)
    if mode != "showing" or "Zoë Ångström" not in words:
        raise Failed(f"its captions are {mode}: {words!r}")
    return "captions show"


def _sought(page: Page, to: float) -> str:
    took_ms, off, ran = page.run(SOUGHT, to)
    if not -0.1 < off < 0.5 or not 0 < ran < 1:
        raise Failed(f"{off:+.2f} s away, five frames in {ran:.2f} s")
    return f"{took_ms:.0f} ms"


def _ended(page: Page, film: Film) -> str:
    at = float(page.run(ENDED))
    if abs(at - film.seconds) > SAME_SECONDS:
        raise Failed(f"it ended at {at:.2f} s")
    return f"{at:.2f} s"


def _again(page: Page) -> str:
    seen = page.run(AGAIN)
    # Of the last frame, which is still to be seen, a browser may tell once more.
    if min(seen) > 0.5 or seen[-1] > 1:
        raise Failed(f"from {seen[0]:.2f} s")
    return f"from {min(seen):.2f} s"


def _silent(page: Page) -> str:
    held = page.complaints()
    if held:
        raise Failed("; ".join(held)[:300])
    return "none"


def unscripted(page: Page, address: str) -> Look:
    yield "without scripts", lambda: _moved(page, address)


def _moved(page: Page, address: str) -> str:
    page.open(address)
    page.press("form[data-play] button")
    time.sleep(2)
    still = _moves(page)
    page.press(START.get(page.name, "video"))
    time.sleep(1)
    moved = _moves(page)
    # If it ran by itself, scripts were on, and the press would have stopped it.
    if still > CHANGED or moved < CHANGED:
        raise Failed(f"before the press {still:.2%} of the picture moved, after it {moved:.2%}")
    return f"{moved:.1%} of the picture moves"


def _moves(page: Page) -> float:
    before = page.picture()
    # The card stands still for as long.
    time.sleep(5)
    return changed(before, page.picture())


def changed(one: bytes, other: bytes) -> float:
    """Return which share of the points of two pictures differs so that it can be seen."""
    a, b = (
        np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), np.int16) for png in (one, other)
    )
    return float((np.abs(a - b).max(axis=2) > 24).mean())


def main() -> int:
    call_command("collectstatic", verbosity=0, interactive=False)
    wanted = [name for name in BROWSERS if os.environ.get("ONLY", name) == name]
    with_grain()
    film, links = sent(2 * len(wanted))
    megabytes = Asset.objects.all()[0].size_bytes / 1e6
    print(f"{megabytes:.1f} MB, {film}")
    found = True
    with serve.grounds(), serve.running(web_command("127.0.0.1", PORT), PORT):
        for name in wanted:
            found &= proved(name, film, links.pop(), links.pop())
    return int(not found)


def proved(name: str, film: Film, first: str, second: str) -> bool:
    try:
        with BROWSERS[name](scripts=True) as page:
            whole = told(watched(page, film, first), page)
        with BROWSERS[name](scripts=False) as page:
            return told(unscripted(page, second), page) and whole
    except Missing:
        print(f"{name}  NOT HERE. On Debian: apt-get install {browsers.PACKAGES[name]}")
        return False


def told(looks: Look, page: Page) -> bool:
    whole, name = True, f"{page.name} {page.version}"
    for number, (what, look) in enumerate(looks):
        try:
            word, says = "ok  ", look()
        except (Failed, RuntimeError) as fault:
            word, says, whole = "FAIL", str(fault), False
        print(f"{name:24} {word} {what:34} {says}", flush=True)
        if shots := os.environ.get("SHOTS"):
            place = f"{page.name}-{number:02d}-{what}".replace(" ", "_")
            Path(shots, f"{place}.png").write_bytes(page.picture())
    return whole


if __name__ == "__main__":
    sys.exit(main())
