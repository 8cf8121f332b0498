"""How long is it from the click to the first frame, sealed beside plain? In a real Chromium.

`make bench-play NGINX_PATH=/path/to/nginx ROUNDS=7 ENGINE=`. On the page of a fresh link the button
is pressed: the play is counted, the page of the video comes, its first range is authorised and
opened. In turn, on a page of nginx a button starts the same film as a plain file, which asks for
nothing else. Both over TLS 1.3, each time in a new profile; medians, and how far they lie apart.
"""

import os
import statistics
import subprocess
import sys
from pathlib import Path

import imageio_ffmpeg
from django.core.management import call_command
from playwright.sync_api import Browser, sync_playwright

from benchmarks import serve  # sets Django up
from retention.management.commands.serve import web_command
from tests.browser import FLAGS, ROOT

ROUNDS, GOAL = int(os.environ.get("ROUNDS", "7")), 1.3
HEAD_BYTES = 2_000_000
# A click of the script is not a gesture of a person, which Chromium asks for before sound.
PLAYS = "--autoplay-policy=no-user-gesture-required"
CLICK = """() => new Promise((done) => {
  const began = performance.now();
  const look = () => {
    const video = document.querySelector("video");
    if (!video) return requestAnimationFrame(look);
    video.requestVideoFrameCallback(() => done(performance.now() - began));
  };
  document.querySelector("button").click();
  look();
})"""
PAGE = """<!doctype html><title>plain</title><main><button>Play</button></main><script>
document.querySelector("button").addEventListener("click", () => {{
  document.querySelector("main").innerHTML = '<video controls playsinline src="{address}"></video>';
  document.querySelector("video").play();
}});
</script>"""


def film() -> bytes:
    """Twenty seconds of a busy picture, its index in front, as ours are made."""
    target = Path(os.environ["SEALCAST_HOME"], "film.mp4")
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i"]
    command += ["testsrc2=s=1280x720:r=30,noise=alls=6:allf=t", "-f", "lavfi", "-i", "sine=f=220"]
    command += ["-t", "20", "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast"]
    command += ["-crf", "23", "-c:a", "aac", "-movflags", "+faststart", str(target)]
    subprocess.run(command, check=True)
    return target.read_bytes()


def milliseconds(browser: Browser, address: str) -> float:
    context = browser.new_context(ignore_https_errors=True)
    try:
        page = context.new_page()
        page.goto(address, wait_until="networkidle")
        return float(page.evaluate(CLICK))
    finally:
        context.close()


def links(data: bytes) -> list[str]:
    made = [serve.sealed(data, head_bytes=HEAD_BYTES, number=n) for n in range(ROUNDS + 1)]
    return [f"https://127.0.0.1:{serve.OURS}/v/{token}" for _, token in made]


def measure(addresses: list[str], plain: str) -> tuple[list[float], list[float]]:
    found = subprocess.run(
        [ROOT / ".ci/ensure-browser"], check=True, capture_output=True, text=True
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found.stdout.strip(), args=[*FLAGS, PLAYS]
        )
        # The first of each wakes the server and the browser.
        pairs = [
            (milliseconds(browser, ours), milliseconds(browser, plain) if plain else 0.0)
            for ours in addresses
        ][1:]
        browser.close()
    return [one[0] for one in pairs], [one[1] for one in pairs]


def main() -> int:
    data = film()
    call_command("collectstatic", verbosity=0, interactive=False)
    with serve.grounds() as folder:
        (folder / "video.mp4").write_bytes(data)
        page = PAGE.format(address=serve.signed("/video.mp4"))
        (folder / "index.html").write_text(page)
        command, addresses = serve.nginx_command(folder), links(data)
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {ROUNDS} rounds, Chromium")
        with serve.running(web_command("127.0.0.1", serve.OURS), serve.OURS):
            if command is None:
                ours, _ = measure(addresses, "")
                print(f"first frame  ours {serve.told(ours)} ms")
                return 0
            plain = f"https://127.0.0.1:{serve.THEIRS}{serve.signed('/index.html')}"
            with serve.running(command, serve.THEIRS):
                ours, theirs = measure(addresses, plain)
    ratio = statistics.median(ours) / statistics.median(theirs)
    each = [a / b for a, b in zip(ours, theirs, strict=True)]
    print(f"first frame  ours {serve.told(ours)} ms, nginx {serve.told(theirs)} ms")
    print(
        f"first frame  ours / nginx: {ratio:.2f}x [{min(each):.2f}-{max(each):.2f}], goal {GOAL}x"
    )
    return int(ratio > GOAL)


if __name__ == "__main__":
    sys.exit(main())
