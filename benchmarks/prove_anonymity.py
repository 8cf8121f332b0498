"""Does what leaves for an AI depend on who is in the database, and does anybody's value get out?

`make prove-anonymity SEED=1 SETS=100 CANARIES=10000 ENGINE=sqlite`. First: two databases with other
people in each, one script, and what the real studio on this machine was given (its file, its
arguments, its environment) under 100 sets of contacts: all must be the same. Then: 10,000 values
that occur nowhere else are planted in contacts; videos are made of them, jobs run and fail, scripts
with their values are refused; none may stand in what left, the logs, the errors, the tasks or the
trail. At last a control: a value is planted in each of these places, and must be found. Exit status
1 otherwise.
"""

import hashlib
import json
import logging
import os
import random
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from benchmarks import ground

SEED = int(os.environ.get("SEED", "1"))
SETS = int(os.environ.get("SETS", "100"))
CANARIES = int(os.environ.get("CANARIES", "10000"))
ENGINE = os.environ.get("ENGINE", "sqlite")
WORKER = os.environ.get("PROVE_WORKER", "")
VALUES_A_PERSON, MADE_OF = 6, 3

ground.prepare(ENGINE)

import ahocorasick
from django.db import connection
from django_q.models import OrmQ, Task
from django_q.tasks import async_task

from accounts import audit
from accounts.models import TrailLeaf
from config.lib import clock
from consent import contacts
from consent.models import Contact
from integrations import connections
from integrations.models import LocalVideoJob
from integrations.video import local
from tests.videos import stage
from videos import anonymisation, campaigns, personalising, rendering
from videos.models import Campaign, EgressManifest, Incident, Render, Script

TEXT = "Hello {{ name|there }} of {{ company|your firm }}. Our new plan saves time.\n\nDo come."
LETTERS = "bcdfghjklmnpqrstvwxz"
ROWS = (TrailLeaf, EgressManifest, Incident, Render, Task, LocalVideoJob)


class Capture:
    """Everything that this machine's studio was given, as a vendor would have been."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self._popen = subprocess.Popen
        local.subprocess.Popen = self._start  # type: ignore[attr-defined]

    def _start(self, command: list[str], **given: object) -> object:
        folder = Path(command[-1])
        sent = {
            "body": (folder / "request.json").read_text(),
            "files": sorted(path.name for path in folder.iterdir()),
            "arguments": command[1:-1],
            "environment": given["env"],
        }
        self.requests.append(json.dumps(sent, sort_keys=True).encode())
        return self._popen(command, **given)  # type: ignore[call-overload]


class Word:
    """Words of nobody: each is made once, of consonants only, and stands in no text of ours."""

    def __init__(self, seed: int) -> None:
        self._dice, self.made = random.Random(seed), set[str]()

    def __call__(self) -> str:
        while (word := "".join(self._dice.choices(LETTERS, k=11))) in self.made:
            pass
        self.made.add(word)
        return word.capitalize()


def person(word: Word, dice: random.Random, number: int) -> tuple[Contact, list[str]]:
    """Keep a person of canaries; numbers are those kept free for fiction."""
    first, last, mail, company, city = (word() for _ in range(5))
    phone = f"+1{200 + number // 100 % 800}55501{number % 100:02d}" if number < 80_000 else ""
    kept = contacts.register(
        partner=None,
        name=f"{first} {last}",
        email=f"{mail}@example.org",
        phone=phone,
        language=dice.choice(["en", "de", "ar"]),
        time_zone="Europe/Berlin",
        country=dice.choice(["DE", "US", "FR"]),
        attributes={"company": company, "city": city},
        source="proof",
        at=clock.now(),
        actor=audit.SYSTEM,
    )
    return kept, [first, last, mail, phone[1:], company, city]


def written(text: str = TEXT) -> Campaign:
    made = stage.campaign(state="draft")
    Script.objects.create(campaign=made, language="en", text=text, updated_at=clock.now())
    return made


def ordered(text: str = TEXT) -> Render:
    return rendering.start(
        campaign=written(text), language="en", at=clock.now(), actor=audit.SYSTEM
    )


def request_of(capture: Capture) -> bytes:
    """Order one video, let it leave, and have the studio forget it at once."""
    render = rendering.advance(render=ordered(), at=clock.now())
    local.LocalProvider().delete(job_id=render.vendor_job_id)
    return capture.requests[-1]


def work() -> None:
    """Be one of the two databases: print the hash of each request under its own people."""
    seed, sets = map(int, WORKER.split(":"))
    connections.ensure_local(at=clock.now())
    word, dice, capture = Word(seed), random.Random(seed), Capture()
    for number in range(sets):
        for more in range(dice.randrange(6)):
            person(word, dice, seed * 10_000 + number * 10 + more)
        print(hashlib.sha256(request_of(capture)).hexdigest())
    print(f"people {Contact.objects.count()}", file=sys.stderr)


def interference() -> int:
    """Compare what left from two databases; return how many requests differ from the first."""
    seen = Counter[str]()
    for half in (1, 2):
        seed = SEED * 2 + half
        ran = subprocess.run(
            [sys.executable, "-m", "benchmarks.prove_anonymity"],
            env={**os.environ, "PROVE_WORKER": f"{seed}:{(SETS + 1) // 2}"},
            capture_output=True,
            text=True,
            check=False,
        )
        lines = ran.stdout.split()
        seen.update(lines)
        print(f"  database {half}       {len(lines)} requests, {ran.stderr.split()[-2:]}")
        if ran.returncode:
            print(ran.stderr)
    whole = sum(seen.values()) >= SETS and len(seen) == 1
    print(f"  requests         {sum(seen.values())}, different {len(seen)} (must be 1)")
    return 0 if whole else max(1, len(seen) - 1)


@contextmanager
def logged(path: Path) -> Iterator[None]:
    """Write the log of every level, and all output of this process, into a file."""
    root, level = logging.getLogger(), logging.getLogger().level
    handler = logging.FileHandler(path)
    handler.setFormatter(root.handlers[0].formatter)
    kept = [os.dup(1), os.dup(2)]
    with path.open("ab") as target:
        sys.stdout.flush()
        for number in (1, 2):
            os.dup2(target.fileno(), number)
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        try:
            yield
        finally:
            sys.stdout.flush()
            root.setLevel(level)
            root.removeHandler(handler)
            for number, old in zip((1, 2), kept, strict=True):
                os.dup2(old, number)


def errors_of(people: list[tuple[Contact, list[str]]], made: Campaign) -> list[str]:
    """Let things fail around people's values; return all that the errors say."""
    said = []
    for contact, values in people:
        for text in (
            f"Hello {{{{ name }}}}. We thank {values[0]} {values[1]}.",
            f"Hello {{{{ name }}}}. Write to {values[2]}@example.org.",
            f"Hello {{{{ name }}}}. Call +{values[3]}.",
        ):
            try:
                campaigns.update_script(
                    campaign=made, language="en", text=text, at=clock.now(), actor=audit.SYSTEM
                )
            except anonymisation.ScriptRefused:
                said.append(traceback.format_exc())
        try:
            personalising.personalise(
                campaign=made, contact=contact, at=clock.now() + timedelta(days=4000)
            )
        except Exception:  # noqa: BLE001  whatever is raised is read for values
            said.append(traceback.format_exc())
    return said


def live(people: list[tuple[Contact, list[str]]]) -> list[str]:
    """Make real videos of some, run jobs whole, let one fail; return what the errors said."""
    render = ordered()
    for _ in range(4):
        async_task("videos.jobs.render_step", str(render.pk), sync=True)
    render.refresh_from_db()
    if render.state != Render.State.DONE:
        raise SystemExit(f"the studio did not render: {render.state} {render.problem}")
    for contact, _ in people[:MADE_OF]:
        personalising.personalise(campaign=render.campaign, contact=contact, at=clock.now())
    with suppress(Exception):
        async_task("videos.jobs.render_step", str(people[0][0].pk), sync=True)
    async_task("videos.delivery_jobs.work_campaign", str(render.campaign_id))
    return errors_of(people[:50], written())


def rows() -> str:
    """Return every value of the tables that say what was done; tasks unpacked as well."""
    found = [str(task.task) for task in OrmQ.objects.all()]
    for model in ROWS:
        table = connection.ops.quote_name(model._meta.db_table)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {table}")  # noqa: S608  a name of our own
            found += [_plain(value) for row in cursor.fetchall() for value in row]
    found += [str(task.result) for task in Task.objects.all()]
    return "\n".join(found)


def _plain(value: object) -> str:
    raw = bytes(value) if isinstance(value, memoryview) else value
    return raw.decode("latin-1") if isinstance(raw, bytes) else str(raw)


class Search:
    """Looks for all canaries in a text at once, without regard to case."""

    def __init__(self, canaries: list[str]) -> None:
        self._words = ahocorasick.Automaton()
        for canary in canaries:
            self._words.add_word(canary.lower(), canary)
        self._words.make_automaton()

    def count(self, text: str) -> int:
        return sum(1 for _ in self._words.iter(text.lower()))


def canaries(capture: Capture) -> tuple[dict[str, str], Search, int]:
    """Plant the canaries and live with them; return each place's text and how many were planted."""
    word, dice = Word(SEED), random.Random(SEED)
    count = -(-CANARIES // VALUES_A_PERSON)
    people = [person(word, dice, number) for number in range(count)]
    planted = [value for _, values in people for value in values if value]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        with logged(log):
            errors = live(people)
        places = {
            "egress": b"\n".join(capture.requests).decode(),
            "manifests": "\n".join(
                _plain(body) for body in EgressManifest.objects.values_list("body", flat=True)
            ),
            "log": log.read_text(errors="replace"),
            "errors": "\n".join(errors),
            "tasks, trail, rows": rows(),
        }
    return places, Search(planted), len(planted)


def control(search: Search, places: dict[str, str], canary: str) -> int:
    """Plant a leak in each place, by the way a leak would take; return how many stay unseen."""
    logging.getLogger("proof").warning("met %s", canary)
    made = {name: f"{text}\n{canary.upper()}" for name, text in places.items()}
    missed = [name for name, text in made.items() if not search.count(text)]
    print(f"  control          {len(made)} leaks planted, unseen {len(missed)} {missed}")
    return len(missed) + _leaky(search)


def _leaky(search: Search) -> int:
    """Let a leaking anonymiser send a person's name for real, and a task carry one."""
    person_, values = person(Word(SEED + 99), random.Random(SEED), 79_999)
    own = Search([value for value in values if value])
    capture, wire = Capture(), anonymisation._wire

    def leaking(parsed: anonymisation.ParsedScript, language: str) -> bytes:
        name = contacts.opened(contact=person_, at=clock.now()).name
        return wire(parsed, language).replace(b"Do come.", f"Do come, {name}.".encode())

    anonymisation._wire = leaking
    try:
        request = request_of(capture).decode()
    finally:
        anonymisation._wire = wire
    async_task("videos.jobs.render_step", values[0])
    seen = [own.count(request) > 0, own.count(rows()) > 0]
    print(f"  leaks for real   in a request seen {seen[0]}, in a task seen {seen[1]}")
    return seen.count(False)


def main() -> int:
    print(f"anonymity, {ENGINE}, seed {SEED}, {SETS} sets of contacts, {CANARIES:,} canaries")
    faults = interference()
    connections.ensure_local(at=clock.now())
    places, search, planted = canaries(Capture())
    print(f"  planted          {planted:,} canaries in {Contact.objects.count():,} contacts")
    for name, text in places.items():
        hits = search.count(text)
        faults += hits
        print(f"  {name:16} {len(text):>10,} characters, hits {hits}")
    first = contacts.opened(contact=Contact.objects.order_by("created_at")[0], at=clock.now())
    faults += control(search, places, first.name.split()[0])
    print("kept" if not faults else f"BROKEN: {faults}")
    return 1 if faults else 0


if __name__ == "__main__":
    if WORKER:
        work()
    else:
        sys.exit(main())
