"""What do the benchmarks of sending share? A stub of the provider, messages that wait, workers."""

import hashlib
import json
import os
import subprocess
import sys
import time
import uuid
from datetime import UTC, datetime

from django.db import connection

from accounts import audit, keys
from config.lib import canonical, http
from consent import purposes, queueing
from consent.models import Contact, Decision, Message
from integrations import keyed
from integrations.messaging import wire
from integrations.models import Connection

WORKERS = int(os.environ.get("WORKERS", "2"))
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
AT = datetime(2026, 10, 7, 9, 0, tzinfo=UTC)
# A rate that never holds back; what it costs to ask for it is in the figures.
CREDENTIALS = {
    "account_sid": "AC" + "0" * 32,
    "auth_token": "12345",
    "sender": "+15555550100",
    "per_second": "999999",
}


class Stub:
    """The provider, in a process of its own."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "benchmarks.stub", os.environ.get("LATENCY_MS", "50")]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.origin = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def account(self) -> Connection:
        """Connect the product to it."""
        wire.ORIGINS["twilio"] = self.origin
        return keyed.connect(
            provider="twilio", label="Stub", values=CREDENTIALS, at=AT, actor=audit.SYSTEM
        )

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

    def __init__(self, stub: Stub, *, count: int = WORKERS) -> None:
        told = {"BENCH_AT": AT.isoformat(), "BENCH_BEGAN": str(time.time())}
        self._environment = {**os.environ, **told, "BENCH_STUB": stub.origin}
        self._all = [self._one() for _ in range(count)]
        for one in self._all:
            self._line(one)

    def begun(self, *words: object) -> "subprocess.Popen[str]":
        """Have another one, for itself, do a thing; nobody waits for it."""
        one = self._one()
        self._line(one)
        self._tell(one, words)
        return one

    def _one(self) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "benchmarks.senders"]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, stdin=pipe, stdout=pipe, text=True, bufsize=1, env=self._environment
        )

    @staticmethod
    def _tell(one: "subprocess.Popen[str]", words: tuple[object, ...]) -> None:
        assert one.stdin is not None
        one.stdin.write(" ".join(str(word) for word in words) + "\n")

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
            self._tell(one, words)
        done = [self._line(one) for one in chosen]
        seconds = time.perf_counter() - began
        return sum(int(sent) for sent, _ in done), seconds, sum(float(cpu) for _, cpu in done)

    def end(self) -> None:
        for one in self._all:
            one.terminate()
