"""Which reader knows a connection's CRM?"""

from collections.abc import Callable, Mapping

from config.lib import clock
from integrations.crm.asking import Asker
from integrations.crm.base import Crm, CrmError
from integrations.crm.hubspot import HubSpot
from integrations.crm.salesforce import Salesforce
from integrations.crm.zoho import Zoho
from integrations.models import Connection
from integrations.tokens import Now

READERS: Mapping[str, Callable[[Asker, Mapping[str, str]], Crm]] = {
    "hubspot": HubSpot,
    "salesforce": Salesforce,
    "zoho": Zoho,
}
__all__ = ["READERS", "Crm", "CrmError", "NoSuchCrm", "reader_for"]


class NoSuchCrm(LookupError):
    """No CRM of that name can be read."""


def reader_for(
    *,
    connection: Connection,
    fields: Mapping[str, str],
    now: Now = clock.now,
    leaving: Callable[[], object] | None = None,
) -> Crm:
    """Return the reader of a connection; it asks for these fields and no others.

    `leaving` is called when a request is about to leave and needs no database any more.
    :raises NoSuchCrm: there is none for this provider.
    """
    if connection.provider not in READERS:
        raise NoSuchCrm(connection.provider)
    asker = Asker(
        connection_id=connection.pk, provider=connection.provider, now=now, leaving=leaving
    )
    return READERS[connection.provider](asker, fields)
