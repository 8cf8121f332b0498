"""Which provider of AI video stands behind a connection? One table, a line for each.

Apart from the package itself: the studio's own process loads that, and must not load Django.
"""

from collections.abc import Callable

from integrations.models import Connection
from integrations.video.base import VideoProvider
from integrations.video.did import DidProvider
from integrations.video.heygen import HeyGenProvider
from integrations.video.local import LocalProvider
from integrations.video.synthesia import SynthesiaProvider
from integrations.video.tavus import TavusProvider

PROVIDERS: dict[str, Callable[[Connection], VideoProvider]] = {
    "local": LocalProvider,
    "heygen": HeyGenProvider,
    "synthesia": SynthesiaProvider,
    "tavus": TavusProvider,
    "did": DidProvider,
}


class NoSuchProvider(LookupError):
    """The connection names a provider that this version does not have."""


def provider_for(connection: Connection) -> VideoProvider:
    """Return the provider behind a connection.

    :raises NoSuchProvider: this version has no adapter for it.
    """
    try:
        return PROVIDERS[connection.provider](connection)
    except KeyError:
        raise NoSuchProvider(connection.provider) from None
