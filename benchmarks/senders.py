"""One worker that sends, for `benchmarks.dispatch`; lines tell it what to do.

`alone ACCOUNT COUNT`: the adapter in as many threads, with no bookkeeping. `whole HANDS`: dispatch
until nothing waits. It answers with the messages it sent and the seconds of processor they took.
"""

import os
import sys
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import django

django.setup()

from consent import outbox
from consent.models import Message
from integrations.messaging import provider_for, wire
from integrations.messaging.base import OutgoingMessage
from integrations.models import Connection
from videos import delivery_jobs

AT = datetime.fromisoformat(os.environ["BENCH_AT"])
BEGAN = float(os.environ["BENCH_BEGAN"])
AT_ONCE = delivery_jobs.DISPATCHED_AT_ONCE
HANDS = outbox.HANDS


def moving() -> datetime:
    """Return a clock that begins at noon and goes, as in the product."""
    return AT + timedelta(seconds=time.time() - BEGAN)


def alone(account_id: str, count: str) -> int:
    """Send as many by the same adapter, each hand one at a time."""
    provider = provider_for(Connection.objects.get(pk=account_id))
    ready = [
        OutgoingMessage(uuid.uuid4(), "sms", "+33600000000", "", f"https://example.org/{number}")
        for number in range(int(count))
    ]
    with ThreadPoolExecutor(HANDS) as pool:
        return sum(1 for _ in pool.map(provider.send, ready))


def whole(hands: str) -> int:
    """Dispatch until nothing waits, whoever sends it; return what this worker sent."""
    outbox.HANDS = int(hands)
    sent = 0
    while Message.objects.filter(state=Message.State.QUEUED).exists():
        done = outbox.dispatch(at=AT, limit=AT_ONCE, now=moving)
        sent += done.sent
        if done.sent != done.total:
            sys.exit(f"not all were sent: {done}")
    return sent


def main() -> None:
    wire.ORIGINS["twilio"] = os.environ["BENCH_STUB"]
    acts: dict[str, Callable[..., int]] = {"alone": alone, "whole": whole}
    print("ready", flush=True)
    for line in sys.stdin:
        name, *words = line.split()
        before = time.process_time()
        sent = acts[name](*words)
        print(sent, time.process_time() - before, flush=True)


if __name__ == "__main__":
    main()
