"""A script of 400 words searched for the values of a million people, beside Presidio on the text.

`make bench-anonymise PEOPLE=1000000 SEED=1 ROUNDS=5 PRESIDIO=path/to/python`. Ours is the whole
door: form, detectors, names by how they are addressed, and everybody's names, e-mails and numbers
by keyed hash in PostgreSQL. Presidio is its pattern recognisers without a model, on the text alone:
it knows nobody. It runs by the Python that PRESIDIO names, which must have `presidio-analyzer`; it
is no requirement of this house. Then both read the corpus in tests/payloads/identifiers, by kind.
"""

import hashlib
import json
import os
import random
import statistics
import subprocess
import sys
import time
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import ground

ground.prepare("postgres")

from django.db import connection

from consent import known_names
from consent.models import Contact
from videos import anonymisation, detectors

PEOPLE = int(os.environ.get("PEOPLE", "1000000"))
SEED = int(os.environ.get("SEED", "1"))
ROUNDS = int(os.environ.get("ROUNDS", "5"))
PRESIDIO = os.environ.get("PRESIDIO", "")
MODEL = os.environ.get("PRESIDIO_MODEL", "")
GOAL = 20
# Among so many the clock's ticks of the database's processor are fine enough.
WORKED = 400
AT = datetime(2026, 10, 7, 15, 0, tzinfo=UTC)
PAYLOADS = Path(__file__).resolve().parents[1] / "tests" / "payloads"
CORPUS = PAYLOADS / "identifiers" / "positive.toml"
CHUNK = 20_000
SYLLABLES = (
    "ba be bi bo bu da de di do du ka ke ki ko ku la le li lo lu ma me mi mo na ne no ra".split()
)
# Somebody in so many people is always called by a word; they must not block a script.
WORDS_TOO = ("Will May", "Our New", "Paris Young", "Spring Hill", "Grace Best", "Mark Price")
# No sentence twice: a text that repeats itself has fewer words to look up.
SENTENCES = (
    "Our new plan saves you time and money every month.",
    "We have made it simple to begin, and you can stop whenever you wish.",
    "In spring we will open two more shops, one of them close to the park.",
    "Will you come and see what is new?",
    "Young and old are welcome, and the price stays the same until May.",
    "Mark the day in your calendar and bring a friend.",
    "With best wishes from all of us in Paris and Berlin.",
    "We served ten thousand customers in 2026, on 24 days, for 19 euros each.",
    "Every order leaves our warehouse before the evening, packed by hand.",
    "Should something break, a technician visits within two working days.",
    "The kitchen team tested forty recipes and kept the seven that you liked.",
    "Solar panels on the roof now make half of the power that we need.",
    "Your points never expire, and each one is worth a little more this autumn.",
    "Choose between the morning class, the lunch break and the late session.",
    "Children under 12 travel free when a grown-up comes along.",
    "Ask for the garden table if you would rather sit outside.",
    "Last year 94 per cent of our members renewed without a reminder.",
    "A short film explains how the insurance works and what it leaves out.",
    "Delivery costs nothing above 50 euros, wherever the parcel goes.",
    "Trains run every 20 minutes from the central station to the fair.",
    "Nobody likes long forms, so ours has three questions only.",
    "The museum keeps its doors open until ten on Thursday evenings.",
    "Fresh bread, ripe cheese and honest coffee wait at the counter.",
    "If the shoes do not fit, send them back and we pay the postage.",
    "Engineers rebuilt the engine so that it whispers instead of roaring.",
    "You decide which topics interest you, and we stay silent on the rest.",
    "Winter tyres are stored, washed and checked while you do something nicer.",
    "Our advisers speak nine languages and answer within the hour.",
    "A second pair of glasses is included, sunglasses as well.",
    "The lake path was repaired, and bicycles are allowed again.",
    "Version 3 of the app loads twice as fast on older phones.",
    "Thank you for trusting us through a stormy season.",
    "Bring curious questions, comfortable clothes and an empty bag.",
    "Five hundred trees were planted, one for each subscription sold.",
    "And that is all for now.",
)


def names(count: int, seed: int) -> list[str]:
    """Return names of nobody, first and last drawn from 3,000 and 80,000 as among people."""
    luck = random.Random(seed)
    drawn = [_word(luck, 3) for _ in range(3000)], [_word(luck, 4) for _ in range(80_000)]
    made = [f"{luck.choice(drawn[0])} {luck.choice(drawn[1])}" for _ in range(count)]
    return [*WORDS_TOO, *made[len(WORDS_TOO) :]]


def _word(luck: random.Random, syllables: int) -> str:
    return "".join(luck.choices(SYLLABLES, k=syllables)).capitalize() + luck.choice("nrstx")


def fill() -> list[str]:
    """Write the indexed columns of a million contacts by COPY; their keys hold nothing."""
    made = names(PEOPLE, SEED)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE named (i int, first text, last text, pair text)")
        for begin in range(0, PEOPLE, CHUNK):
            rows = [
                known_names.indexes(partner_id=None, name=name) for name in made[begin:][:CHUNK]
            ]
            with cursor.copy("COPY named FROM STDIN") as copy:
                for number, row in enumerate(rows, begin):
                    columns = ("name_first_index", "name_last_index", "name_pair_index")
                    copy.write_row((number, *(row[column] for column in columns)))
        for statement in STATEMENTS:
            cursor.execute(statement, [AT] * statement.count("%s"))
        cursor.execute("VACUUM ANALYZE consent_contact")
    return made


STATEMENTS = [
    """CREATE TEMP TABLE seeds AS SELECT *, gen_random_uuid() AS id, gen_random_uuid() AS key_id
        FROM named""",
    """INSERT INTO accounts_datakey (id, scope, owner_id, root_key_id, wrapped, created_at)
        SELECT key_id, 'person', id, 'bench', decode(repeat('ab', 64), 'hex'), %s FROM seeds""",
    """INSERT INTO consent_contact (id, key_id, phone_country, phone_zones, phone_regions,
        name_sealed, email_index, phone_index, name_first_index, name_middle_index, name_last_index,
        name_pair_index, email_stop_index, sms_stop_index, whatsapp_stop_index, language, time_zone,
        country, region, source, created_at, updated_at)
        SELECT id, key_id, '', '[]', '[]', decode(repeat('cd', 60), 'hex'),
        encode(sha256(id::text::bytea), 'hex'), encode(sha256(key_id::text::bytea), 'hex'),
        first, '', last, pair, '', '', '', 'en', '', '', '', 'bench', %s, %s FROM seeds""",
]


def script() -> str:
    """Return 400 words of which none is personal, in the shape that marketers write."""
    return "\n".join(["Hello {{ name|there }}, good news.", *SENTENCES])


def searched(text: str) -> anonymisation.AnonymousScript:
    everybody = anonymisation.Everybody(None, AT)
    return anonymisation.anonymise(script_text=text, language="en", known=everybody)


def found_of(text: str, made: list[str]) -> int:
    """Put 200 people's names into the script, one at a time; return how many were found."""
    luck, found = random.Random(SEED), 0
    for name in luck.sample(made, 200):
        shown = luck.choice([name, name.upper(), name.lower(), " ".join(name.split()[::-1])])
        try:
            searched(f"{text}\nThis we owe to {shown} alone.")
        except anonymisation.ScriptRefused:
            found += 1
    return found


def corpus() -> list[dict[str, str]]:
    return list(tomllib.loads(CORPUS.read_text(encoding="utf-8"))["text"])


def presidio(text: str, model: str = "") -> dict[str, Any] | None:
    """Have Presidio read the script, and the corpus, in a process of its own; None without it."""
    if not PRESIDIO:
        return None
    asked = json.dumps({"text": text, "rounds": ROUNDS, "corpus": corpus()})
    peer = Path(__file__).with_name("presidio_peer.py")
    ran = subprocess.run(
        [PRESIDIO, str(peer)],
        env={**os.environ, "PRESIDIO_MODEL": model},
        input=asked,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        print(f"Presidio did not run: {ran.stderr.strip().splitlines()[-1:]}")
        return None
    return dict(json.loads(ran.stdout))


def ours(one: dict[str, str]) -> bool:
    """Say whether a detector finds something where the identifier stands."""
    text = detectors.plain(one["text"]).text
    start = text.index(one["value"])
    end = start + len(one["value"])
    found = detectors.find(text=text, language=one.get("language", "en"))
    return any(first < end and start < last for _, first, last in found)


def recalls(peer: list[bool]) -> bool:
    """Print how many of the corpus each finds, by kind; say whether we find no fewer of any."""
    kept, by_kind = True, dict[str, list[tuple[bool, bool]]]()
    for one, theirs in zip(corpus(), peer, strict=True):
        by_kind.setdefault(one["kind"], []).append((ours(one), theirs))
    for kind, pairs in sorted(by_kind.items()):
        mine, other = (sum(side) for side in zip(*pairs, strict=True))
        kept = kept and mine >= other
        print(f"  {kind:16} of {len(pairs):3}: ours {mine:3}, Presidio {other:3}")
    return kept


def busy(text: str) -> float:
    """Return how long a processor works on one script, ours and the database's together."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        server = Path(f"/proc/{cursor.fetchone()[0]}/stat")
    before, began = _ticks(server), time.process_time()
    for _ in range(WORKED):
        searched(text)
    ours = time.process_time() - began
    return (ours + (_ticks(server) - before) / os.sysconf("SC_CLK_TCK")) / WORKED


def _ticks(stat: Path) -> int:
    fields = stat.read_text(encoding="ascii").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def said(peer: dict[str, Any], mine: float, worked: float, how: str) -> float:
    """Print how long Presidio takes beside us; return how many times as fast we are."""
    theirs: list[float] = peer["seconds"]
    other = statistics.median(theirs)
    spread = f"{min(theirs) * 1000:.1f}-{max(theirs) * 1000:.1f}"
    print(f"Presidio  {other * 1000:7.1f} ms [{spread}], {peer['version']}, {how}")
    spent = statistics.median(peer["busy"])
    print(f"          ours is {other / mine:.1f} x as fast (goal {GOAL})")
    times = spent / worked
    print(f"          processor {spent * 1000:.2f} ms, ours {worked * 1000:.2f}: {times:.1f} x")
    return other / mine


def main() -> int:
    print(f"{PEOPLE:,} people, seed {SEED}, {ROUNDS} rounds, PostgreSQL")
    made = fill()
    text = script()
    print(f"script of {len(text.split())} words, {Contact.objects.count():,} contacts indexed")
    sha = hashlib.sha256(searched(text).body).hexdigest()
    times = [ground.timed(lambda: searched(text)) for _ in range(ROUNDS * 4)]
    mine = statistics.median(times)
    print(f"ours      {mine * 1000:7.1f} ms [{min(times) * 1000:.1f}-{max(times) * 1000:.1f}]")
    print(f"          leaves as {sha[:16]}…; names found {found_of(text, made)} of 200")
    worked = busy(text)
    peer = presidio(text)
    if peer is None:
        print("Presidio  not run: name a Python that has it in PRESIDIO")
        return 0
    times_as_fast = said(peer, mine, worked, "no model")
    if MODEL and (named := presidio(text, MODEL)):
        said(named, mine, worked, "with a model of names")
    kept = recalls(peer["found"])
    return 0 if kept and times_as_fast >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
