"""How fast do messages leave, with all the bookkeeping that proves they were allowed?

`make bench-dispatch MESSAGES=5000 LATENCY_MS=50 ROUNDS=3`. The product's Twilio adapter speaks to a
stub over real HTTP. Side by side, alternating: the adapter alone in as many threads, the whole
`outbox.dispatch` on PostgreSQL (inbox, locks, the gate again, claim, one call, outcome, trail), and
the same one message at a time. The stub counts: each message must have come once.
"""

import hashlib
import json
import os
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from benchmarks import ground

ground.prepare()

from django.db import connection

from accounts import audit, keys
from benchmarks import settled
from config.lib import canonical, http
from consent import outbox, purposes, queueing
from consent.models import Contact, Decision, Message
from integrations import keyed
from integrations.messaging import provider_for, wire
from integrations.messaging.base import OutgoingMessage
from integrations.models import Connection

MESSAGES = int(os.environ.get("MESSAGES", "5000"))
LATENCY_MS = int(os.environ.get("LATENCY_MS", "50"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
ALONE = int(os.environ.get("ALONE", "100"))
LEFT = MESSAGES - ALONE
BEGAN = time.perf_counter()
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
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


def alone(account: Connection) -> float:
    """Send as many by the same adapter in as many threads, with no bookkeeping at all."""
    provider = provider_for(account)
    ready = [
        OutgoingMessage(uuid.uuid4(), "sms", "+33600000000", "", f"https://example.org/{number}")
        for number in range(MESSAGES)
    ]
    with ThreadPoolExecutor(outbox.HANDS) as pool:
        began = time.perf_counter()
        for _ in pool.map(provider.send, ready):
            pass
        return MESSAGES / (time.perf_counter() - began)


def moving() -> datetime:
    """Return a clock that begins at noon and goes, as in the product."""
    return AT + timedelta(seconds=time.perf_counter() - BEGAN)


def whole(count: int, hands: int) -> float:
    """Dispatch so many; return messages a second."""
    before = outbox.HANDS
    outbox.HANDS = hands
    began, sent = time.perf_counter(), 0
    while sent < count:
        done = outbox.dispatch(at=AT, limit=min(1000, count - sent), now=moving)
        sent += done.sent
        if done.sent != done.total or not done.total:
            sys.exit(f"not all were sent: {done}")
    outbox.HANDS = before
    return count / (time.perf_counter() - began)


def main() -> None:
    stub = Stub()
    wire.ORIGINS["twilio"] = stub.origin
    # A rate that never holds back; what it costs to ask for it is in the figure.
    account = keyed.connect(
        provider="twilio", label="Stub", values=CREDENTIALS, at=AT, actor=audit.SYSTEM
    )
    people: list[Contact] = []
    took = ground.timed(lambda: people.extend(settled.people(MESSAGES, at=AT)))
    print(f"{MESSAGES:,} people in {took:.0f} s")
    rates: dict[str, list[float]] = {"client alone": [], "whole": [], "one at a time": []}
    expected = 0
    for number in range(ROUNDS):
        queue(people, account)
        with_cost("client alone", MESSAGES, lambda: alone(account), rates)
        with_cost("one at a time", ALONE, lambda: whole(ALONE, 1), rates)
        with_cost("whole", LEFT, lambda: whole(LEFT, outbox.HANDS), rates)
        expected += 2 * MESSAGES
        told = {name: round(row[-1]) for name, row in rates.items()}
        print(f"round {number + 1}: messages a second {told}", flush=True)
    shown(rates)
    counts = stub.counts()
    kept = Message.objects.filter(state="sent").count()
    print(f"the stub took {counts['taken']:,}; outbox says sent: {kept:,}")
    stub.process.terminate()
    sys.exit(counts["taken"] != expected or kept != ROUNDS * MESSAGES)


def with_cost(
    name: str, count: int, act: Callable[[], float], rates: dict[str, list[float]]
) -> None:
    """Keep a rate, and say what a message cost: a busy machine changes that least."""
    before = time.process_time()
    rates[name].append(act())
    cpu_ms = 1000 * (time.process_time() - before) / count
    load = os.getloadavg()[0]
    print(f"{name}: {cpu_ms:.2f} ms of this process each, load {load:.0f}", flush=True)


def shown(rates: dict[str, list[float]]) -> None:
    medians = {name: statistics.median(row) for name, row in rates.items()}
    for name, row in rates.items():
        print(
            f"{name:14} {medians[name]:8.1f} a second [{min(row):.0f}-{max(row):.0f}]"
            f"  {medians[name] / medians['client alone']:6.3f} x the client alone"
            f"  {medians[name] / medians['one at a time']:6.1f} x one at a time"
        )


if __name__ == "__main__":
    main()
