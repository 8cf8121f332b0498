"""May this browser open this link? Known by a cookie of that link's page; others meet a policy.

A campaign lets some browsers in by the link alone. The next one is refused, or shows by a code that
it belongs to the person (`videos.codes`); for health and other special data each one does.
"""

import hmac
from datetime import datetime
from enum import StrEnum

from accounts import keys
from videos import contents
from videos.models import Campaign, Device, Link

KIND = "videos.device"
# The law calls these special, or health: a forwarded link would tell them to somebody else.
SPECIAL = frozenset(contents.LABELS) - {contents.CHILD}


class Entry(StrEnum):
    """What a browser meets on the page of a living link."""

    OPEN = "open"
    CODE = "code"
    ELSEWHERE = "elsewhere"


class NotThisDevice(Exception):
    """The link does not open on this browser; `entry` says what would have to come first."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        super().__init__(entry.value)


def find(*, link: Link, cookie: str) -> Device | None:
    """Return the browser that a cookie names, if it is one of this link's."""
    number, _, mac = cookie.partition(".")
    if not (number.isascii() and number.isdigit() and len(number) <= 18):
        return None
    if not hmac.compare_digest(mac.encode(), _mac(link, int(number)).encode()):
        return None
    return Device.objects.filter(pk=int(number), link=link).first()


def cookie_of(*, device: Device) -> str:
    """Return what a browser's cookie holds: its number and a keyed hash; nobody can choose one."""
    return f"{device.pk}.{_mac(device.link, device.pk)}"


def step_up(*, campaign: Campaign) -> str:
    """Return when a campaign asks for a code: always where its words are about special data.

    Law: GDPR Art. 9(1) and 32(1); 45 CFR 164.312(d), whoever opens health data shows who they are.
    """
    if SPECIAL & set(contents.of(campaign)):
        return Campaign.StepUp.ALWAYS
    return str(campaign.step_up)


def entry(*, link: Link, device: Device | None) -> Entry:
    """Say what a browser meets; the caller knows that the link lives."""
    campaign = link.asset.campaign
    asks = step_up(campaign=campaign)
    if device is not None and device.proved_at is not None:
        return Entry.OPEN
    if asks == Campaign.StepUp.ALWAYS:
        return Entry.CODE
    if device is not None and device.admitted_at is not None:
        return Entry.OPEN
    let_in = Device.objects.filter(link=link, admitted_at__isnull=False, proved_at=None)
    if let_in.count() < campaign.devices_allowed:
        return Entry.OPEN
    return Entry.CODE if asks == Campaign.StepUp.BEYOND else Entry.ELSEWHERE


def admit(*, link: Link, device: Device | None, at: datetime) -> Device:
    """Let a browser in with a play of its own; the caller's transaction holds the link's row.

    :raises NotThisDevice: the campaign's policy keeps it out.
    """
    met = entry(link=link, device=device)
    if met != Entry.OPEN:
        raise NotThisDevice(met)
    if device is None:
        return Device.objects.create(link=link, created_at=at, admitted_at=at)
    if device.admitted_at is None:
        device.admitted_at = at
        device.save(update_fields=["admitted_at"])
    return device


def _mac(link: Link, number: int) -> str:
    return keys.token_index(kind=KIND, token=f"{link.pk}:{number}")
