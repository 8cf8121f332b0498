"""Import a list of 100,000 people of nobody, 3 % of them bad, by the product's own code.

`make bench-import ROWS=100000 SEED=7 ENGINE=sqlite`. Prints how many rows were read, that every
bad row and no other was reported, how long check and import took, and the most memory that the
process held (goal: below 300 MB); exit status 1 if one of these is not so. With EVIDENCE=1 a list
of evidence for the claims of these people follows, 3 % of it bad as well.
"""

import os
import random
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType

from benchmarks import ground

ENGINE = os.environ.get("ENGINE", "sqlite")
ground.prepare(ENGINE)

from accounts.audit import SYSTEM
from config.lib import clock
from consent import evidence_imports, imports, purposes
from consent.models import ImportBatch

ROWS = int(os.environ.get("ROWS", "100000"))
SEED = int(os.environ.get("SEED", "7"))
HEADER = "name,email,phone,language,time_zone,country,consent,company\n"
EVIDENCE_HEADER = "address,purpose,channel,act,said_at,source,seller,notice,form_url,ip\n"
WORDS = "I agree that Acme sends me offers and videos by e-mail. I can stop at any time."
BAD_EVERY = 100 / 3
GOAL_MB = 300


def rows(count: int, seed: int) -> Iterator[tuple[str, bool]]:
    """Yield each line with whether it is bad; numbers are those kept free for fiction."""
    luck = random.Random(seed)
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


def evidence(count: int, seed: int) -> Iterator[tuple[str, bool]]:
    """Yield a row of evidence for each address of the list of people that is good."""
    luck = random.Random(seed + 1)
    said = (clock.now() - timedelta(days=30)).isoformat()
    for number, (line, is_bad) in enumerate(rows(count, seed)):
        # Of the people who are known, those whom the list of people claims no consent of as well.
        if is_bad or line.split(",")[6].strip() == "no":
            continue
        spoilt = luck.random() < 1 / BAD_EVERY
        act = "keyword" if spoilt else "checkbox"
        mail = f"n{number}@example.org"
        yield (
            f"{mail},marketing,email,{act},{said},form,Acme,{WORDS},https://acme.example/f,203.0.113.7\n",
            spoilt,
        )


def write(path: Path, header: str, lines: Iterator[tuple[str, bool]]) -> tuple[int, set[int]]:
    """Write a list; return how many rows it has and which are bad, as a spreadsheet counts."""
    bad, number = set(), 1
    with path.open("w", encoding="utf-8") as file:
        file.write(header)
        for number, (line, is_bad) in enumerate(lines, start=2):
            file.write(line)
            if is_bad:
                bad.add(number)
    return number - 1, bad


def run(what: str, works: ModuleType, header: str, lines: Iterator[tuple[str, bool]]) -> bool:
    """Check and import one list; print what came of it, and say whether all was as it must be."""
    at, batches = clock.now(), list[ImportBatch]()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "list.csv")
        count, bad = write(path, header, lines)
        size, before = path.stat().st_size / 1e6, ground.peak_mb()
        checked = ground.timed(
            lambda: batches.append(
                works.check(file=path.read_bytes(), source="bench", created_by=None, at=at)
            )
        )
    (batch,) = batches
    reported = {fault.row for fault in works.report(batch=batch, at=at)}
    committed = ground.timed(lambda: works.commit(batch=batch, at=at, actor=SYSTEM))
    batch.refresh_from_db()
    peak = ground.peak_mb()
    print(f"{what}, {ENGINE}, seed {SEED}")
    print(f"  rows                {count:,} ({size:.1f} MB), imported {batch.new_rows:,}")
    print(f"  bad rows            {len(bad):,}, reported {len(reported & bad):,}")
    print(f"  good rows reported  {len(reported - bad):,}")
    print(f"  check               {checked:.1f} s")
    print(f"  import              {committed:.1f} s")
    print(f"  peak memory         {peak:.0f} MB (before it {before:.0f} MB; goal {GOAL_MB} MB)")
    return reported == bad and batch.new_rows == count - len(bad) and peak < GOAL_MB


def main() -> int:
    purposes.ensure_defaults(at=clock.now())
    good = run("a list of people", imports, HEADER, rows(ROWS, SEED))
    if os.environ.get("EVIDENCE"):
        lines = evidence(ROWS, SEED)
        good &= run("a list of evidence", evidence_imports, EVIDENCE_HEADER, lines)
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
