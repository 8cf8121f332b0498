"""Read many contacts from a simulated CRM, beside reading the same pages and throwing them away.

`make bench-sync CONTACTS=1000000 ENGINE=sqlite LATENCY_MS=100`. The simulator runs in a process of
its own. Prints contacts a second of both, their ratio (goal: 0.5), and the memory of the reader
after the first tenth and at the end (goal: flat); exit status 1 if somebody is lost or double.

A page of a hundred takes LATENCY_MS. A hundred are the least that HubSpot can take for them from an
app that signs in by OAuth, whatever reads: it lets one ask a hundred times in ten seconds
(developers.hubspot.com/apisbytier). With 0 the simulator answers with all it has, tens of thousands
of contacts a second, which no CRM does: that shows the pace of our own writing.
"""

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import phonenumbers

CONTACTS = int(os.environ.get("CONTACTS", "1000000"))
ENGINE = os.environ.get("ENGINE", "sqlite")
LATENCY = float(os.environ.get("LATENCY_MS", "100")) / 1000
TOKEN = "a-bench"  # noqa: S105  of nobody
PAGE = 100
GROWTH_MB = 30
ROOT = Path(__file__).resolve().parent.parent


def serve() -> None:
    """Serve people of nobody who are made as they are asked for: none is held."""
    from tests.simulators.base import Family
    from tests.simulators.hubspot import HubSpot

    class Many(HubSpot):
        def numbers(self, archived: bool, after: int, count: int) -> list[int]:  # noqa: FBT001
            return [] if archived else list(range(after + 1, min(after + count, CONTACTS) + 1))

        def row(self, number: int, names: list[str] | None) -> dict[str, Any]:
            # A sleep of nothing takes its time as well.
            if LATENCY and number % PAGE == 1:
                time.sleep(LATENCY)
            return {"id": str(number), "properties": _person(number), "archived": False}

    vendor = Many(client_id="", secret="", redirect_uri="")
    vendor.access[TOKEN] = (Family("", "", ""), float("inf"))
    print(vendor.start(), flush=True)
    sys.stdin.read()


@lru_cache(maxsize=1)
def _areas() -> list[int]:
    """Return the area codes that are in use: of others the library looks in every country."""
    numbers = {area: phonenumbers.parse(f"+1{area}5550100") for area in range(200, 1000)}
    return [area for area, number in numbers.items() if phonenumbers.is_valid_number(number)]


def _person(number: int) -> dict[str, str]:
    place, line = divmod(number, 100)
    return {
        "firstname": "Nobody",
        "lastname": "".join(chr(ord("a") + int(digit)) for digit in str(number)).title(),
        "email": f"n{number}@example.org",
        # A hundred numbers of each area are kept free for fiction; whoever comes later has none.
        "mobilephone": f"+1{_areas()[place]}55501{line:02d}" if place < len(_areas()) else "",
        "hs_language": "en",
        "hs_country_region_code": "US",
        "city": "Springfield",
        "hs_email_optout": "true" if number % 20 == 0 else "",
        "lastmodifieddate": "2026-11-01T00:00:00.000Z",
    }


def plain(address: str) -> float:
    """Read every page by a plain client and throw it away; return seconds."""
    import requests  # noqa: TID251  what the product is measured against

    session, began, after, count = requests.Session(), time.perf_counter(), "", 0
    base = f"{address}/api.hubapi.com/crm/objects/2026-03/contacts?limit={PAGE}&archived=false"
    while True:
        answer = session.get(
            base + (f"&after={after}" if after else ""),
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=30,
        )
        found = json.loads(answer.content)
        count += len(found["results"])
        if "paging" not in found:
            break
        after = found["paging"]["next"]["after"]
    assert count == CONTACTS, count
    return time.perf_counter() - began


def rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def main() -> int:
    from benchmarks import ground

    command = [sys.executable, "-m", "benchmarks.sync", "serve"]
    server = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert server.stdout is not None
    address = server.stdout.readline().decode().strip()
    try:
        reference = plain(address)
        ground.prepare(ENGINE)
        seconds, memory = read(address)
        return report(reference, seconds, memory)
    finally:
        server.terminate()


def read(address: str) -> tuple[float, list[float]]:
    """Read all by the product's own code; return seconds, and memory on the way."""
    from django.conf import settings

    from consent import crm_sync, purposes
    from consent.crm_ahead import Ahead
    from integrations.models import CrmSync

    settings.SIMULATORS = {"hubspot": address}
    now = datetime.now(UTC)
    purposes.ensure_defaults(at=now)
    row = connect(now)
    memory: list[float] = []
    began, own = time.perf_counter(), time.process_time()
    lease = crm_sync.take(connection_id=row.pk, at=datetime.now(UTC))
    assert lease is not None
    with Ahead() as ahead:
        while crm_sync.read_page(connection_id=row.pk, lease=lease, ahead=ahead).more:
            came = CrmSync.objects.get().counts["read"]
            if came * 10 >= CONTACTS * (len(memory) + 1):
                memory.append(rss_mb())
                print(f"{came:>9,} read, {memory[-1]:.0f} MB", flush=True)
    # Beside others on a machine, the processor's own seconds say more than the clock's.
    print(f"{(time.process_time() - own) / CONTACTS * 1000:.2f} ms of one core a contact")
    return time.perf_counter() - began, [*memory, rss_mb()]


def connect(now: datetime) -> Any:
    """Connect without the dance: the simulator knows this token."""
    from accounts.audit import SYSTEM
    from integrations import oauth, providers
    from integrations.crm import mapping, syncs
    from integrations.models import Connection, OAuthGrant

    row = Connection.objects.create(
        id=oauth.connection_id(provider=providers.get("hubspot")),
        kind="crm",
        provider="hubspot",
        label="HubSpot",
        auth_kind="oauth_code",
        created_at=now,
    )
    tokens = {"access": TOKEN, "refresh": "", "previous": ""}
    OAuthGrant.objects.create(connection=row, api_host="api.hubapi.com", tokens_sealed=tokens)
    fields = mapping.usual(provider="hubspot")
    syncs.set_up(connection=row, chosen=fields, at=now, actor=SYSTEM)
    return row


def report(reference: float, seconds: float, memory: list[float]) -> int:
    from consent.models import Contact, CrmLink
    from integrations.models import CrmSync

    kept, links, counts = Contact.objects.count(), CrmLink.objects.count(), CrmSync.objects.get()
    whole = kept == links == CONTACTS == counts.counts["new"]
    flat = memory[-1] - memory[0] <= GROWTH_MB
    ratio = reference / seconds
    print(f"{CONTACTS:,} contacts on {ENGINE}, {LATENCY * 1000:.0f} ms a page")
    print(f"read and thrown away  {CONTACTS / reference:>9,.0f} a second")
    print(f"read, sealed, kept    {CONTACTS / seconds:>9,.0f} a second, {ratio:.3f}x (goal 0.5)")
    print(f"memory {memory[0]:.0f} MB at a tenth, {memory[-1]:.0f} MB at the end: ", end="")
    print("flat" if flat else "it grew")
    print("nobody lost, nobody double" if whole else f"kept {kept}, linked {links}: NOT WHOLE")
    return 0 if whole and flat else 1


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve()
    else:
        sys.exit(main())
