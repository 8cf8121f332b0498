"""Providers of messages, by name; a new one is a module and a line in this table."""

from integrations.messaging.base import MessagingProvider
from integrations.messaging.sandbox import SandboxProvider
from integrations.models import Connection

PROVIDERS: dict[str, type[SandboxProvider]] = {"sandbox": SandboxProvider}


class NoSuchProvider(LookupError):
    """The connection names a provider that this version does not have."""


def provider_for(connection: Connection) -> MessagingProvider:
    """Return the provider behind a connection.

    :raises NoSuchProvider: this version has no adapter for it.
    """
    try:
        return PROVIDERS[connection.provider](connection)
    except KeyError:
        raise NoSuchProvider(connection.provider) from None
