"""How often may one network try links that do not work? Counted for all processes together.

A keyed hash puts each network into one of 65,536 parts. A row holds the count of a part for one
minute: nothing in it names anybody, the table never grows, and nothing has to be deleted. Two
networks in one part share its limit; it never stands before a link that works.
"""

import ipaddress
from datetime import datetime

from django.db import transaction
from django.db.models import F

from accounts import keys
from videos.models import MissCount

A_MINUTE = 60
PARTS_HEX = 4
# One house has at least so much of IPv6 to itself, and could try each address once.
IPV6_NETWORK = 64


def count(*, address: str, at: datetime) -> int:
    """Count one miss and return how many there were in this minute, up to one over the limit."""
    part, minute = _part(address), int(at.timestamp()) // 60
    now = MissCount.objects.filter(part=part, minute=minute)
    # Over the limit nothing is written any more: whoever guesses costs one look-up each time.
    if (so_far := now.values_list("misses", flat=True).first()) and so_far > A_MINUTE:
        return so_far
    with transaction.atomic():
        if not now.update(misses=F("misses") + 1):
            _begin(part, minute)
        return now.values_list("misses", flat=True).first() or 1


def _begin(part: int, minute: int) -> None:
    MissCount.objects.bulk_create([MissCount(part=part)], ignore_conflicts=True)
    older = MissCount.objects.filter(part=part, minute__lt=minute)
    if not older.update(minute=minute, misses=1):
        # Somebody else began the minute between the two statements.
        MissCount.objects.filter(part=part).update(misses=F("misses") + 1)


def _part(address: str) -> int:
    try:
        wire = ipaddress.ip_address(address)
    except ValueError:
        network = "unknown"
    else:
        size = wire.max_prefixlen if wire.version == 4 else IPV6_NETWORK
        network = str(ipaddress.ip_network((wire, size), strict=False))
    return int(keys.token_index(kind="videos.miss", token=network)[:PARTS_HEX], 16)
