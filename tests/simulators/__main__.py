"""Start the stand-ins for `make run`: `python -m tests.simulators PORT PID URL`.

They end when the process of that id has gone, so that Ctrl-C of the one ends the others too. Each
has a page, where our webhook's address is entered and where it can be told to misbehave. Those of
CRMs hold forty people of nobody each; a minute after they were read once, some of it changes.
"""

import os
import sys
import time

from tests.simulators import demo, desks
from tests.simulators.base import Simulator
from tests.simulators.crm_desk import CrmDesk
from tests.simulators.front import send
from tests.simulators.hubspot import HubSpot
from tests.simulators.salesforce import Salesforce
from tests.simulators.zoho import Zoho

# In the order of the ports, as config.settings has them, and before those of `desks`; the app is
# what the pages suggest.
VENDORS: tuple[tuple[str, type[Simulator]], ...] = (
    ("hubspot", HubSpot),
    ("salesforce", Salesforce),
    ("zoho", Zoho),
)
CLIENT_ID, SECRET = desks.CLIENT_ID, desks.SECRET
LATER_SECONDS = 60


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def started(slug: str, vendor: type[Simulator], port: int, public_url: str) -> Simulator:
    redirect = f"{public_url}/connections/{slug}/return/"
    found = vendor(client_id=CLIENT_ID, secret=SECRET, redirect_uri=redirect)
    found.start(port)
    return found


def main(port: int, pid: int, public_url: str) -> None:
    there = [
        started(slug, vendor, port + number, public_url)
        for number, (slug, vendor) in enumerate(VENDORS)
    ]
    people = {vendor: demo.fill(vendor) for vendor in there}
    sys.stdout.write(
        f"Stand-ins to connect at {public_url}/connections/, each with a page of its own.\n"
        f"Forty people of nobody in each; client id {CLIENT_ID}, secret {SECRET}:\n"
    )
    for number, vendor in enumerate(there):
        front = CrmDesk(vendor, public_url=public_url)
        sys.stdout.write(f"  {front.title:10} http://127.0.0.1:{port + number}/\n")
    sys.stdout.write("Opened by keys (no secrets, and filled in where an account is added):\n")
    for slug, desk in desks.all_of(public_url=public_url).items():
        address = desk.start(port + len(VENDORS) + list(desks.SLUGS).index(slug))
        keys = ", ".join(f"{name} {value}" for name, value in desks.opens(slug).items())
        sys.stdout.write(f"  {desk.title:10} {address}/  {keys}\n")
    sys.stdout.flush()
    read_at: dict[Simulator, float] = {}
    while lives(pid):
        time.sleep(1)
        for vendor in [one for one in people if demo.was_read(one)]:
            if time.monotonic() - read_at.setdefault(vendor, time.monotonic()) > LATER_SECONDS:
                for hook in demo.happen(vendor, people.pop(vendor), at=time.time()):
                    # To the one installation that started it.
                    if hook.url.startswith(f"{public_url}/hooks/"):
                        send(hook)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
