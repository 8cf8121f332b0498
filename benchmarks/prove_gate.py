"""Does any message leave after its person had said no? A million interleaved acts, replayed.

`make prove-gate SEED=1 STEPS=1000000 PROCESSES=8 ENGINE=postgres`. Processes of the product's own
code queue, hand off, withdraw, stop by a reply, agree again, let consent expire and erase, on a few
people at a time, so that they meet all the time. Only the provider's wire is faked.

Each act notes the instant at which it held the person's lock. The clock is the machine's monotonic
one, common to all processes, and the lock is kept until the commit: the notes of one person are
therefore in the order in which the acts became true. The judge replays them with a rule of three
lines that knows nothing of the gate, and names each message that was claimed while nothing allowed
it. A reply that stands in the inbox counts from the return of its commit.
"""

import itertools
import json
import os
import random
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks import ground

SEED = int(os.environ.get("SEED", "1"))
STEPS = int(os.environ.get("STEPS", "20000"))
PROCESSES = int(os.environ.get("PROCESSES", "8"))
ENGINE = os.environ.get("ENGINE", "postgres")
WORKER = os.environ.get("PROVE_WORKER", "")
# So many people are met at a time, and each for so many steps of one process.
AT_ONCE, STEPS_A_PERSON = 24, 6
# A second here is three hours there: caps on a day's messages pass, consents expire in between.
FASTER = 10_800
BASE = datetime(2026, 10, 7, 9, 0, tzinfo=UTC)
ACTS = {
    "queue": 30,
    "dispatch": 30,
    "withdraw": 10,
    "reply": 6,
    "agree": 20,
    "brief": 6,
    "erase": 2,
}

if WORKER:
    import django

    django.setup()
else:
    ground.prepare(ENGINE)

from django.db import connection, transaction

from accounts.audit import SYSTEM, Actor
from benchmarks import staging
from consent import claims, contacts, intake, ledger, outbox, personal_data, purposes
from consent.models import Contact
from integrations import connections, inbox
from integrations.messaging.base import THANKS, OutgoingMessage, Sent
from integrations.models import Connection

Note = dict[str, object]


def virtual(began_ns: int) -> datetime:
    return BASE + timedelta(microseconds=(time.monotonic_ns() - began_ns) / 1000 * FASTER)


class Recorder:
    """Notes, for the act under way, when each person's lock was got; kept when it committed."""

    def __init__(self, target: Path) -> None:
        self._file = target.open("w")
        self.locked_ns: dict[uuid.UUID, int] = {}
        self.tally: Counter[str] = Counter()
        self._lock = contacts.lock
        self._lock_free = contacts.lock_free

    def lock(self, *, contact_id: uuid.UUID) -> Contact:
        held = self._lock(contact_id=contact_id)
        self.locked_ns.setdefault(contact_id, time.monotonic_ns())
        return held

    def lock_free(self, *, contact_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Contact]:
        held = self._lock_free(contact_ids=contact_ids)
        for contact_id in held:
            self.locked_ns.setdefault(contact_id, time.monotonic_ns())
        return held

    def note(self, kind: str, contact_id: uuid.UUID, **more: object) -> None:
        at_ns = more.pop("at_ns", None) or self.locked_ns.get(contact_id)
        self.tally[kind] += 1
        self._file.write(json.dumps({"c": contact_id.hex, "t": at_ns, "k": kind, **more}) + "\n")

    def around(
        self, act: Callable[..., object], after: Callable[..., None]
    ) -> Callable[..., object]:
        """Wrap a transaction: its notes are written once it has returned."""

        def wrapped(*args: object, **named: object) -> object:
            self.locked_ns.clear()
            found = act(*args, **named)
            after(found, *args, **named)
            self.locked_ns.clear()
            return found

        return wrapped

    def close(self) -> None:
        self._file.close()


class Wire:
    """The provider's side: takes every message and notes nothing, as a phone network would.

    It has a pace, so that claims of several and threads are what is proved.
    """

    channels, thanks, per_second = ("email",), THANKS, 1e6

    def send(self, message: OutgoingMessage) -> Sent:
        return Sent(message.message_id.hex)


@dataclass
class Worker:
    """One process that does the product's acts on people it shares with the others."""

    number: int
    began_ns: int
    recorder: Recorder
    people: list[uuid.UUID]
    sandbox: Connection
    lots: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.lots = random.Random(f"{SEED}:{self.number}")
        self._instrument()

    def run(self, steps: int) -> None:
        names, weights = list(ACTS), list(ACTS.values())
        for step in range(steps):
            first = step // STEPS_A_PERSON
            pk = self.people[(first + self.lots.randrange(AT_ONCE)) % len(self.people)]
            act = self.lots.choices(names, weights)[0]
            self.recorder.locked_ns.clear()
            getattr(self, act)(pk, virtual(self.began_ns))
        self.recorder.close()

    def queue(self, pk: uuid.UUID, at: datetime) -> None:
        contact = Contact.objects.get(pk=pk)
        outbox.queue(
            contact=contact,
            connection=self.sandbox,
            purpose_code=purposes.MARKETING,
            channel="email",
            context_type="consent.proof",
            context_id=None,
            idempotency_key=uuid.uuid4().hex,
            subject="",
            text="a link",
            at=at,
            actor=SYSTEM,
        )

    def dispatch(self, _pk: uuid.UUID, at: datetime) -> None:
        done = outbox.dispatch(at=at, limit=3, now=lambda: virtual(self.began_ns))
        self.recorder.tally["refused at hand-off"] += done.refused

    def withdraw(self, pk: uuid.UUID, at: datetime) -> None:
        contact = Contact.objects.get(pk=pk)
        ledger.withdraw(
            contact=contact, act="button", source="page", at=at, actor=Actor("recipient", "proof")
        )
        self.recorder.note("no", pk)

    def reply(self, pk: uuid.UUID, at: datetime) -> None:
        contact = Contact.objects.select_related("key").get(pk=pk)
        try:
            address = contacts.address(contact=contact, channel="email", at=at)
        except contacts.NoAddress:
            # Erased by another process: nobody writes from there any more.
            return
        stored = inbox.store(
            connection=self.sandbox,
            kind="inbound_message",
            dedupe_key=uuid.uuid4().hex,
            body={"channel": "email", "from": address, "text": "STOP"},
            at=at,
        )
        # From here on nobody may claim a message to this person.
        self.recorder.note(
            "arrived", pk, at_ns=time.monotonic_ns(), item=stored.pk if stored else 0
        )

    def agree(self, pk: uuid.UUID, at: datetime, until: datetime | None = None) -> None:
        with transaction.atomic():
            contact = contacts.lock(contact_id=pk)
            if contact.erased_at is not None:
                return
            ledger.record(
                contact=contact,
                purpose_code=purposes.MARKETING,
                channel="email",
                kind="confirmed",
                act="button",
                source="double_opt_in",
                at=at,
                actor=Actor("recipient", "proof"),
                valid_until=until,
            )
        self.recorder.note("yes", pk, at=at.isoformat(), until=until.isoformat() if until else None)

    def brief(self, pk: uuid.UUID, at: datetime) -> None:
        self.agree(pk, at, at + timedelta(minutes=self.lots.randrange(1, 60)))

    def erase(self, pk: uuid.UUID, at: datetime) -> None:
        personal_data.erase(contact_id=pk, at=at)
        self.recorder.note("erased", pk)

    def _instrument(self) -> None:
        contacts.lock = self.recorder.lock
        contacts.lock_free = self.recorder.lock_free
        staging.fake(Wire())
        claims.claim = self.recorder.around(claims.claim, self._claimed)  # type: ignore[assignment]
        intake._take = self.recorder.around(intake._take, self._taken)  # type: ignore[assignment]

    def _claimed(
        self, found: claims.Claimed, *_more: object, at: datetime, **_named: object
    ) -> None:
        for opened in found.opened:
            message = opened.message
            self.recorder.note("sent", message.contact_id, at=at.isoformat(), m=message.pk.hex)

    def _taken(self, was_taken: object, item: object, *_more: object) -> None:
        for pk in list(self.recorder.locked_ns) if was_taken else []:
            self.recorder.note("no", pk, item=item.pk)  # type: ignore[attr-defined]


@dataclass
class Judge:
    """Replays one person's notes; what it knows of the law fits in `may`."""

    allowed: bool = False
    said_at: datetime | None = None
    until: datetime | None = None
    erased: bool = False
    arrived: set[object] = field(default_factory=set)

    def see(self, note: Note) -> bool:
        """Return False when a message was claimed that nothing allowed."""
        kind = note["k"]
        if kind == "sent":
            return self.may(datetime.fromisoformat(str(note["at"])))
        if kind == "yes":
            self.agree(datetime.fromisoformat(str(note["at"])), note.get("until"))
        elif kind == "no":
            self.allowed = False
            self.arrived.discard(note.get("item"))
        elif kind == "arrived":
            self.arrived.add(note["item"])
        elif kind == "erased":
            self.erased = True
        return True

    def agree(self, at: datetime, until: object) -> None:
        # Of two agreements the one said later counts, in whatever order they were written.
        if not (self.said_at and at < self.said_at and self.may(at)):
            self.allowed, self.said_at = True, at
            self.until = datetime.fromisoformat(str(until)) if until else None

    def may(self, at: datetime) -> bool:
        in_time = self.until is None or at < self.until
        return self.allowed and in_time and not self.erased and not self.arrived


def settle(count: int) -> list[uuid.UUID]:
    purposes.ensure_defaults(at=BASE)
    connections.ensure_local(at=BASE)
    return [
        contacts.register(
            partner=None,
            name="Proof Person",
            email=f"proof{number}@example.org",
            phone="",
            language="fr",
            time_zone="Europe/Paris",
            country="FR",
            attributes={},
            source="proof",
            at=BASE,
            actor=SYSTEM,
        ).pk
        for number in range(count)
    ]


def notes(folder: Path) -> dict[str, list[Note]]:
    found: dict[str, list[Note]] = {}
    for path in folder.glob("*.notes"):
        for line in path.open():
            note = json.loads(line)
            found.setdefault(note["c"], []).append(note)
    return found


def judged(found: dict[str, list[Note]]) -> Iterator[Note]:
    """Yield each message that left without a right to, in the order of each person's lock."""
    for one in found.values():
        # A reply may be taken by another process before its sender has noted that it was stored.
        taken = {note.get("item") for note in one if note["k"] == "no"}
        judge = Judge()
        for note in sorted(one, key=lambda note: int(str(note["t"]))):
            late = note["k"] == "arrived" and was_taken_before(note, one, taken)
            if not late and not judge.see(note):
                yield note


def was_taken_before(note: Note, one: list[Note], taken: set[object]) -> bool:
    if note["item"] not in taken:
        return False
    moment = next(int(str(n["t"])) for n in one if n["k"] == "no" and n.get("item") == note["item"])
    return moment < int(str(note["t"]))


def contended(found: dict[str, list[Note]], within_ns: int = 20_000_000) -> int:
    """Count acts on a person that another act on them followed within 20 ms."""
    count = 0
    for one in found.values():
        times = sorted(int(str(note["t"])) for note in one)
        count += sum(after - before < within_ns for before, after in itertools.pairwise(times))
    return count


def worker(number: int) -> None:
    home = Path(os.environ["SEALCAST_HOME"])
    people = [uuid.UUID(text) for text in (home / "people.json").read_text().split()]
    recorder = Recorder(home / f"{number}.notes")
    sandbox = Connection.objects.get(provider="sandbox")
    began_ns = int(os.environ["PROVE_BEGAN"])
    one = Worker(number, began_ns, recorder, people, sandbox)
    one.run(STEPS // PROCESSES)
    (home / f"{number}.tally").write_text(json.dumps(recorder.tally))


def main() -> None:
    home = Path(os.environ["SEALCAST_HOME"])
    count = STEPS // PROCESSES // STEPS_A_PERSON + AT_ONCE
    seconds = ground.timed(
        lambda: (home / "people.json").write_text(" ".join(pk.hex for pk in settle(count)))
    )
    print(
        f"{ENGINE}, seed {SEED}: {count:,} people in {seconds:.0f} s; "
        f"{STEPS:,} steps by {PROCESSES}"
    )
    environment = {**os.environ, "PROVE_BEGAN": str(time.monotonic_ns())}
    connection.close()
    command = [sys.executable, "-m", "benchmarks.prove_gate"]
    began = time.perf_counter()
    running = [
        subprocess.Popen(command, env={**environment, "PROVE_WORKER": str(number)})
        for number in range(1, PROCESSES + 1)
    ]
    failed = sum(process.wait() != 0 for process in running)
    seconds = time.perf_counter() - began
    tally: Counter[str] = Counter()
    for path in home.glob("*.tally"):
        tally.update(json.loads(path.read_text()))
    found = notes(home)
    wrong = list(judged(found))
    rows = ", ".join(f"{value:,} {name}" for name, value in tally.most_common())
    print(f"{STEPS:,} steps in {seconds:.0f} s ({STEPS / seconds:.0f} a second): {rows}")
    print(f"{contended(found):,} acts met another on the same person within 20 ms")
    print(f"{tally['sent']:,} handed off, {len(wrong)} of them after a committed no")
    for note in wrong[:20]:
        print("WRONG", note)
        before = [row for row in found[str(note["c"])] if int(str(row["t"])) <= int(str(note["t"]))]
        for row in sorted(before, key=lambda row: int(str(row["t"])))[-8:]:
            print("    ", row)
    sys.exit(bool(wrong) or bool(failed) or not tally["sent"])


if __name__ == "__main__":
    if WORKER:
        worker(int(WORKER))
    else:
        main()
