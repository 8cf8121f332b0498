"""Does a killed reading of a CRM lose or double anybody? Readers are killed at random moments.

`make prove-sync SEED=1 KILLS=30 PEOPLE=18000 ENGINE=postgres`. Real processes read a simulated CRM
by the product's own code until SIGKILL takes them, between two pages or in the midst of one;
another begins where the cursor stands. Leases are given back by the judge, who need not wait three
minutes for them. Exit status 1 if somebody is lost, double, without a key that opens or without
their entry in the trail.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime

SEED = int(os.environ.get("SEED", "1"))
KILLS = int(os.environ.get("KILLS", "30"))
ENGINE = os.environ.get("ENGINE", "postgres")
os.environ["CONTACTS"] = str(PEOPLE := int(os.environ.get("PEOPLE", str(600 * KILLS))))
# By how much the simulator is slower than the machine: a kill then meets all stages of a page.
os.environ.setdefault("LATENCY_MS", "20")
LONGEST_LIFE_SECONDS = 1.0

from benchmarks import ground, sync


def forked(address: str) -> int:
    """Read in a process of its own, until the end or a signal."""
    from django.db import connections

    connections.close_all()
    pid = os.fork()
    if pid:
        return pid
    try:
        read(address)
    finally:
        # No clean-up of the parent's: the database server and the home are its own.
        os._exit(0)


def read(address: str) -> None:
    from django.conf import settings

    from consent import crm_sync
    from consent.crm_ahead import Ahead
    from integrations.models import CrmSync

    settings.SIMULATORS = {"hubspot": address}
    row = CrmSync.objects.get()
    lease = crm_sync.take(connection_id=row.pk, at=datetime.now(UTC))
    assert lease is not None
    with Ahead() as ahead:
        while crm_sync.read_page(connection_id=row.pk, lease=lease, ahead=ahead).more:
            pass


def kill_and_begin_again(address: str, lots: random.Random) -> Counter[str]:
    """Kill readers until there were enough kills, then let one read to the end."""
    from integrations.models import CrmSync

    found: Counter[str] = Counter()
    while CrmSync.objects.get().finished_at is None:
        pid, before = forked(address), CrmSync.objects.get().step
        if found["kills"] < KILLS:
            time.sleep(lots.uniform(0.02, LONGEST_LIFE_SECONDS))
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        found["kills"] += os.WIFSIGNALED(status)
        found["readers that kept no page"] += CrmSync.objects.get().step == before
        CrmSync.objects.update(lease_id=None, lease_until=None)
    return found


def judge() -> list[str]:
    """Return what is wrong."""
    from accounts import keys
    from accounts.models import TrailLeaf
    from consent.models import ConsentEvent, Contact, CrmLink, Revocation
    from integrations.models import CrmSync

    at, stopped = datetime.now(UTC), PEOPLE // 20
    leaves = TrailLeaf.objects.filter(action="consent.contact.registered")
    counted = {
        "contacts": Contact.objects.count(),
        "links": CrmLink.objects.count(),
        "records linked": CrmLink.objects.values("record_id").distinct().count(),
        "people linked": CrmLink.objects.values("contact").distinct().count(),
        "people counted new": CrmSync.objects.get().counts["new"],
        "entries in the trail": leaves.values("subject_id").distinct().count(),
        "keys that open": sum(
            keys.opens(key=row.key, at=at) for row in Contact.objects.select_related("key")
        ),
    }
    wrong = [f"{name}: {count}" for name, count in counted.items() if count != PEOPLE]
    stops = Revocation.objects.count(), ConsentEvent.objects.filter(kind="withdrawn").count()
    return wrong + ([f"stops: {stops}"] if stops != (stopped, stopped) else [])


def main() -> int:
    command = [sys.executable, "-m", "benchmarks.sync", "serve"]
    server = subprocess.Popen(
        command,
        cwd=sync.ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # It complains of each reader that goes in the midst of an answer.
        stderr=subprocess.DEVNULL,
    )
    assert server.stdout is not None
    address = server.stdout.readline().decode().strip()
    try:
        ground.prepare(ENGINE)
        from consent import purposes

        now = datetime.now(UTC)
        purposes.ensure_defaults(at=now)
        sync.connect(now)
        print(f"{ENGINE}, seed {SEED}: {PEOPLE:,} people, {KILLS} kills")
        found, wrong = kill_and_begin_again(address, random.Random(SEED)), judge()
    finally:
        server.terminate()
    for name, count in found.items():
        print(f"{count:6} {name}")
    for line in wrong:
        print("WRONG", line)
    print("nobody lost, nobody double" if not wrong else f"{len(wrong)} wrong")
    return int(bool(wrong) or found["kills"] < KILLS)


if __name__ == "__main__":
    sys.exit(main())
