"""Start the stand-ins of the CRMs for `make run`: `python -m tests.simulators PORT PID`.

They end when the process of that id has gone, so that Ctrl-C of the one ends the others too.
"""

import os
import sys
import time

from tests.simulators.base import Simulator
from tests.simulators.hubspot import HubSpot
from tests.simulators.salesforce import Salesforce
from tests.simulators.zoho import Zoho

# In the order of the ports, as config.settings has them; the app is what the pages suggest.
VENDORS: tuple[tuple[str, type[Simulator]], ...] = (
    ("hubspot", HubSpot),
    ("salesforce", Salesforce),
    ("zoho", Zoho),
)


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def main(port: int, pid: int, public_url: str) -> None:
    for number, (slug, vendor) in enumerate(VENDORS):
        redirect = f"{public_url}/connections/{slug}/return/"
        vendor(client_id="demo-client", secret="demo-secret", redirect_uri=redirect).start(
            port + number
        )
    while lives(pid):
        time.sleep(1)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
