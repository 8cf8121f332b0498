"""What does the trail keep of an act on a connection? The act, the connection and its provider."""

from datetime import datetime

from accounts import audit
from integrations.models import Connection


def note(
    act: str,
    *,
    connection: Connection | None,
    at: datetime,
    actor: audit.Actor = audit.SYSTEM,
    **details: audit.Detail,
) -> None:
    """Record `act`, such as "token.refreshed", in the trail, in the caller's transaction.

    Without a connection, as of a callback that belongs to none, `details` name the provider.
    """
    named: dict[str, audit.Detail] = {"provider": connection.provider} if connection else {}
    audit.record(
        action=f"integrations.{act}",
        at=at,
        actor=actor,
        object_type="integrations.connection",
        object_id=str(connection.pk) if connection else "",
        details={**named, **details},
    )
