"""Does our webhook keep up with a provider that tells a lot at once, and does it lose nothing?

`make bench-inbox RATE=500 SECONDS=60 CLIENTS=32 WORKERS=1 THREADS=16`. Form events signed as Twilio
signs are posted to the production server, as `serve` starts it, on a PostgreSQL that waits for the
disk; the niced job cluster acts upon them meanwhile. Each is the report of a message that is in the
outbox; once a second somebody says STOP. They are sent by the clock and not when an answer came,
and each wait counts from the instant at which its event was due: a slow server cannot slow down who
measures it. Lost is what was answered 200 and has no row.
"""

import asyncio
import os
import ssl
import statistics
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlencode

from benchmarks import ground

RATE = int(os.environ.get("RATE", "500"))
SECONDS = int(os.environ.get("SECONDS", "60"))
CLIENTS = int(os.environ.get("CLIENTS", "32"))
PORT = int(os.environ.get("PORT", "8746"))
os.environ["SEALCAST_WEB_PROCESSES"] = os.environ.get("WORKERS", "1")
os.environ["SEALCAST_WEB_THREADS"] = os.environ.get("THREADS", "16")
os.environ["SEALCAST_PUBLIC_URL"] = f"https://127.0.0.1:{PORT}"

ground.prepare(durable=True)

from django.db import connection

from accounts import audit
from benchmarks import settled
from config import schedules
from config.lib import bulk, clock
from consent.models import ConsentEvent, Contact, Decision, Message, Taken
from integrations import keyed
from integrations.messaging import twilio_signature
from integrations.models import Connection, InboxItem
from retention.management.commands.serve import JOBS_NICE, web_command

ACCOUNT, TOKEN = "AC" + "0" * 32, "12345"
WARM_EVENTS = 100
PATIENCE_SECONDS = 15
GOAL_MS = 300
LOOK_SECONDS = 0.1
# So long the cluster may take after the last event until all is acted upon.
DRAIN_SECONDS = 120


def signed(url: str, fields: dict[str, str]) -> bytes:
    """Return one post as Twilio makes it: signing is no work of the server's."""
    text = url + "".join(name + value for name, value in sorted(fields.items()))
    body = urlencode(fields).encode()
    head = (
        f"POST {url.partition(str(PORT))[2]} HTTP/1.1\r\nHost: 127.0.0.1:{PORT}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
        f"X-Twilio-Signature: {twilio_signature.sign(token=TOKEN, text=text)}\r\n\r\n"
    )
    return head.encode() + body


def report(url: str, number: int) -> bytes:
    return signed(
        url,
        {
            "MessageSid": f"SM{number:032x}",
            "MessageStatus": "delivered",
            "To": "+15555550100",
            "From": "+15555550101",
            "AccountSid": ACCOUNT,
            "ApiVersion": "2010-04-01",
        },
    )


def stop(url: str, number: int) -> bytes:
    return signed(
        url,
        {
            "MessageSid": f"SS{number:032x}",
            "From": settled.phone(number),
            "To": "+15555550100",
            "Body": "STOP",
            "AccountSid": ACCOUNT,
        },
    )


def posts(url: str) -> list[bytes]:
    """Return what is posted within the time: reports, and in the middle of each second a stop."""
    made = []
    for number in range(RATE * SECONDS):
        second, place = divmod(number, RATE)
        said = place == RATE // 2
        made.append(stop(url, second) if said else report(url, WARM_EVENTS + number))
    return made


def send_beforehand(people: list[Contact], account: Connection, at: datetime) -> None:
    """Put into the outbox the messages that will be reported, as sent."""
    decisions, rows = [], []
    for number in range(WARM_EVENTS + RATE * SECONDS):
        contact, pk = people[number % len(people)], uuid.uuid4()
        named = {"contact": contact, "purpose_code": "marketing", "channel": "sms"}
        named["context_type"] = "consent.bench"
        decision = Decision(**named, message_id=pk, phase="queue", verdict="allow", at=at)
        row = Message(
            **named,
            id=pk,
            connection=account,
            decision=decision,
            hand_off_decision=decision,
            idempotency_key=pk.hex,
            state="sent",
            not_before=at,
            queued_at=at,
            claimed_at=at,
            sent_at=at,
            provider_message_id=f"SM{number:032x}",
        )
        decisions.append(decision)
        rows.append(row)
    bulk.insert(decisions)
    bulk.insert(rows)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


class Watch(threading.Thread):
    """Looks ten times a second whose stop stands in the ledger, and since when it does."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seen: dict[uuid.UUID, datetime] = {}
        self.ends = threading.Event()

    def run(self) -> None:
        while not self.ends.wait(LOOK_SECONDS):
            rows = ConsentEvent.objects.filter(kind="withdrawn").exclude(contact__in=self.seen)
            for contact_id in set(rows.values_list("contact_id", flat=True)):
                self.seen[contact_id] = clock.now()
        connection.close()


class Sender:
    """So many kept connections that post what is due."""

    def __init__(self, ready: list[bytes], rate: float) -> None:
        self.ready, self.rate, self.began = ready, rate, 0.0
        self.due: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        self.waits_ms: list[float] = []
        # Of each second of the run the longest wait: one stall, or always slow?
        self.worst_ms: dict[int, float] = {}
        self.statuses: Counter[str] = Counter()

    async def run(self) -> float:
        hands = [asyncio.create_task(self._hand()) for _ in range(CLIENTS)]
        self.began = began = time.perf_counter()
        for number, request in enumerate(self.ready):
            at = began + number / self.rate
            if (ahead := at - time.perf_counter()) > 0:
                await asyncio.sleep(ahead)
            self.due.put_nowait((at, request))
        await self.due.join()
        for hand in hands:
            hand.cancel()
        return time.perf_counter() - began

    async def _hand(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", PORT, ssl=trusting())
        while True:
            at, request = await self.due.get()
            try:
                writer.write(request)
                status = await asyncio.wait_for(_status(reader), PATIENCE_SECONDS)
            except (OSError, asyncio.IncompleteReadError, TimeoutError):
                status = "no answer"
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", PORT, ssl=trusting())
            self.statuses[status] += 1
            self.waits_ms.append(1000 * (time.perf_counter() - at))
            second = int(at - self.began)
            self.worst_ms[second] = max(self.worst_ms.get(second, 0), self.waits_ms[-1])
            self.due.task_done()


@lru_cache(maxsize=1)
def trusting() -> ssl.SSLContext:
    """Return the TLS of a caller that knows whom it speaks to: the certificate is our own."""
    # Once: to read the authorities for each connection stalls the sender for a second at the begin.
    # The handshakes themselves stay within what is measured.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def _status(reader: asyncio.StreamReader) -> str:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    if "transfer-encoding: chunked" in head:
        await reader.readuntil(b"0\r\n\r\n")
    else:
        length = head.partition("content-length:")[2].partition("\r\n")[0]
        await reader.readexactly(int(length or 0))
    return head.split()[1]


def measure(url: str, people: list[Contact], parts: dict[str, int]) -> bool:
    warm = [report(url, number) for number in range(WARM_EVENTS)]
    asyncio.run(Sender(warm, 50).run())
    sender, watch = Sender(posts(url), RATE), Watch()
    load, own = os.getloadavg()[0], time.process_time()
    before = {name: ground.cpu_seconds(pid) for name, pid in parts.items()}
    watch.start()
    seconds = asyncio.run(sender.run())
    spent = {name: ground.cpu_seconds(pid) - before[name] for name, pid in parts.items()}
    spent["sender"] = time.process_time() - own
    behind = InboxItem.objects.filter(processed_at=None).count()
    drained = until_drained()
    watch.ends.set()
    watch.join()
    rows = InboxItem.objects.count() - WARM_EVENTS
    good = sender.statuses["200"]
    waits = statistics.quantiles(sender.waits_ms, n=100)
    told = ", ".join(f"{name} {cpu:.0f} s" for name, cpu in spent.items())
    print(f"{os.cpu_count()} cores, load {load:.1f} before; processor in {seconds:.0f} s: {told}")
    print(f"{RATE} a second were due for {SECONDS} s; {good / seconds:.0f} a second were answered")
    print(f"answers {dict(sender.statuses)}; {rows:,} rows, {good - rows} lost")
    print(f"the server took {1000 * spent['server'] / len(sender.ready):.2f} ms of processor each")
    print(f"waits: median {waits[49]:.0f} ms, p95 {waits[94]:.0f} ms, p99 {waits[98]:.0f} ms")
    late = {second: round(worst) for second, worst in sender.worst_ms.items() if worst > GOAL_MS}
    print(f"seconds in which one waited over {GOAL_MS} ms, and how long: {late}")
    print(f"{behind:,} waited for the cluster at the last answer; none {drained:.1f} s later")
    heard = stops_heard(people, watch)
    delivered = Message.objects.filter(state="delivered").count()
    print(f"{delivered:,} of {WARM_EVENTS + RATE * SECONDS - SECONDS:,} messages are delivered")
    return good == rows == RATE * SECONDS and heard and waits[98] < GOAL_MS


def until_drained() -> float:
    began = time.perf_counter()
    while (passed := time.perf_counter() - began) < DRAIN_SECONDS:
        if not InboxItem.objects.filter(processed_at=None).exists():
            return passed
        time.sleep(LOOK_SECONDS)
    return float("inf")


def stops_heard(people: list[Contact], watch: Watch) -> bool:
    """Print how long a stop took from its receipt until it stood in the ledger."""
    number_of = {contact.pk: number for number, contact in enumerate(people)}
    came = dict(
        InboxItem.objects.filter(kind="inbound_message").values_list("dedupe_key", "received_at")
    )
    took = sorted(
        (at - came[f"said:SS{number_of[pk]:032x}"]).total_seconds() for pk, at in watch.seen.items()
    )
    if took:
        middle, last = statistics.median(took), took[-1]
        print(
            f"{len(took)} stops from receipt to the ledger: median {middle:.2f} s, all {last:.2f} s"
        )
    return len(took) == SECONDS and Taken.objects.filter(effect="withdrawn").count() == SECONDS


def main() -> int:
    values = {"account_sid": ACCOUNT, "auth_token": TOKEN, "sender": "+15555550100"}
    at = clock.now()
    account = keyed.connect(
        provider="twilio", label="Bench", values=values, at=at, actor=audit.SYSTEM
    )
    people = settled.people(SECONDS, at=at - timedelta(days=30))
    send_beforehand(people, account, at - timedelta(hours=1))
    home = Path(os.environ["SEALCAST_HOME"])
    ground.certificate(home)
    # The production server refuses plain HTTP.
    os.environ["SEALCAST_TLS_CERTIFICATE"] = str(home / "cert.pem")
    os.environ["SEALCAST_TLS_KEY"] = str(home / "key.pem")
    schedules.ensure(at=at)
    stub = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.stub", "50"], stdout=subprocess.PIPE, text=True
    )
    assert stub.stdout is not None
    origin = f"http://127.0.0.1:{int(stub.stdout.readline())}"
    server = subprocess.Popen(web_command("127.0.0.1", PORT))
    jobs = subprocess.Popen([sys.executable, "-m", "benchmarks.jobs", origin])
    os.setpriority(os.PRIO_PROCESS, jobs.pid, JOBS_NICE)
    parts = {"server": server.pid, "cluster": jobs.pid, "database": ground.database_pid()}
    try:
        ground.until_answers(PORT)
        url = keyed.webhook_address(connection=account)
        return 0 if measure(url, people, parts) else 1
    finally:
        for process in (jobs, server, stub):
            process.terminate()
        for process in (jobs, server, stub):
            process.wait(timeout=30)


if __name__ == "__main__":
    sys.exit(main())
