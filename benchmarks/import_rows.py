"""Import a list of 100,000 people of nobody, 3 % of them bad, by the product's own code.

`make bench-import ROWS=100000 SEED=7 ENGINE=sqlite`. Prints how many rows were read, that every
bad row and no other was reported, how long check and import took, and the most memory that the
process held (goal: below 300 MB); exit status 1 if one of these is not so.
"""

import os
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import ground

ENGINE = os.environ.get("ENGINE", "sqlite")
ground.prepare(ENGINE)

from accounts.audit import SYSTEM  # noqa: E402  Django must be set up first
from config.lib import clock  # noqa: E402
from consent import imports, purposes  # noqa: E402
from consent.models import Contact, ImportBatch  # noqa: E402

ROWS = int(os.environ.get("ROWS", "100000"))
SEED = int(os.environ.get("SEED", "7"))
HEADER = "name,email,phone,language,time_zone,country,consent,company\n"
BAD_EVERY = 100 / 3
GOAL_MB = 300


def rows(count: int, seed: int) -> Iterator[tuple[str, bool]]:
    """Yield each line with whether it is bad; numbers are those kept free for fiction."""
    luck = random.Random(seed)  # noqa: S311  reproducible, not secret
    bad = set(luck.sample(range(count), round(count / BAD_EVERY)))
    for number in range(count):
        area, line = 200 + number // 100 % 800, number % 100
        phone = f"+1{area}55501{line:02d}" if number < 80_000 else ""
        name, mail = f"Nobody {_letters(number)}", f"n{number}@example.org"
        good = [name, mail, phone, "en", "America/Chicago", "US", luck.choice(("yes", "", "no"))]
        spoilt = {
            0: ["", *good[1:]],
            1: [name, "no-mail", "", *good[3:]],
            2: [name, mail, "12", *good[3:]],
            3: [*good[:4], "Mars/Base", *good[5:]],
            4: [*good[:5], "QQ", good[6]],
            5: [*good[:6], "perhaps"],
            6: [*good, "Acme", "one cell too many"],
        }
        is_bad = number in bad
        yield ",".join(spoilt[luck.randrange(7)] if is_bad else good) + "\n", is_bad


def _letters(number: int) -> str:
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))


def write(path: Path, count: int, seed: int) -> set[int]:
    """Write the list; return the numbers of its bad rows, as a spreadsheet counts."""
    bad = set()
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADER)
        for number, (line, is_bad) in enumerate(rows(count, seed), start=2):
            file.write(line)
            if is_bad:
                bad.add(number)
    return bad


def main() -> int:
    at, batches = clock.now(), list[ImportBatch]()
    purposes.ensure_defaults(at=at)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "people.csv")
        bad = write(path, ROWS, SEED)
        before = ground.peak_mb()
        checked = ground.timed(
            lambda: batches.append(
                imports.check(file=path.read_bytes(), source="bench", created_by=None, at=at)
            )
        )
    (batch,) = batches
    reported = {fault.row for fault in imports.report(batch=batch, at=at)}
    committed = ground.timed(lambda: imports.commit(batch=batch, at=at, actor=SYSTEM))
    peak, kept = ground.peak_mb(), Contact.objects.count()
    print(f"engine             {ENGINE}, seed {SEED}")
    print(f"rows               {ROWS:,}, imported {kept:,}")
    print(f"bad rows           {len(bad):,}, reported {len(reported & bad):,}")
    print(f"good rows reported {len(reported - bad):,}")
    print(f"check              {checked:.1f} s")
    print(f"import             {committed:.1f} s")
    print(f"peak memory        {peak:.0f} MB (before the list: {before:.0f} MB; goal {GOAL_MB} MB)")
    return int(reported != bad or kept != ROWS - len(bad) or peak >= GOAL_MB)


if __name__ == "__main__":
    sys.exit(main())
