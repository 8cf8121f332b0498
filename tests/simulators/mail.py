"""A mail server on this machine: TLS by STARTTLS, a user, and a way to fail at every command."""

import base64
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

USER, PASSWORD = "nobody", "password-of-nobody"
# What each misbehaviour means for the letter; an empty word: it was taken.
OUTCOMES = {
    "banner_421": "transient",
    "banner_garbage": "transient",
    "banner_none": "transient",
    "no_starttls": "transient",
    "starttls_454": "transient",
    "starttls_plain": "transient",
    "other_name": "transient",
    "expired": "transient",
    "unknown_authority": "transient",
    "old_tls": "transient",
    "auth_535": "transient",
    "auth_454": "transient",
    "auth_closed": "transient",
    "mail_451": "transient",
    "mail_553": "transient",
    "mail_closed": "transient",
    "rcpt_451": "transient",
    "rcpt_550": "permanent",
    "rcpt_closed": "transient",
    "rcpt_garbage": "transient",
    "data_451": "transient",
    "data_554": "permanent",
    "data_closed": "unknown",
    "end_451": "transient",
    "end_552": "permanent",
    "end_closed": "unknown",
    "end_reset": "unknown",
    "end_none": "unknown",
    "end_garbage": "unknown",
    "end_long": "unknown",
    "end_354": "unknown",
    "quit_closed": "",
}
LINES = {"garbage": "hello?", "long": "250 " + "x" * 20_000, "354": "354 once more"}


class MailSimulator:
    """The server; `mode` is a command and what becomes of it, such as `rcpt_550`."""

    def __init__(self, folder: Path) -> None:
        self.mode = ""
        # The words after the status of a refusal.
        self.words = "5.7.1 no"
        self.letters: list[tuple[str, str, bytes]] = []
        self.commands: list[str] = []
        self.released = threading.Event()
        self.folder = folder
        self.authority = str(certificate(folder, "own"))
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]

    def __enter__(self) -> Self:
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def context(self) -> ssl.SSLContext:
        """Return what secures a connection, or fails to."""
        kind = self.mode if self.mode in {"other_name", "expired", "unknown_authority"} else "own"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate(self.folder, kind))
        if self.mode == "old_tls":
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        return context


def _handler(server: MailSimulator) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            try:
                _Talk(server, self.request).run()
            except (OSError, ValueError, EOFError):
                return

    return Handler


class _Talk:
    """One connection."""

    def __init__(self, server: MailSimulator, wire: Any) -> None:
        self.server, self.wire, self.is_secure = server, wire, False
        self.sender = self.address = ""
        self.read = wire.makefile("rb")

    def run(self) -> None:
        self.reply("banner", "220 mail.example.org")
        while True:
            line = self.read.readline().decode().strip()
            word = line.partition(" ")[0].lower()
            self.server.commands.append(word)
            act: Callable[[str], object] | None = getattr(self, f"say_{word}", None)
            if not line:
                raise EOFError
            if act is None:
                self.say("502 what?")
            else:
                act(line)

    def say(self, line: str) -> None:
        self.wire.sendall(f"{line}\r\n".encode())

    def reply(self, command: str, line: str) -> bool:
        """Answer a command, or misbehave; tell whether it went well."""
        where, _, how = self.server.mode.partition("_")
        if where != command:
            self.say(line)
            return True
        if how == "none":
            self.server.released.wait(2)
            raise EOFError
        if how == "reset":
            self.wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if how in {"closed", "reset"}:
            self.wire.close()
            raise EOFError
        self.say(LINES.get(how, f"{how} {self.server.words}"))
        return False

    def say_ehlo(self, _: str) -> None:
        offers = [] if self.is_secure or self.server.mode == "no_starttls" else ["STARTTLS"]
        lines = ["mail.example.org", *offers, "AUTH PLAIN"]
        for line in lines[:-1]:
            self.say(f"250-{line}")
        self.say(f"250 {lines[-1]}")

    def say_starttls(self, _: str) -> None:
        if self.server.mode == "starttls_plain":
            self.say("220 go on")
            self.say("250 in the clear")
        elif self.reply("starttls", "220 go on"):
            self.wire = self.server.context().wrap_socket(self.wire, server_side=True)
            self.read, self.is_secure = self.wire.makefile("rb"), True

    def say_auth(self, line: str) -> None:
        assert self.is_secure, "a password in the clear"
        told = base64.b64decode(line.split()[2]).decode()
        good = told == f"\0{USER}\0{PASSWORD}"
        self.reply("auth", "235 welcome" if good else "535 5.7.8 no")

    def say_mail(self, line: str) -> None:
        self.sender = line
        self.reply("mail", "250 fine")

    def say_rcpt(self, line: str) -> None:
        self.address = line
        self.reply("rcpt", "250 fine")

    def say_data(self, _: str) -> None:
        if not self.reply("data", "354 go on"):
            return
        lines: list[bytes] = []
        while (line := self.read.readline()) != b".\r\n":
            if not line:
                raise EOFError
            lines.append(line[1:] if line.startswith(b".") else line)
        self.server.letters.append((self.sender, self.address, b"".join(lines)))
        self.reply("end", "250 2.0.0 taken")

    def say_noop(self, _: str) -> None:
        self.say("250 fine")

    def say_rset(self, _: str) -> None:
        self.say("250 fine")

    def say_quit(self, _: str) -> None:
        self.reply("quit", "221 bye")
        raise EOFError


def certificate(folder: Path, kind: str) -> Path:
    """Return a certificate with its key in one file: our own, or one that must be refused."""
    path = folder / f"{kind}.pem"
    if path.exists():
        return path
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, kind)])
    host = "127.0.0.9" if kind == "other_name" else "127.0.0.1"
    until = datetime.now(UTC) + timedelta(days=-1 if kind == "expired" else 2)
    signing = key
    if kind in {"other_name", "expired"} and (folder / "own.key").exists():
        signing = _held(folder)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "own")])
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, kind)]))
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(until - timedelta(days=30))
        .not_valid_after(until)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), False)
        .add_extension(x509.BasicConstraints(ca=kind == "own", path_length=None), True)
        .sign(signing, SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    if kind == "own":
        (folder / "own.key").write_bytes(secret)
    path.write_bytes(secret + made.public_bytes(Encoding.PEM))
    return path


def _held(folder: Path) -> ec.EllipticCurvePrivateKey:
    found = load_pem_private_key((folder / "own.key").read_bytes(), None)
    assert isinstance(found, ec.EllipticCurvePrivateKey)
    return found
