"""What does a browser ask for by itself? The opt-out signal (GPC), kept for its person."""

from datetime import datetime

from accounts.audit import Actor
from consent import ledger, places, rulebook
from consent.models import ConsentEvent, Contact, Revocation

GPC = "gpc"
HEADER = "Sec-GPC"
# Since when this house keeps to the signal, as its `.well-known/gpc.json` says.
KEPT_SINCE = "2026-11-25"


def is_sent(*, value: str | None) -> bool:
    """Say whether the header of a request asks not to be shared or tracked; pure.

    Law: W3C Global Privacy Control: exactly `1`; anything else says nothing.
    """
    return value is not None and value.strip() == "1"


def gpc(*, contact: Contact, at: datetime) -> list[ConsentEvent]:
    """Take a person's opt-out signal: what the packs of their places name ends, on every channel.

    It ends no messages; seen again, it changes nothing. Called on a POST of a page whose token
    names the person. A GET changes nothing, so it records none; it is treated as opted out all the
    same, since no page shares or counts anything on a GET.
    Law: 11 CCR 7025; Cal. Civ. Code 1798.135(b).
    :raises BadRule: a rule pack cannot be read.
    """
    lands = places.countries(places.known_of(contact))
    rules = rulebook.told("signal", countries=lands, at=at)
    ended = {code for rule in rules if rule.signal == GPC for code in rule.purposes}
    if not ended:
        return []
    return ledger.withdraw(
        contact=contact,
        purposes=sorted(ended),
        act=ConsentEvent.Act.SIGNAL,
        means=Revocation.Means.SIGNAL,
        source=GPC,
        at=at,
        actor=Actor("recipient", contact.public_id),
    )
