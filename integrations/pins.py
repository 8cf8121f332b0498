"""Which hosts and which account does a provider's answer name, and may it?

What comes back through a browser, or from an answer, is somebody's word. A host is taken only from
a list or a suffix that we hold; once pinned, it does not change until somebody disconnects.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from integrations import providers
from integrations.providers import Provider

# An organisation's id has 15 letters, or 18 with a check: the first 15 say which it is.
SALESFORCE_ID = re.compile(r"/id/(00D[A-Za-z0-9]{12})(?:[A-Z0-9]{3})?/[A-Za-z0-9]{15,18}")
NUMBER = re.compile(r"[0-9]{1,20}")


class PinRefused(Exception):
    """An answer names a host or an account that this connection may not have; `code` says which."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Pins:
    """Where the API of a connection answers, and whose account it is (empty if not told)."""

    api_host: str
    account_id: str


def token_host(*, provider: Provider, login_host: str, told: Mapping[str, str]) -> str:
    """Return the host where the code is exchanged; `told` are the parameters of the callback.

    :raises PinRefused: the callback names a host that is not one of the provider's. Whoever it is
        would receive our client secret.
    """
    if provider.token_hosts:
        return provider.token_hosts[0]
    if not provider.data_centres or "accounts-server" not in told:
        return login_host
    server = told["accounts-server"]
    host = providers.host_of(server)
    if host not in provider.data_centres or server != f"https://{host}":
        raise PinRefused("accounts_server")
    return host


def is_issuer(*, issuer: str, login_host: str, token_host: str) -> bool:
    """Say whether `iss` of a callback names the server that we asked (RFC 9207)."""
    return issuer in {f"https://{login_host}", f"https://{token_host}"}


def of_answer(*, provider: Provider, token_host: str, answer: Mapping[str, Any]) -> Pins:
    """Read where the API answers and whose account it is from an answer with tokens.

    :raises PinRefused: a host is not one of the provider's, or what must be told is not.
    """
    if provider.api_suffixes:
        return Pins(_instance(provider, answer), _organisation(provider, answer))
    if provider.data_centres:
        return Pins(_data_centre(provider, token_host, answer), "")
    account = str(answer.get("hub_id", ""))
    return Pins(provider.api_hosts[0], account if NUMBER.fullmatch(account) else "")


def require_same(*, pinned: Pins, found: Pins) -> None:
    """Refuse an answer that moves a connection to another host or account.

    :raises PinRefused: it does.
    """
    if found.api_host != pinned.api_host:
        raise PinRefused("api_host_moved")
    # HubSpot tells the account when it connects, and need not when it refreshes.
    if found.account_id and found.account_id != pinned.account_id:
        raise PinRefused("account_changed")


def _instance(provider: Provider, answer: Mapping[str, Any]) -> str:
    host = providers.host_of(str(answer.get("instance_url", "")))
    if not providers.is_api_host(provider=provider, host=host):
        raise PinRefused("api_host")
    return host


def _organisation(provider: Provider, answer: Mapping[str, Any]) -> str:
    told = str(answer.get("id", ""))
    host = providers.host_of(told)
    found = SALESFORCE_ID.fullmatch(urlsplit(told).path) if host else None
    if found is None or not providers.is_login_host(provider=provider, host=host):
        raise PinRefused("account")
    return found[1]


def _data_centre(provider: Provider, token_host: str, answer: Mapping[str, Any]) -> str:
    expected = provider.data_centres[token_host]
    told = answer.get("api_domain", f"https://{expected}")
    if told != f"https://{expected}":
        raise PinRefused("api_host")
    return expected
