"""Providers of messages, by name; a new one is a module and a line in this table."""

from collections.abc import Callable

from integrations.messaging.base import MessagingProvider
from integrations.messaging.gupshup import GupshupProvider
from integrations.messaging.sandbox import SandboxProvider
from integrations.messaging.sendgrid import SendGridProvider
from integrations.messaging.smtp import SmtpProvider
from integrations.messaging.twilio import TwilioProvider
from integrations.messaging.wati import WatiProvider
from integrations.models import Connection

PROVIDERS: dict[str, Callable[[Connection], MessagingProvider]] = {
    "sandbox": SandboxProvider,
    "twilio": TwilioProvider,
    "wati": WatiProvider,
    "gupshup": GupshupProvider,
    "smtp": SmtpProvider,
    "sendgrid": SendGridProvider,
}


class NoSuchProvider(LookupError):
    """The connection names a provider that this version does not have."""


def provider_for(connection: Connection) -> MessagingProvider:
    """Return the provider behind a connection.

    :raises NoSuchProvider: this version has no adapter for it.
    """
    adapter = PROVIDERS.get(connection.provider)
    if adapter is None:
        raise NoSuchProvider(connection.provider)
    return adapter(connection)
