"""Which CRM do the tests read? A simulated one on loopback, with people of nobody."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from accounts.audit import SYSTEM
from consent import contacts, crm_sync, purposes
from consent.models import Contact, CrmLink
from integrations.crm import mapping, syncs
from integrations.models import CrmSync
from tests.integrations import dance as dances
from tests.integrations.dance import Clock, Dance


class Reading:
    """One connected CRM, its simulator, and a clock that both go by."""

    def __init__(self, dance: Dance) -> None:
        self.dance, self.vendor, self.clock = dance, dance.vendor, Clock(dance.vendor)
        purposes.ensure_defaults(at=self.clock.at - timedelta(days=1))
        self.row = dance.connect()
        self.map()

    def map(self, **more: str) -> None:
        chosen = {**mapping.usual(provider=self.row.provider), **more}
        syncs.set_up(connection=self.row, chosen=chosen, at=self.clock(), actor=SYSTEM)

    def take(self) -> Any:
        return crm_sync.take(connection_id=self.row.pk, at=self.clock())

    def page(self, lease: Any) -> crm_sync.Step:
        return crm_sync.read_page(connection_id=self.row.pk, lease=lease, now=self.clock)

    def whole(self) -> dict[str, int]:
        """Read a whole round; return what it counted."""
        self.clock.move(crm_sync.EVERY.total_seconds())
        lease = self.take()
        for _ in range(200):
            if not self.page(lease).more:
                break
        counts = self.sync().counts
        return {name: counts[name] for name in sorted(counts) if name not in {"pages", "same"}}

    def sync(self) -> CrmSync:
        return CrmSync.objects.get(pk=self.row.pk)

    def contact(self, record_id: str) -> Contact:
        return CrmLink.objects.get(record_id=record_id).contact

    def name(self, record_id: str) -> str:
        return contacts.opened(contact=self.contact(record_id), at=self.clock()).name


@contextmanager
def reading(slug: str) -> Iterator[Reading]:
    with dances.dancing(slug) as dance:
        yield Reading(dance)
