"""How fast is a video sealed and stored, and which size of chunk serves best?

`make bench-seal`. Each round measures, one after the other, `openssl speed -evp aes-256-gcm`, our
stream at five sizes of chunk, and a random range of 5 KB at each; then the product's own way,
`videos.vault.store`, beside the same bytes sealed and put into the same folder plain. Medians with
the least and the most of ROUNDS. Exit status 1 below 0.7 of openssl at the chosen size.
"""

import io
import os
import platform
import random
import re
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from benchmarks import ground

ground.prepare("sqlite")

from django.conf import settings

from accounts import keys
from accounts.models import DataKey
from config.lib import clock, sealed_stream
from videos import vault

ROUNDS = int(os.environ.get("ROUNDS", "5"))
SIZE_BYTES = int(os.environ.get("MIB", "64")) << 20
SIZES = (16, 32, 64, 128, 256)
CHOSEN = sealed_stream.CHUNK_BYTES >> 10
RANGE_BYTES, RANGES = 5_000, 400
GOAL = 0.7
KEY, PLACE = bytes(range(32)), "videos_sealedobject:1"

Figures = dict[str, list[float]]


def openssl(kib: int) -> float:
    """Return what openssl says of itself for blocks of this size, in MB/s."""
    command = ["openssl", "speed", "-evp", "aes-256-gcm", "-bytes", str(kib << 10), "-seconds", "1"]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    found = re.search(r"([\d.]+)k\s*$", told.stdout.strip())
    if found is None:
        raise SystemExit("openssl speed said nothing that can be read")
    return float(found[1]) / 1000


def mb_per_cpu_second(act: Callable[[], object]) -> float:
    """Count the processor's time, as openssl speed does: other people's work must not count."""
    began = time.process_time()
    act()
    return SIZE_BYTES / (time.process_time() - began) / 1e6


def mb_per_second(act: Callable[[], object]) -> float:
    return SIZE_BYTES / ground.timed(act) / 1e6


def seal(data: bytes) -> None:
    for _ in sealed_stream.Sealer(key=KEY, source=io.BytesIO(data), context=PLACE):
        pass


def opener(sealed: bytes) -> sealed_stream.Opener:
    view = memoryview(sealed)
    return sealed_stream.Opener(
        key=KEY,
        read=lambda start, length: bytes(view[start : start + length]),
        size_bytes=SIZE_BYTES,
        context=PLACE,
    )


def range_microseconds(sealed: bytes) -> float:
    """Return what a range of 5 KB at a random place costs, its chunks opened whole."""
    luck, stream = random.Random(1), opener(sealed)
    places = [luck.randrange(SIZE_BYTES - RANGE_BYTES) for _ in range(RANGES)]
    began = time.process_time()
    for place in places:
        for _ in stream.range(place, place + RANGE_BYTES):
            pass
    return (time.process_time() - began) / RANGES * 1e6


def chunk_round(data: bytes, figures: Figures) -> None:
    for kib in SIZES:
        sealed_stream.CHUNK_BYTES = kib << 10
        figures[f"{kib} openssl"].append(openssl(kib))
        figures[f"{kib} seal"].append(mb_per_cpu_second(lambda: seal(data)))
        target = io.BytesIO()
        sealed_stream.seal(key=KEY, source=io.BytesIO(data), target=target, context=PLACE)
        sealed = target.getvalue()
        figures[f"{kib} open"].append(mb_per_cpu_second(opener(sealed).check))
        figures[f"{kib} range"].append(range_microseconds(sealed))
    sealed_stream.CHUNK_BYTES = CHOSEN << 10


def store_round(data: bytes, figures: Figures) -> None:
    now = clock.now()
    key = keys.create(scope=DataKey.Scope.CAMPAIGN, owner_id=uuid.uuid4(), at=now)
    source = io.BytesIO(data)
    figures["store"].append(mb_per_second(lambda: vault.store(key=key, data=source, at=now)))
    figures["plain"].append(mb_per_second(lambda: plain(data)))


def plain(data: bytes) -> None:
    """Put the same bytes into the same folder as they are, flushed as ours are."""
    path = Path(settings.MEDIA_ROOT, f"plain-{uuid.uuid4()}")
    with path.open("wb") as file:
        for start in range(0, len(data), 64 << 10):
            file.write(data[start : start + (64 << 10)])
        file.flush()
        os.fsync(file.fileno())
    path.unlink()


def told(values: list[float]) -> str:
    middle = statistics.median(values)
    return f"{middle:8,.0f} [{min(values):,.0f}-{max(values):,.0f}]"


def ratios(figures: Figures, ours: str, peer: str) -> list[float]:
    return [a / b for a, b in zip(figures[ours], figures[peer], strict=True)]


def main() -> int:
    data, figures = os.urandom(1 << 20) * (SIZE_BYTES >> 20), Figures()
    names = [f"{kib} {what}" for kib in SIZES for what in ("openssl", "seal", "open", "range")]
    figures.update({name: [] for name in (*names, "store", "plain")})
    for _ in range(ROUNDS):
        chunk_round(data, figures)
        store_round(data, figures)
    load = os.getloadavg()[0]
    print(f"{SIZE_BYTES >> 20} MiB, {ROUNDS} rounds, {os.cpu_count()} cores, load {load:.1f},")
    print(f"{platform.machine()}, {openssl_version()};")
    print("MB per second of processor (with fsync: of the clock), median [least-most]")
    print("chunk      openssl                 seal                    of openssl   5 KB range, us")
    for kib in SIZES:
        share = statistics.median(ratios(figures, f"{kib} seal", f"{kib} openssl"))
        line = (
            f"{told(figures[f'{kib} openssl']):<23} {told(figures[f'{kib} seal']):<23} {share:.2f}"
        )
        print(f"{kib:4d} KiB  {line}         {told(figures[f'{kib} range'])}")
    print(f"open at {CHOSEN} KiB        {told(figures[f'{CHOSEN} open'])}")
    print(f"seal and store (fsync)  {told(figures['store'])}")
    print(f"store plain (fsync)     {told(figures['plain'])}")
    print(f"seal and store / plain  {statistics.median(ratios(figures, 'store', 'plain')):.2f}")
    share = statistics.median(ratios(figures, f"{CHOSEN} seal", f"{CHOSEN} openssl"))
    print(f"sealing at {CHOSEN} KiB: {share:.2f} of openssl, goal {GOAL}")
    return int(share < GOAL)


def openssl_version() -> str:
    return subprocess.run(
        ["openssl", "version"], capture_output=True, text=True, check=True
    ).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
