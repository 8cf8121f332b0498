"""How does Sealcast speak to the outside? One client: TLS 1.3, pinned hosts, no redirects."""

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.util.ssl_ import create_urllib3_context

CONNECT_SECONDS = 3
READ_SECONDS = 10
# From the first byte of an answer to its last: one that drips would hold a worker for ever.
WHOLE_SECONDS = 60
CHUNK_BYTES = 1 << 16
BODY_LIMIT_BYTES = 1 << 20

Outcome = Literal["permanent", "transient", "unknown"]


class Refused(Exception):
    """The address is not one that this client may call."""


class CallFailed(Exception):
    """The call brought no answer; `outcome` says whether it may have arrived."""

    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(reason)
        self.outcome: Outcome = outcome


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class _Tls13(HTTPAdapter):
    def init_poolmanager(self, *args: object, **kwargs: object) -> None:
        context = create_urllib3_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        super().init_poolmanager(*args, ssl_context=context, **kwargs)  # type: ignore[arg-type]


class Client:
    """A client for one provider: it calls the hosts it was given and no other."""

    def __init__(self, *, hosts: Iterable[str], loopback: bool = False) -> None:
        self._hosts = frozenset(hosts)
        self._loopback = loopback
        self._session = requests.Session()
        # A proxy or .netrc of the machine must not see or sign our calls.
        self._session.trust_env = False
        self._session.mount("https://", _Tls13())

    def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        limit_bytes: int = BODY_LIMIT_BYTES,
        whole_seconds: float = 0,
    ) -> Answer:
        """Send one request and return its answer, whatever its status.

        `whole_seconds` is how long the answer may take to come, where that is not WHOLE_SECONDS.
        :raises Refused: the scheme, host or address is not allowed.
        :raises CallFailed: no whole answer came; `transient` if nothing was sent.
        """
        self._require_allowed(url)
        try:
            with self._session.request(
                method,
                url,
                headers=dict(headers or {}),
                data=body,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
                stream=True,
            ) as response:
                ends = time.monotonic() + (whole_seconds or WHOLE_SECONDS)
                content = _read(response.raw, limit_bytes, ends)
                return Answer(response.status_code, dict(response.headers), content)
        except requests.ConnectTimeout:
            raise CallFailed("transient", "no connection in time") from None
        except (requests.RequestException, HTTPError, OSError) as error:
            if _never_left(error):
                raise CallFailed("transient", "no connection") from None
            # After the request left nobody can say whether it was acted upon.
            raise CallFailed("unknown", type(error).__name__) from None

    def _require_allowed(self, url: str) -> None:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if host not in self._hosts or parts.username or parts.password:
            raise Refused("the host is not one of this provider's")
        if parts.scheme != "https" and not (self._loopback and parts.scheme == "http"):
            raise Refused("only https may be called")
        require_public(host=host, port=parts.port or 443, loopback=self._loopback)


class Adapter(BaseAdapter):
    """Lets a library that is built on requests speak through `call`, and in no other way.

    `call` takes what `Client.call` takes; a redirect ends the call, whatever the library would do.
    """

    def __init__(self, call: Callable[..., Answer]) -> None:
        super().__init__()
        self._call = call

    def send(self, request: requests.PreparedRequest, **_options: Any) -> requests.Response:  # type: ignore[override]
        body = request.body.encode() if isinstance(request.body, str) else request.body
        headers = {k: v for k, v in request.headers.items() if k.lower() != "content-length"}
        answer = self._call(request.method, request.url, headers=headers, body=body)
        if 300 <= answer.status < 400:
            raise CallFailed("unknown", "a redirect, which is not followed")
        response = requests.Response()
        response.status_code, response._content = answer.status, answer.body
        response.headers.update(answer.headers)
        response.request, response.url = request, request.url or ""
        return response

    def close(self) -> None:
        return


def guarded(session: requests.Session, *, call: Callable[..., Answer]) -> None:
    """Take every way out of a session of requests but the one through `call`."""
    session.trust_env = False
    session.adapters.clear()
    session.mount("https://", Adapter(call))


def require_public(*, host: str, port: int, loopback: bool = False) -> None:
    """Refuse a host that leads into a private network; `loopback` allows this machine itself.

    :raises Refused: it does.
    :raises CallFailed: it has no address.
    """
    for info in _addresses(host, port):
        address = ipaddress.ip_address(info[4][0])
        if not address.is_global and not (loopback and address.is_loopback):
            raise Refused("the host has a private address")


def _addresses(host: str, port: int) -> list[tuple[Any, ...]]:
    try:
        return list(socket.getaddrinfo(host, port, proto=socket.IPPROTO_TCP))
    except OSError:
        raise CallFailed("transient", "the host's address was not found") from None


def _read(raw: Any, limit_bytes: int, ends: float) -> bytes:
    content = bytearray()
    while part := raw.read1(CHUNK_BYTES, decode_content=True):
        content += part
        if len(content) > limit_bytes:
            raise CallFailed("permanent", "the answer is larger than allowed")
        if time.monotonic() > ends:
            raise CallFailed("unknown", "the answer took too long")
    return bytes(content)


def _never_left(error: Exception) -> bool:
    # The connection itself was refused: not one byte of the request was sent.
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", None), NewConnectionError)
