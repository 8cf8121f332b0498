"""Does a crash lose, double or half-serve anything? Workers are killed while they make and send.

`make prove-crash SEED=1 KILLS=30 PEOPLE=60 WORKERS=2 ENGINE=postgres`. Real processes run the
product's own jobs on a real database until SIGKILL, at random moments, takes one of them; another
begins. Only the provider's wire is faked, and the clock runs faster, so that a lease ends in
seconds. The judge reads the database, the folder of sealed objects and the wire's own notes.
"""

import hashlib
import os
import random
import signal
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks import ground

SEED = int(os.environ.get("SEED", "1"))
KILLS = int(os.environ.get("KILLS", "30"))
PEOPLE = int(os.environ.get("PEOPLE", str(2 * KILLS)))
WORKERS = int(os.environ.get("WORKERS", "2"))
ENGINE = os.environ.get("ENGINE", "postgres")
# A second here is so many there: a claim of 15 minutes lapses within eight seconds.
FASTER = 120
LONGEST_LIFE_SECONDS = 3.0
WIRE_SECONDS = 0.03
GIVE_UP_SECONDS = 600

ground.prepare(ENGINE)

from django.db import connection
from django.db import connections as databases

from accounts import audit
from benchmarks import staging
from config.lib import blobs, clock
from consent import contacts, ledger, purposes
from consent import jobs as consent_jobs
from consent.models import Message
from integrations import connections
from integrations.messaging.base import OutgoingMessage, Sent
from integrations.video import studio
from videos import (
    campaigns,
    delivery_jobs,
    marks,
    playback,
    vault,
)
from videos.models import Asset, Campaign, Extent, Recipient, SealedObject

TEXT = "Hello {{ name }}. This part is for everybody, and it is stored only once."
SLOT_SECONDS = 3.0
# A working morning in Paris, in the time to come: no file of this run is younger than its hour.
BASE = (clock.now() + timedelta(days=8)).replace(hour=8, minute=0, second=0, microsecond=0)
BASE += timedelta(days=(1 - BASE.weekday()) % 7)
BEGAN = time.monotonic()


def virtual() -> datetime:
    return BASE + timedelta(seconds=(time.monotonic() - BEGAN) * FASTER)


class Wire:
    """The provider's side: notes each message at once, and takes its time to answer."""

    def __init__(self, notes: Path) -> None:
        self._notes = notes

    def send(self, message: OutgoingMessage) -> Sent:
        with self._notes.open("ab", buffering=0) as file:
            file.write(message.message_id.hex.encode() + b"\n")
        time.sleep(WIRE_SECONDS)
        return Sent(message.message_id.hex)


def forked(act: Callable[[int], None]) -> tuple[int, int]:
    """Run an act in a process of its own; return its number and what it writes to."""
    databases.close_all()
    reader, writer = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writer)
        return pid, reader
    try:
        act(writer)
    finally:
        # No clean-up of the parent's: the database server and the home are its own.
        os._exit(0)


def settle() -> None:
    """Make people who agreed, a campaign with its real base video, and start it."""
    at = BASE - timedelta(hours=1)
    purposes.ensure_defaults(at=at)
    _, video = connections.ensure_local(at=at)
    for number in range(PEOPLE):
        agreed(number, at)
    made = campaigns.create(
        name="Proof",
        sender_name="Proof",
        purpose_code=purposes.MARKETING,
        channel="email",
        at=at,
        actor=audit.SYSTEM,
    )
    campaigns.update_script(campaign=made, language="en", text=TEXT, at=at, actor=audit.SYSTEM)
    staging.rendered(campaign=made, video=video, request=film(), text=TEXT, at=at)
    campaigns.enlist(campaign=made, at=at)
    Campaign.objects.update(state=Campaign.State.SENDING, started_at=at)


def agreed(number: int, at: datetime) -> None:
    contact = contacts.register(
        partner=None,
        name=f"Proof Person {number}",
        email=f"proof{number}@example.org",
        phone="",
        language="en",
        time_zone="Europe/Paris",
        country="FR",
        attributes={},
        source="proof",
        at=at,
        actor=audit.SYSTEM,
    )
    ledger.record(
        contact=contact,
        purpose_code=purposes.MARKETING,
        channel="email",
        kind="confirmed",
        act="button",
        source="double_opt_in",
        at=at,
        actor=audit.Actor("recipient", "proof"),
    )


def film() -> studio.StudioRequest:
    return studio.StudioRequest(
        language="en",
        items=[studio.Slot("s1", SLOT_SECONDS), studio.Speech(TEXT.partition(". ")[2])],
        width=640,
        height=360,
    )


def work(notes: Path, writer: int) -> None:
    """Run the product's jobs over and over, until everybody is settled or a signal comes."""
    clock.now = virtual
    staging.fake(Wire(notes))
    campaign_id = str(Campaign.objects.get().pk)
    os.write(writer, b"!")
    while not Campaign.objects.filter(state=Campaign.State.DONE).exists():
        delivery_jobs.reconcile()
        consent_jobs.recover()
        delivery_jobs.work_campaign(campaign_id)


@dataclass
class Proof:
    """Kills and begins anew, and looks after each death at what there is."""

    notes: Path
    lots: random.Random
    found: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    whole: set[uuid.UUID] = field(default_factory=set)
    running: list[int] = field(default_factory=list)

    def run(self) -> None:
        for _ in range(WORKERS):
            self.begin()
        while self.found["kills"] < KILLS and not self.is_done():
            time.sleep(self.lots.uniform(0.02, LONGEST_LIFE_SECONDS))
            self.kill(self.running.pop(self.lots.randrange(len(self.running))))
            self.look()
            self.begin()
        ends = time.monotonic() + GIVE_UP_SECONDS
        while not self.is_done() and time.monotonic() < ends:
            time.sleep(0.5)
        for pid in self.running:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    def begin(self) -> None:
        pid, reader = forked(lambda writer: work(self.notes, writer))
        os.read(reader, 1)
        os.close(reader)
        self.running.append(pid)

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        self.found["kills"] += os.WIFSIGNALED(status)

    def look(self) -> None:
        """Count what stands half-way, and read whatever could be served now."""
        self.found["people in the making"] += Recipient.objects.filter(state="making").count()
        self.found["objects being written"] += SealedObject.objects.filter(state="writing").count()
        self.found["messages being handed off"] += Message.objects.filter(
            state=Message.State.HANDING_OFF
        ).count()
        for asset in Asset.objects.filter(state=Asset.State.READY).exclude(pk__in=self.whole):
            self.read(asset)

    def read(self, asset: Asset) -> None:
        whole = hashlib.sha256()
        try:
            for piece in playback.stream(asset=asset, start=0, end=asset.size_bytes, at=virtual()):
                whole.update(piece)
        except (playback.NotWatchable, vault.NotReadable) as problem:
            self.wrong.append(f"served, but not whole: {asset.pk} ({problem!r})")
        if whole.hexdigest() != asset.content_sha256:
            self.wrong.append(f"served with other bytes: {asset.pk}")
        self.whole.add(asset.pk)

    def is_done(self) -> bool:
        return Campaign.objects.filter(state=Campaign.State.DONE).exists()

    def judge(self) -> None:
        self.whole.clear()
        self.look()
        self._judge_people()
        self._judge_wire()
        self._judge_marks()
        self._judge_storage()

    def _judge_people(self) -> None:
        if not self.is_done():
            self.wrong.append("the campaign did not end")
        for state, reason, sent in Recipient.objects.values_list(
            "state", "reason_code", "message__state"
        ):
            self.found[f"people {state} {reason or sent or ''}".strip()] += 1
            if state != Recipient.State.QUEUED or sent not in {"sent", "unknown"}:
                self.wrong.append(f"a person ended as {state} {reason} {sent}")
        for kind, rows in (("message", Message.objects), ("asset", Asset.objects)):
            owners = Counter(rows.values_list("contact_id", flat=True))
            if max(owners.values(), default=0) > 1 or len(owners) != PEOPLE:
                self.wrong.append(f"not one {kind} a person")

    def _judge_wire(self) -> None:
        calls = Counter(self.notes.read_text().split())
        self.found["calls on the wire"] = sum(calls.values())
        self.wrong += [f"message {one} left {n} times" for one, n in calls.items() if n > 1]
        known = {pk.hex for pk in Message.objects.values_list("pk", flat=True)}
        self.wrong += [f"message {one} left without a row" for one in set(calls) - known]

    def _judge_marks(self) -> None:
        for asset in Asset.objects.filter(state=Asset.State.READY):
            parts = Extent.objects.filter(asset=asset).select_related("sealed_object__key__parent")
            head, tail = (part.sealed_object for part in parts)
            try:
                name = marks.read_stored(head=head, tail=tail, at=virtual())
                self.found["marks read"] += name == asset.mark_name
            except marks.NotMarked as problem:
                self.wrong.append(f"not marked: {asset.pk} ({problem})")

    def _judge_storage(self) -> None:
        later = virtual() + timedelta(hours=1, seconds=1)
        self.found["orphans swept"] = vault.sweep(at=later)
        self.wrong += [f"orphan {row.name}" for row in vault.abandoned(at=later)]
        self.wrong += [f"{fault.code} {fault.name}" for fault in vault.check_all(at=later)]
        rows = SealedObject.objects.filter(state=SealedObject.State.STORED)
        if set(blobs.names()) != set(rows.values_list("name", flat=True)):
            self.wrong.append("files and rows differ")
        self.found["objects stored"] = rows.count()


def main() -> None:
    pid, reader = forked(lambda _writer: settle())
    os.waitpid(pid, 0)
    os.close(reader)
    notes = Path(os.environ["SEALCAST_HOME"]) / "wire.notes"
    notes.touch()
    proof = Proof(notes, random.Random(SEED))
    print(f"{ENGINE}, seed {SEED}: {PEOPLE} people, {WORKERS} workers, {KILLS} kills")
    began = time.perf_counter()
    proof.run()
    seconds = time.perf_counter() - began
    proof.judge()
    connection.close()
    for name, count in sorted(proof.found.items()):
        print(f"{count:6} {name}")
    print(f"{seconds:.0f} s; {len(proof.wrong)} wrong")
    for line in proof.wrong[:20]:
        print("WRONG", line)
    sys.exit(bool(proof.wrong) or proof.found["kills"] < KILLS)


if __name__ == "__main__":
    main()
