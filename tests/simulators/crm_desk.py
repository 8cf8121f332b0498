"""The page of a CRM's stand-in: people there opt out, and are deleted, and we are told.

HubSpot tells us at once, signed, and Zoho unsigned; Salesforce posts nothing and is read. The
permission can be taken back, as somebody at the vendor might.
"""

import time
from collections.abc import Mapping, Sequence

from tests.simulators import demo
from tests.simulators.base import Answer, Asked, Simulator
from tests.simulators.front import Front
from tests.simulators.hubspot import HubSpot
from tests.simulators.server import JSON, Hook
from tests.simulators.zoho import Zoho

OPTS_OUT, DELETE, REVOKE = "Opts out", "Delete", "Take the permission back"
# Of each CRM: where the name and the address of a person stand, and what says no to e-mail.
MEMBERS = {
    "HubSpot": (("firstname", "lastname"), "email", "hs_email_optout"),
    "Salesforce": (("Name",), "Email", "HasOptedOutOfEmail"),
    "Zoho CRM": (("First_Name", "Last_Name"), "Email", "Email_Opt_Out"),
}
NOTES = {
    "HubSpot": "HubSpot tells Sealcast of changes at once, at the address that is entered here.",
    "Salesforce": "Salesforce tells nothing by itself: Sealcast reads what changed.",
    "Zoho CRM": "Zoho CRM tells Sealcast at once what that asked for: nothing is entered here.",
}


class CrmDesk(Front):
    """The page of one CRM."""

    wide_acts = (REVOKE,)

    def __init__(self, vendor: Simulator, *, public_url: str):
        keys = {"client id": vendor.client_id, "secret": vendor.secret}
        super().__init__(vendor.name, vendor, public_url=public_url, keys=keys)
        self.note = NOTES[vendor.name]
        vendor.front = self.front

    def front(self, asked: Asked) -> Answer:
        """Answer whoever looks at the page, or presses something there."""
        if asked.method == "POST":
            self.done(asked.form)
            return Answer(303, location="/")
        return Answer(200, self.page().encode(), "text/html; charset=utf-8")

    def done(self, form: Mapping[str, str]) -> None:
        super().done(form)
        act, row = form.get("act"), form.get("row", "")
        if act == REVOKE:
            self.vendor.end_all()
            self.said = "The permission is taken back: no token holds any more."
        elif row.isdigit() and int(row) < len(self.ids()):
            self.happen(self.ids()[int(row)], act)

    def happen(self, identity: str, act: str | None) -> None:
        """Let somebody opt out, or be deleted; tell of it where this CRM does."""
        if act == OPTS_OUT:
            demo.opt_out(self.vendor, identity)
        elif act == DELETE:
            demo.delete(self.vendor, identity, at=time.time())
        self.said = "Sealcast reads it at its next reading, or when Sync now is pressed there."
        for hook in self.hooks(identity, act):
            self.told(self.tell(hook), "the news")

    def hooks(self, identity: str, act: str | None) -> Sequence[Hook]:
        """Return what this CRM posts of something, to whoever is to be told."""
        if isinstance(self.vendor, HubSpot):
            flag = {"propertyName": "hs_email_optout", "propertyValue": "true"}
            kind, more = ("deletion", {}) if act == DELETE else ("propertyChange", flag)
            events = [self.vendor.event(kind, identity, **more)]
            body, headers = self.vendor.signed(self.webhook, events, at=time.time())
            return [Hook(self.webhook, body, JSON, headers)]
        if isinstance(self.vendor, Zoho):
            return self.vendor.hooks("delete" if act == DELETE else "edit", identity)
        return []

    def ids(self) -> list[str]:
        """Return everybody who is there, in the order of the table."""
        return [str(identity) for identity in self.vendor.people]

    def rows(self) -> list[tuple[str, ...]]:
        return [("Person", "E-mail", "State"), *(self.row(one) for one in self.ids())]

    def acts(self) -> list[tuple[str, ...]]:
        return [(OPTS_OUT, DELETE) for _ in self.ids()]

    def row(self, identity: str) -> tuple[str, ...]:
        """Return what the table says of somebody."""
        names, address, stop = MEMBERS[self.vendor.name]
        found = self.vendor.people[int(identity) if isinstance(self.vendor, HubSpot) else identity]
        held = found.get("properties", found)
        gone = found.get("archived") or found.get("IsDeleted")
        email = held.get(address, "")
        out = held.get(stop) in (True, "true") or email in getattr(self.vendor, "unsubscribed", [])
        state = "deleted" if gone else "opted out" if out else ""
        return (" ".join(str(held.get(name, "")) for name in names), email, state)
