"""What has a person to enter at a CRM, so that it tells us at once? Where no API takes it from us.

HubSpot's subscriptions belong to the app, and not to an account: they are set by a developer's key
that nobody gives us (apps of before June 2026 alone), or stand in the files of the app's project.
"""

import json
from dataclasses import dataclass, field

from integrations import keyed
from integrations.crm import mapping
from integrations.models import Connection, CrmSync

# Posts at the same time, at most.
AT_ONCE = 10
PLAIN = ("contact.creation", "contact.deletion", "contact.merge", "contact.restore")
PRIVACY, CHANGE = "contact.privacyDeletion", "contact.propertyChange"


@dataclass(frozen=True)
class Entry:
    """What is entered: the address, its events one a line, and both as a project's file."""

    address: str = field(repr=False)
    events: str
    component: str = field(repr=False)


def of(*, connection: Connection) -> Entry | None:
    """Return what is to be entered for a connection; none where nothing is, or nobody reads yet."""
    sync = CrmSync.objects.filter(pk=connection.pk).first()
    address = keyed.webhook_address(connection=connection)
    if connection.provider != "hubspot" or sync is None or not address:
        return None
    names = properties(fields=sync.fields)
    lines = [*PLAIN, PRIVACY, *(f"{CHANGE} {name}" for name in names)]
    return Entry(address, "\n".join(lines), _component(address, names))


def properties(*, fields: dict[str, str]) -> list[str]:
    """Return the properties of a contact whose changes are to be told of."""
    plain = {theirs for ours, theirs in fields.items() if ours != mapping.SUBSCRIPTIONS}
    return sorted(plain | set(mapping.opt_outs(fields=fields)))


def _component(address: str, names: list[str]) -> str:
    rows = [{"subscriptionType": kind, "active": True} for kind in PLAIN]
    rows += [{"subscriptionType": CHANGE, "propertyName": name, "active": True} for name in names]
    told = {
        "legacyCrmObjects": rows,
        "hubEvents": [{"subscriptionType": PRIVACY, "active": True}],
    }
    settings = {"targetUrl": address, "maxConcurrentRequests": AT_ONCE}
    config = {"settings": settings, "subscriptions": told}
    return json.dumps({"uid": "sealcast_webhooks", "type": "webhooks", "config": config}, indent=2)
