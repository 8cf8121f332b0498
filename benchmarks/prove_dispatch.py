"""Does a message leave twice, or get lost, when a sender dies? Senders are killed while they send.

`make prove-dispatch SEED=1 KILLS=10 MESSAGES=10000 WORKERS=2`. As many senders as the job cluster
has workers, each with all its hands, speak to a stub over real HTTP, on PostgreSQL; at random
moments SIGKILL takes one, and another begins. The stub knows each message by its link. What was
under way is called unknown, never sent again, and is at most a sender's hands a kill.
"""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta

from benchmarks import ground

ground.prepare()

from benchmarks import settled
from benchmarks.sending import AT, WORKERS, Stub, Workers, queue
from consent import outbox
from consent.models import Message

SEED = int(os.environ.get("SEED", "1"))
KILLS = int(os.environ.get("KILLS", "10"))
MESSAGES = int(os.environ.get("MESSAGES", "10000"))
LONGEST_LIFE_SECONDS = 0.8


class Senders:
    """Some that send until nothing waits; one that is killed is followed by another."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._running = [self._begun() for _ in range(WORKERS)]

    def _begun(self) -> "subprocess.Popen[str]":
        return self._workers.begun("whole", outbox.HANDS)

    def kill(self, lots: random.Random) -> None:
        one = self._running.pop(lots.randrange(len(self._running)))
        one.kill()
        one.wait()
        self._running.append(self._begun())

    def end(self) -> None:
        for one in self._running:
            assert one.stdout is not None
            one.stdout.readline()
            one.terminate()
            one.wait()


def main() -> None:
    stub, lots = Stub(), random.Random(SEED)
    queue(settled.people(MESSAGES, at=AT), stub.account())
    senders, killed, began = Senders(Workers(stub, count=0)), 0, time.perf_counter()
    waiting = Message.objects.filter(state=Message.State.QUEUED)
    while killed < KILLS and waiting.exists():
        time.sleep(lots.uniform(0.0, LONGEST_LIFE_SECONDS))
        senders.kill(lots)
        killed += 1
    senders.end()
    seconds = time.perf_counter() - began
    lost = outbox.recover(at=AT + timedelta(days=1))
    judge(stub, killed, lost, seconds)


def judge(stub: Stub, killed: int, lost: int, seconds: float) -> None:
    """Compare what the stub took with what the outbox says; end with 1 if a word is wrong."""
    states = Counter(Message.objects.values_list("state", flat=True))
    counts = stub.counts()
    stub.process.terminate()
    twice = counts["taken"] - counts["different"]
    print(f"seed {SEED}: {MESSAGES:,} messages, {killed} kills, {outbox.HANDS} hands a sender")
    print(f"the stub took {counts['taken']:,}, of which {twice} a second time")
    print(f"the outbox says {dict(states)}; {lost} were under way at a kill; {seconds:.0f} s")
    wrong = {
        "a message left twice": twice,
        "a message is neither sent nor unknown": MESSAGES - states["sent"] - states["unknown"],
        "one that was sent did not arrive": max(0, states["sent"] - counts["different"]),
        "more are unknown than were under way": max(0, lost - killed * outbox.HANDS),
        "too few kills": KILLS - killed,
    }
    for words, count in wrong.items():
        if count:
            print(f"WRONG {words}: {count}")
    sys.exit(any(wrong.values()))


if __name__ == "__main__":
    main()
