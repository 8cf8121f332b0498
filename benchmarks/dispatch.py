"""How fast do messages leave, with all the bookkeeping that proves they were allowed?

`make bench-dispatch MESSAGES=5000 LATENCY_MS=50 ROUNDS=3 WORKERS=2`. The product's Twilio adapter
speaks to a stub over real HTTP. Side by side, alternating: the adapter alone in as many threads,
the whole `outbox.dispatch` on PostgreSQL (inbox, locks, the gate again, claim, one call, outcome,
trail), both in one process and in as many as the job cluster has workers; and the same one message
at a time. The stub counts: each message must have come once.
"""

import os
import statistics
import sys

from benchmarks import ground

ground.prepare()

from benchmarks import settled
from benchmarks.sending import AT, WORKERS, Stub, Workers, queue
from consent import outbox
from consent.models import Contact, Message
from integrations.models import Connection

MESSAGES = int(os.environ.get("MESSAGES", "5000"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
ALONE = int(os.environ.get("ALONE", "100"))
CLIENT, ONE = "client alone", "one at a time"


def main() -> None:
    stub = Stub()
    account = stub.account()
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
