"""How fast do messages leave, with all the bookkeeping that proves they were allowed?

`make bench-dispatch MESSAGES=5000 LATENCY_MS=50 ROUNDS=3 WORKERS=2`. The product's Twilio adapter
speaks to a stub over real HTTP. Side by side, alternating: the adapter alone in as many threads,
the whole `outbox.dispatch` on PostgreSQL (inbox, locks, the gate again, claim, one call, outcome,
trail), both in one process and in as many as the job cluster has workers; and the same one message
at a time. The stub counts: each message must have come once.
"""

import hashlib
import json
import os
import statistics
import subprocess
import sys
import time
import uuid
from datetime import UTC, datetime

from benchmarks import ground

ground.prepare()

from django.db import connection

from accounts import audit, keys
from benchmarks import settled
from config.lib import canonical, http
from consent import outbox, purposes, queueing
from consent.models import Contact, Decision, Message
from integrations import keyed
from integrations.messaging import wire
from integrations.models import Connection

MESSAGES = int(os.environ.get("MESSAGES", "5000"))
LATENCY_MS = int(os.environ.get("LATENCY_MS", "50"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
ALONE = int(os.environ.get("ALONE", "100"))
WORKERS = int(os.environ.get("WORKERS", "2"))
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
CLIENT, ONE = "client alone", "one at a time"
AT = datetime(2026, 10, 7, 9, 0, tzinfo=UTC)
CREDENTIALS = {
    "account_sid": "AC" + "0" * 32,
    "auth_token": "12345",
    "sender": "+15555550100",
    "per_second": "999999",
}


class Stub:
    """The provider, in a process of its own."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "benchmarks.stub", str(LATENCY_MS)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.origin = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def counts(self) -> dict[str, int]:
        client = http.Client(hosts=["127.0.0.1"], loopback=True)
        found: dict[str, int] = json.loads(client.call("GET", f"{self.origin}/").body)
        return found


def queue(people: list[Contact], account: Connection) -> None:
    """Put one message to each person in the outbox; those of before no longer count."""
    Message.objects.exclude(state="queued").update(queued_at=LONG_AGO, claimed_at=LONG_AGO)
    Message.objects.exclude(state="queued").update(sent_at=LONG_AGO)
    rows = [_message(contact, account) for contact in people]
    Decision.objects.bulk_create([row.decision for row in rows], batch_size=500)
    Message.objects.bulk_create(rows, batch_size=500)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _message(contact: Contact, account: Connection) -> Message:
    pk = uuid.uuid4()
    words = {"subject": "", "text": f"https://example.org/v/{pk.hex}", "headers": {}}
    body, place = canonical.encode(words), queueing.body_place(pk)
    named = {"contact": contact, "purpose_code": purposes.MARKETING, "channel": "sms"}
    decision = Decision(
        **named, context_type="consent.bench", message_id=pk, phase="queue", verdict="allow", at=AT
    )
    return Message(
        **named,
        id=pk,
        connection=account,
        decision=decision,
        context_type="consent.bench",
        idempotency_key=pk.hex,
        body_sealed=keys.seal(key=contact.key, plaintext=body, context=place, at=AT),
        body_sha256=hashlib.sha256(body).hexdigest(),
        not_before=AT,
        queued_at=AT,
    )


class Workers:
    """As many processes as are asked for, each with all its threads; told what to do together."""

    def __init__(self, stub: Stub) -> None:
        told = {"BENCH_AT": AT.isoformat(), "BENCH_BEGAN": str(time.time())}
        self._environment = {**os.environ, **told, "BENCH_STUB": stub.origin}
        self._all = [self._one() for _ in range(WORKERS)]
        for one in self._all:
            self._line(one)

    def _one(self) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "benchmarks.senders"]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, stdin=pipe, stdout=pipe, text=True, bufsize=1, env=self._environment
        )

    @staticmethod
    def _line(one: "subprocess.Popen[str]") -> list[str]:
        assert one.stdout is not None
        line: list[str] = one.stdout.readline().split()
        if not line:
            sys.exit("a worker ended")
        return line

    def act(self, *words: object, count: int = WORKERS) -> tuple[int, float, float]:
        """Have some of them do a thing; return messages sent, seconds, seconds of processor."""
        began = time.perf_counter()
        chosen = self._all[:count]
        for one in chosen:
            assert one.stdin is not None
            one.stdin.write(" ".join(str(word) for word in words) + "\n")
        done = [self._line(one) for one in chosen]
        seconds = time.perf_counter() - began
        return sum(int(sent) for sent, _ in done), seconds, sum(float(cpu) for _, cpu in done)

    def end(self) -> None:
        for one in self._all:
            one.terminate()


def main() -> None:
    stub = Stub()
    wire.ORIGINS["twilio"] = stub.origin
    # A rate that never holds back; what it costs to ask for it is in the figure.
    account = keyed.connect(
        provider="twilio", label="Stub", values=CREDENTIALS, at=AT, actor=audit.SYSTEM
    )
    people: list[Contact] = []
    took = ground.timed(lambda: people.extend(settled.people(MESSAGES, at=AT)))
    print(f"{MESSAGES:,} people in {took:.0f} s; {outbox.HANDS} hands a worker")
    workers, expected = Workers(stub), 0
    rates: dict[str, list[float]] = {}
    for number in range(ROUNDS):
        for name, people_now, count, words in turns(people, account):
            if people_now:
                queue(people_now, account)
            expected += measured(name, workers.act(*words, count=count), rates)
        told = {name: round(row[-1]) for name, row in rates.items()}
        print(f"round {number + 1}: messages a second {told}", flush=True)
    workers.end()
    shown(rates)
    counts = stub.counts()
    kept = Message.objects.filter(state="sent").count()
    print(f"the stub took {counts['taken']:,}; outbox says sent: {kept:,}")
    stub.process.terminate()
    sys.exit(counts["taken"] != expected or kept != ROUNDS * (2 * MESSAGES + ALONE))


def turns(
    people: list[Contact], account: Connection
) -> list[tuple[str, list[Contact], int, tuple[object, ...]]]:
    """Return what is measured in a round: name, who is queued, how many workers, what they do."""
    share = MESSAGES // WORKERS
    return [
        (CLIENT, [], 1, ("alone", account.pk, MESSAGES)),
        ("whole, 1 worker", people, 1, ("whole", outbox.HANDS)),
        (f"client alone, {WORKERS} processes", [], WORKERS, ("alone", account.pk, share)),
        (f"whole, {WORKERS} workers", people, WORKERS, ("whole", outbox.HANDS)),
        (ONE, people[:ALONE], 1, ("whole", 1)),
    ]


def measured(name: str, result: tuple[int, float, float], rates: dict[str, list[float]]) -> int:
    """Keep a rate, and say what a message cost: a busy machine changes that least."""
    sent, seconds, cpu = result
    rates.setdefault(name, []).append(sent / seconds)
    load = os.getloadavg()[0]
    print(f"{name}: {1000 * cpu / sent:.2f} ms of processor each, load {load:.0f}", flush=True)
    return sent


def shown(rates: dict[str, list[float]]) -> None:
    medians = {name: statistics.median(row) for name, row in rates.items()}
    for name, row in rates.items():
        print(
            f"{name:26} {medians[name]:8.1f} a second [{min(row):.0f}-{max(row):.0f}]"
            f"  {medians[name] / medians[CLIENT]:6.3f} x the client alone"
            f"  {medians[name] / medians[ONE]:6.1f} x one at a time"
        )


if __name__ == "__main__":
    main()
