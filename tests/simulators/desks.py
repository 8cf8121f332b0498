"""Which stand-ins have a page, in the order of their ports, and what opens each?"""

from collections.abc import Callable
from typing import Any

from integrations import stand_ins, vendors
from tests.simulators.desk import Desk, FilmDesk, HeyGenDesk, MessageDesk
from tests.simulators.did import DidSimulator
from tests.simulators.gupshup import GupshupSimulator
from tests.simulators.heygen import HeyGenSimulator
from tests.simulators.heygen_sign_in import HeyGenSignIn
from tests.simulators.sendgrid import SendGridSimulator
from tests.simulators.studios import StudioSimulator
from tests.simulators.synthesia import SynthesiaSimulator
from tests.simulators.tavus import TavusSimulator
from tests.simulators.tellers import GupshupTells, SendGridTells, TwilioTells, WatiTells
from tests.simulators.twilio import TwilioSimulator
from tests.simulators.wati import WatiSimulator

CLIENT_ID, SECRET = "demo-client", "demo-secret"
# Not worth a line on a terminal: what is no key.
KEY_NAMES = ("account_sid", "auth_token", "token", "api_key", "app_id")


def _twilio(**facts: Any) -> Desk:
    vendor = TwilioSimulator()
    vendor.templates.append(("please_confirm", "approved"))
    return MessageDesk("Twilio", vendor, TwilioTells(vendor), **facts)


def _wati(**facts: Any) -> Desk:
    vendor = WatiSimulator()
    vendor.templates.append(("please_confirm", "APPROVED"))
    return MessageDesk("WATI", vendor, WatiTells(vendor), **facts)


def _gupshup(**facts: Any) -> Desk:
    vendor = GupshupSimulator()
    vendor.templates.append(("please_confirm", "APPROVED"))
    return MessageDesk("Gupshup", vendor, GupshupTells(vendor), **facts)


def _sendgrid(**facts: Any) -> Desk:
    vendor = SendGridSimulator()
    return MessageDesk("SendGrid", vendor, SendGridTells(vendor), **facts)


def _heygen(**facts: Any) -> Desk:
    redirect = f"{facts['public_url']}/connections/heygen/return/"
    sign_in = HeyGenSignIn(client_id=CLIENT_ID, secret=SECRET, redirect_uri=redirect)
    host = vendors.TABLE["heygen"].download_hosts[0]
    return HeyGenDesk("HeyGen", HeyGenSimulator(), host, sign_in=sign_in, **facts)


def _film(title: str, slug: str, vendor: Callable[[], StudioSimulator]) -> Callable[..., Desk]:
    host = vendors.TABLE[slug].download_hosts[0]
    return lambda **facts: FilmDesk(title, vendor(), host, **facts)


SLUGS: dict[str, Callable[..., Desk]] = {
    "twilio": _twilio,
    "wati": _wati,
    "gupshup": _gupshup,
    "sendgrid": _sendgrid,
    "heygen": _heygen,
    "synthesia": _film("Synthesia", "synthesia", SynthesiaSimulator),
    "tavus": _film("Tavus", "tavus", TavusSimulator),
    "did": _film("D-ID", "did", DidSimulator),
}


def made(slug: str, *, public_url: str) -> Desk:
    """Return one stand-in with its page, not started."""
    return SLUGS[slug](public_url=public_url, keys=stand_ins.KEYS[slug])


def all_of(*, public_url: str) -> dict[str, Desk]:
    """Return all of them, in the order of their ports."""
    return {slug: made(slug, public_url=public_url) for slug in SLUGS}


def opens(slug: str) -> dict[str, str]:
    """Return the keys of a stand-in, without what is no key."""
    keys = stand_ins.KEYS[slug]
    return {name: keys[name] for name in KEY_NAMES if name in keys}
