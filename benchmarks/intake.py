"""Does our webhook keep up with a provider that tells a lot at once, and does it lose nothing?

`make bench-inbox RATE=500 SECONDS=60 CLIENTS=64 WORKERS=1 THREADS=16`. Form events signed as Twilio
signs are posted to the production server, as `serve` starts it, on PostgreSQL. They are sent by the
clock and not when an answer came, and each wait counts from the instant at which its event was due:
a slow server cannot slow down who measures it. Lost is what was answered 200 and has no row.
"""

import asyncio
import os
import ssl
import statistics
import subprocess
import sys
import time
from collections import Counter
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlencode

from benchmarks import ground

RATE = int(os.environ.get("RATE", "500"))
SECONDS = int(os.environ.get("SECONDS", "60"))
CLIENTS = int(os.environ.get("CLIENTS", "64"))
PORT = int(os.environ.get("PORT", "8746"))
os.environ["SEALCAST_WEB_PROCESSES"] = os.environ.get("WORKERS", "1")
os.environ["SEALCAST_WEB_THREADS"] = os.environ.get("THREADS", "16")
os.environ["SEALCAST_PUBLIC_URL"] = f"https://127.0.0.1:{PORT}"

ground.prepare()

from accounts import audit
from config.lib import clock
from integrations import keyed
from integrations.messaging import twilio_signature
from integrations.models import InboxItem
from retention.management.commands.serve import web_command

ACCOUNT, TOKEN = "AC" + "0" * 32, "12345"
WARM_EVENTS = 100
PATIENCE_SECONDS = 15
GOAL_MS = 300


def requests(url: str, count: int, first: int = 0) -> list[bytes]:
    """Sign so many delivery reports beforehand: signing is no work of the server's."""
    path, made = url.partition(str(PORT))[2], []
    for number in range(first, first + count):
        fields = {
            "MessageSid": f"SM{number:032x}",
            "MessageStatus": "delivered",
            "To": "+15555550100",
            "From": "+15555550101",
            "AccountSid": ACCOUNT,
            "ApiVersion": "2010-04-01",
        }
        text = url + "".join(name + value for name, value in sorted(fields.items()))
        body = urlencode(fields).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{PORT}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
            f"X-Twilio-Signature: {twilio_signature.sign(token=TOKEN, text=text)}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


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


def measure(url: str, server_pid: int) -> bool:
    asyncio.run(Sender(requests(url, WARM_EVENTS), 50).run())
    sender = Sender(requests(url, RATE * SECONDS, first=WARM_EVENTS), RATE)
    load, spent = os.getloadavg()[0], time.process_time()
    served = ground.cpu_seconds(server_pid)
    seconds = asyncio.run(sender.run())
    spent = time.process_time() - spent
    served = ground.cpu_seconds(server_pid) - served
    good = sender.statuses["200"]
    rows = InboxItem.objects.count() - WARM_EVENTS
    waits = statistics.quantiles(sender.waits_ms, n=100)
    print(f"{os.cpu_count()} cores, load {load:.1f} before; the sender itself took {spent:.0f} s")
    print(f"{RATE} a second were due for {SECONDS} s; {good / seconds:.0f} a second were answered")
    print(f"answers {dict(sender.statuses)}; {rows:,} rows, {good - rows} lost")
    print(f"the server took {1000 * served / len(sender.ready):.1f} ms of processor an event")
    print(f"waits: median {waits[49]:.0f} ms, p95 {waits[94]:.0f} ms, p99 {waits[98]:.0f} ms")
    late = {second: round(worst) for second, worst in sender.worst_ms.items() if worst > GOAL_MS}
    print(f"seconds in which one waited over {GOAL_MS} ms, and how long: {late}")
    return good == rows == RATE * SECONDS


def main() -> int:
    values = {"account_sid": ACCOUNT, "auth_token": TOKEN, "sender": "+15555550100"}
    account = keyed.connect(
        provider="twilio", label="Bench", values=values, at=clock.now(), actor=audit.SYSTEM
    )
    home = Path(os.environ["SEALCAST_HOME"])
    ground.certificate(home)
    # The production server refuses plain HTTP.
    os.environ["SEALCAST_TLS_CERTIFICATE"] = str(home / "cert.pem")
    os.environ["SEALCAST_TLS_KEY"] = str(home / "key.pem")
    server = subprocess.Popen(web_command("127.0.0.1", PORT))
    try:
        ground.until_answers(PORT)
        return 0 if measure(keyed.webhook_address(connection=account), server.pid) else 1
    finally:
        server.terminate()
        server.wait(timeout=20)


if __name__ == "__main__":
    sys.exit(main())
