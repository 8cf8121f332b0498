"""Does a test reach out? It may not: sockets lead to this machine only."""

import ipaddress
import socket
from typing import Any

import pytest


class NetworkRefused(Exception):
    """A test tried to leave this machine."""


def _require_local(address: Any) -> None:
    if not isinstance(address, tuple) or address[0] in {"localhost", ""}:
        return
    try:
        local = ipaddress.ip_address(address[0]).is_loopback
    except ValueError:
        local = False
    if not local:
        raise NetworkRefused("tests may not leave this machine; simulate the wire instead")


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
        patch.setattr(socket, "getaddrinfo", _guarded_look_up(socket.getaddrinfo))
        yield


def _guarded(connect: Any) -> Any:
    def guarded(self: socket.socket, address: Any) -> Any:
        _require_local(address)
        return connect(self, address)

    return guarded


def _guarded_look_up(look_up: Any) -> Any:
    def guarded(host: Any, *args: Any, **kwargs: Any) -> Any:
        # A name that is looked up has already left: resolvers are told who is asked for.
        _require_local((host or "localhost",))
        return look_up(host, *args, **kwargs)

    return guarded
