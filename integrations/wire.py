"""How does a request reach a provider? To pinned hosts only; in the demo, to its stand-in."""

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from django.conf import settings

from config.lib import http
from integrations import providers


def call(
    *,
    provider: str,
    hosts: Iterable[str],
    method: str,
    url: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    limit_bytes: int = http.BODY_LIMIT_BYTES,
) -> http.Answer:
    """Send one request to one of the pinned hosts; a redirect is an answer and is not followed.

    :raises config.lib.http.Refused: the host is not pinned, or leads to a private address.
    :raises config.lib.http.CallFailed: no whole answer came.
    """
    pinned = frozenset(hosts)
    if providers.host_of(url) not in pinned:
        raise http.Refused("the host is not one of this connection's")
    if provider in settings.SIMULATORS:
        client = http.Client(hosts=["127.0.0.1"], loopback=True)
    else:
        client = http.Client(hosts=pinned)
    address = shown(provider=provider, url=url)
    return client.call(method, address, headers=headers, body=body, limit_bytes=limit_bytes)


def shown(*, provider: str, url: str) -> str:
    """Return the address as it is opened: the provider's own, or that of its stand-in."""
    base = settings.SIMULATORS.get(provider)
    if base is None:
        return url
    parts = urlsplit(url)
    # The stand-in answers for several hosts: the first part of the path says for which.
    return f"{base}/{parts.netloc}{parts.path}" + (f"?{parts.query}" if parts.query else "")
