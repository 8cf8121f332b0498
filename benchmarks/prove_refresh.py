"""Eight processes meet one expired token, again and again: is it renewed exactly once?

`make prove-refresh SEED=1 ROUNDS=500` asks it of SQLite and of PostgreSQL. The vendor is the
simulated Salesforce: it rotates refresh tokens, and one that is spent twice ends its whole family.
In every other round our clock says that the token has ended, in the rest the vendor's 401 does.
Each caller then has to bring home a real answer of the API.
"""

import os
import random
import subprocess
import sys
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median
from urllib.parse import parse_qsl, urlsplit

from benchmarks import ground

SEED = int(os.environ.get("SEED", "1"))
ROUNDS = int(os.environ.get("ROUNDS", "500"))
PROCESSES = int(os.environ.get("PROCESSES", "8"))
ENGINE = os.environ.get("ENGINE", "sqlite")
WORKER = os.environ.get("PROVE_WORKER", "")
# Salesforce's stand-in listens one above the first port.
PORT = int(os.environ.setdefault("SEALCAST_SIMULATOR_PORT", str(20_000 + os.getpid() % 20_000)))
SLOWEST_SECONDS, JITTER_SECONDS = 0.08, 0.02

os.environ["SEALCAST_DEMO"] = os.environ["SEALCAST_SIMULATORS"] = "1"
if WORKER:
    import django

    django.setup()
else:
    ground.prepare(ENGINE)

from django.db import connection

from accounts import audit
from accounts.models import TrailLeaf
from config.lib import clock
from integrations import oauth, providers, tokens
from integrations.models import Connection, OAuthGrant
from tests.simulators import base
from tests.simulators.salesforce import Salesforce

REDIRECT = "http://127.0.0.1:8000/connections/salesforce/return/"
PROVIDER = providers.get("salesforce")
ID = oauth.connection_id(provider=PROVIDER)


def worker(number: int) -> None:
    """Call the API whenever a line arrives, and say how it went."""
    lots = random.Random(f"{SEED}:{number}")
    for _ in sys.stdin:
        time.sleep(lots.uniform(0, JITTER_SECONDS))
        try:
            verdict, _answer = tokens.call(
                connection_id=ID, purpose="proof", method="GET", path=PROVIDER.test_path
            )
            said: str = verdict.cause
        except Exception as error:  # noqa: BLE001  whatever it is, it is a failed caller
            said = type(error).__name__
        print(said, flush=True)


@dataclass
class Proof:
    vendor: Salesforce
    running: list[subprocess.Popen[str]]
    said: Counter[str] = field(default_factory=Counter)
    refreshes: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    def round(self, number: int, latency_seconds: float) -> None:
        self.vendor.latency_seconds = latency_seconds
        before = self.vendor.tally["refreshed"]
        if number % 2:
            self.vendor.skip(self.vendor.expires_seconds)
        else:
            ended = clock.now() - timedelta(seconds=1)
            OAuthGrant.objects.filter(pk=ID).update(access_expires_at=ended)
        began = time.perf_counter()
        for process in self.running:
            print("go", file=process.stdin, flush=True)
        for process in self.running:
            self.said[process.stdout.readline().strip() if process.stdout else ""] += 1
        self.seconds.append(time.perf_counter() - began)
        self.refreshes[self.vendor.tally["refreshed"] - before] += 1


def connect(vendor: Salesforce) -> None:
    browser, at = oauth.new_browser(), clock.now()
    address = oauth.begin(
        provider=PROVIDER,
        login_host=PROVIDER.login_hosts[0],
        app=oauth.App(vendor.client_id, vendor.secret),
        redirect_uri=REDIRECT,
        browser=browser,
        at=at,
        actor=audit.SYSTEM,
    )
    shown = f"http://127.0.0.1:{PORT + 1}/" + address.removeprefix("https://")
    back = parse_qsl(urlsplit(base.press(shown)).query)
    oauth.complete(
        provider=PROVIDER,
        told={name: [value] for name, value in back},
        browser=browser,
        redirect_uri=REDIRECT,
        at=at,
        actor=audit.SYSTEM,
    )


def started(number: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.prove_refresh"],
        env={**os.environ, "PROVE_WORKER": str(number)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def report(proof: Proof) -> bool:
    """Print the counts; say whether all is as it must be."""
    callers, failed = proof.said.total(), proof.said.total() - proof.said["ok"]
    revoked = proof.vendor.tally["families revoked"]
    state = Connection.objects.get(pk=ID).state
    refreshed = TrailLeaf.objects.filter(action="integrations.token.refreshed").count()
    used = TrailLeaf.objects.filter(action="integrations.token.used").count()
    print(f"{ENGINE}, seed {SEED}: {ROUNDS} rounds of {PROCESSES} processes at one expiry")
    print(f"  refreshes a round: {dict(proof.refreshes)} (rounds by count; must be all 1)")
    print(f"  {callers:,} callers, {failed} failed: {dict(proof.said)}")
    print(f"  {revoked} families revoked, {proof.vendor.tally['refused']} refreshes refused")
    print(f"  connection {state}; trail: {refreshed:,} refreshed, {used:,} used")
    print(f"  {median(proof.seconds) * 1000:.0f} ms a round (median), {sum(proof.seconds):.0f} s")
    once = set(proof.refreshes) == {1}
    return once and not failed and not revoked and state == "active" and refreshed == ROUNDS


def main() -> None:
    vendor = Salesforce(client_id="proof", secret=uuid.uuid4().hex, redirect_uri=REDIRECT)
    vendor.start(PORT + 1)
    connect(vendor)
    connection.close()
    lots = random.Random(SEED)
    proof = Proof(vendor, [started(number) for number in range(1, PROCESSES + 1)])
    try:
        for number in range(ROUNDS):
            proof.round(number, lots.uniform(0, SLOWEST_SECONDS))
    finally:
        for process in proof.running:
            if process.stdin:
                process.stdin.close()
            process.wait(timeout=30)
    sys.exit(not report(proof))


if __name__ == "__main__":
    if WORKER:
        worker(int(WORKER))
    else:
        main()
