"""Does the one client call only whom it may, and say truly what became of a call?"""

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from config.lib import http


class Answers(BaseHTTPRequestHandler):
    seen: list[tuple[str, str, dict[str, str], bytes]] = []

    def handle_any(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size)
        self.seen.append((self.command, self.path, dict(self.headers), body))
        status, headers, content = {
            "/moved": (302, {"Location": "https://elsewhere.example/"}, b""),
            "/large": (200, {}, b"x" * 3000),
            "/refused": (422, {}, b"no"),
        }.get(self.path, (200, {}, b"yes"))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content) + (5 if self.path == "/stalls" else 0)))
        self.end_headers()
        self.wfile.write(content)
        if self.path == "/stalls":
            self.wfile.flush()
            time.sleep(1)

    do_GET = do_POST = handle_any  # noqa: N815 the names that the base class looks for

    def log_message(self, *_args: object) -> None:
        return


@pytest.fixture
def server() -> Iterator[str]:
    Answers.seen.clear()
    running = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()


@pytest.fixture
def client() -> http.Client:
    return http.Client(hosts=["127.0.0.1"], loopback=True)


def test_a_call_brings_status_headers_and_body(server: str, client: http.Client) -> None:
    answer = client.call("POST", f"{server}/x", headers={"X-Id": "7"}, body=b"hello")
    assert (answer.status, answer.body) == (200, b"yes")
    command, path, headers, body = Answers.seen[0]
    assert (command, path, headers["X-Id"], body) == ("POST", "/x", "7", b"hello")


def test_an_answer_that_refuses_is_an_answer(server: str, client: http.Client) -> None:
    assert client.call("GET", f"{server}/refused").status == 422


def test_a_redirect_is_not_followed(server: str, client: http.Client) -> None:
    assert client.call("GET", f"{server}/moved").status == 302
    assert len(Answers.seen) == 1


def test_a_proxy_of_the_machine_is_not_used(
    server: str, client: http.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert client.call("GET", f"{server}/x").status == 200


def test_an_answer_that_is_too_large_is_refused(server: str, client: http.Client) -> None:
    with pytest.raises(http.CallFailed) as failed:
        client.call("GET", f"{server}/large", limit_bytes=2999)
    assert failed.value.outcome == "permanent"
    assert client.call("GET", f"{server}/large", limit_bytes=3000).status == 200


@pytest.mark.parametrize(
    "url",
    [
        "https://other.example/",
        "https://127.0.0.1.other.example/",
        "https://user:secret@127.0.0.1/",
        "https://127.0.0.1@other.example/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "//127.0.0.1/",
        "",
    ],
)
def test_an_address_that_is_not_allowed_is_refused(client: http.Client, url: str) -> None:
    with pytest.raises(http.Refused):
        client.call("GET", url)


def test_plain_http_is_refused_outside_of_this_machine(server: str) -> None:
    with pytest.raises(http.Refused, match="https"):
        http.Client(hosts=["127.0.0.1"]).call("GET", f"{server}/x")
    assert not Answers.seen


@pytest.mark.parametrize(
    "address", ["10.0.0.7", "192.168.1.1", "127.0.0.1", "169.254.169.254", "::1", "fd00::1"]
)
def test_a_host_that_leads_inside_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_named: found)
    with pytest.raises(http.Refused, match="private"):
        http.Client(hosts=["api.example"]).call("GET", "https://api.example/")


def test_a_name_that_is_not_found_was_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_found(*_args: object, **_named: object) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", not_found)
    with pytest.raises(http.CallFailed) as failed:
        http.Client(hosts=["api.example"]).call("GET", "https://api.example/")
    assert failed.value.outcome == "transient"


def test_a_refused_connection_was_not_called(client: http.Client) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(http.CallFailed) as failed:
        client.call("GET", f"http://127.0.0.1:{port}/")
    assert failed.value.outcome == "transient"


@pytest.mark.parametrize("path", ["/stalls"])
def test_an_answer_that_breaks_off_is_unknown(
    server: str, client: http.Client, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(http, "READ_SECONDS", 0.3)
    with pytest.raises(http.CallFailed) as failed:
        client.call("POST", f"{server}{path}", body=b"x")
    assert failed.value.outcome == "unknown"
    assert len(Answers.seen) == 1


def test_a_failure_does_not_repeat_the_address(client: http.Client) -> None:
    with pytest.raises(http.CallFailed) as failed:
        client.call("GET", "http://127.0.0.1:9/v/secret-token")
    assert "secret-token" not in str(failed.value)


def test_tls_below_1_3_is_refused() -> None:
    adapter = http._Tls13()
    context = adapter.poolmanager.connection_pool_kw["ssl_context"]
    assert context.minimum_version.name == "TLSv1_3"
    assert context.check_hostname or context.verify_mode
