"""Does a letter go over checked TLS once, and is each failure what it was?"""

import base64
import email
import hashlib
import re
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from integrations import inbox, messaging
from integrations.messaging import dkim_signing, smtp
from integrations.messaging.base import NotAnEvent, OutgoingMessage, Posted, ProviderError
from integrations.models import Connection
from tests import patience
from tests.simulators.mail import OUTCOMES, PASSWORD, USER, MailSimulator

UNSUBSCRIBE = {
    "List-Unsubscribe": "<https://example.org/join/one-click/abc>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
}
KEY = rsa.generate_private_key(65537, 2048)
SHORT = rsa.generate_private_key(65537, 1024)  # noqa: S505  to be refused


def typed(key: rsa.RSAPrivateKey, how: PrivateFormat = PrivateFormat.PKCS8) -> str:
    """Return a key as a form of one line gives it."""
    pem = key.private_bytes(Encoding.PEM, how, NoEncryption()).decode()
    return pem.replace("\n", " ").replace("- ", "-").replace(" -", "-")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mail")


@pytest.fixture
def server(
    request: pytest.FixtureRequest, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MailSimulator]:
    patience.with_mode(monkeypatch, patience.mode_of(request))
    with MailSimulator(folder) as simulator:
        monkeypatch.setattr(smtp, "LOOPBACK_AUTHORITY", simulator.authority)
        yield simulator


def adapter(server: MailSimulator, **changes: str) -> Any:
    held = {
        "host": "127.0.0.1",
        "port": str(server.port),
        "username": USER,
        "password": PASSWORD,
        "sender": "news@example.org",
        "sender_name": "Acme",
        **changes,
    }
    return messaging.provider_for(Connection(provider="smtp", credentials_sealed=held))


def message(address: str = "ana@example.org", **changes: Any) -> OutgoingMessage:
    kept = {"subject": "Your video", "text": "Hello Ana: äöü\n.\nhttps://example.org/v/abc"}
    return OutgoingMessage(
        uuid.UUID(int=7),
        changes.pop("channel", "email"),
        address,
        headers=UNSUBSCRIBE,
        **{**kept, **changes},
    )


def taken(server: MailSimulator) -> EmailMessage:
    [(sender, address, letter)] = server.letters
    assert (sender, address) == ("mail FROM:<news@example.org>", "rcpt TO:<ana@example.org>")
    found = email.message_from_bytes(letter, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def failure(provider: Any, one: OutgoingMessage) -> ProviderError:
    with pytest.raises(ProviderError) as failed:
        provider.send(one)
    return failed.value


def test_a_letter_is_taken_once_with_its_way_out(server: MailSimulator) -> None:
    sent = adapter(server).send(message())
    assert sent.provider_message_id == uuid.UUID(int=7).hex
    letter = taken(server)
    assert letter["From"] == "Acme <news@example.org>"
    assert letter["Subject"] == "Your video"
    assert letter["Message-ID"] == f"<{uuid.UUID(int=7).hex}@example.org>"
    assert {name: letter[name] for name in UNSUBSCRIBE} == UNSUBSCRIBE
    assert letter.get_content().splitlines() == message().text.splitlines()
    assert "DKIM-Signature" not in letter


@pytest.mark.parametrize("mode", OUTCOMES)
def test_each_misbehaviour_has_its_outcome(server: MailSimulator, mode: str) -> None:
    server.mode = mode
    provider = adapter(server)
    if not OUTCOMES[mode]:
        assert provider.send(message())
    else:
        failed = failure(provider, message())
        assert failed.outcome == OUTCOMES[mode], failed.code
        assert "ana" not in repr(failed)
    # Not one of them is answered by a second letter, nor by a word in the clear.
    assert server.commands.count("data") <= 1
    before = server.commands[: server.commands.index("starttls")] if server.letters else []
    assert set(before) <= {"ehlo"}


@pytest.mark.parametrize("mode", ["no_starttls", "other_name", "expired", "old_tls"])
def test_without_good_tls_not_even_the_user_is_named(server: MailSimulator, mode: str) -> None:
    server.mode = mode
    failure(adapter(server), message())
    assert not {"auth", "mail", "rcpt", "data"} & set(server.commands)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("5.1.1 no such user", inbox.BOUNCED),
        ("5.1.10 null mx", inbox.BOUNCED),
        ("5.2.1 disabled", inbox.BOUNCED),
        ("5.1.15 no", "recipient_refused 5.1.15"),
        ("5.7.1 <ana@example.org> policy", "recipient_refused 5.7.1"),
        ("no", "recipient_refused"),
    ],
)
def test_only_a_mailbox_that_is_gone_is_called_so(
    server: MailSimulator, words: str, code: str
) -> None:
    server.mode, server.words = "rcpt_550", words
    failed = failure(adapter(server), message())
    assert (failed.outcome, failed.code) == ("permanent", code)


@pytest.mark.parametrize(
    "address",
    [
        "a@example.org\r\nDATA",
        "a@example.org>\nRCPT TO:<b@example.org",
        "a b@example.org",
        "ä@example.org",
        "a,b@example.org",
        "example.org",
        "",
    ],
)
def test_an_address_cannot_say_a_command(server: MailSimulator, address: str) -> None:
    assert failure(adapter(server), message(address)).code == "address_unusable"
    assert not server.commands


def test_a_header_cannot_begin_another(server: MailSimulator) -> None:
    one = message()
    wrong = {"List-Unsubscribe": "<https://example.org>\r\nBcc: b@example.org"}
    bad = OutgoingMessage(one.message_id, "email", one.address, one.subject, one.text, wrong)
    assert failure(adapter(server), bad).code == "header_unusable"
    other = OutgoingMessage(
        one.message_id, "email", one.address, "x\r\nBcc: b@example.org", "y", {"Bcc": "b@x.org"}
    )
    adapter(server).send(other)
    assert taken(server)["Bcc"] is None


@pytest.mark.parametrize("changes", [{"channel": "sms"}, {"subject": " "}])
def test_what_is_no_letter_is_refused(server: MailSimulator, changes: dict[str, str]) -> None:
    assert failure(adapter(server), message(**changes)).outcome == "permanent"
    assert not server.commands


DKIM = {"dkim_domain": "example.org", "dkim_selector": "s1"}


def holds(letter: bytes) -> bool:
    """Check a signature by the letter of RFC 6376, as whoever receives it would."""
    head, _, body = letter.partition(b"\r\n\r\n")
    fields = re.findall(rb"([^:\r\n]+):((?:.|\r\n[ \t])*)(?:\r\n|$)", head)
    tags = dict(re.findall(rb"([a-z]+)=([^;]*)", re.sub(rb"\s", b"", fields[0][1])))
    text = b""
    left = list(fields[1:])
    for name in tags[b"h"].split(b":"):
        # The last of a name first; one that is not there is nothing.
        found = next((one for one in reversed(left) if one[0].lower() == name), None)
        if found:
            left.remove(found)
            text += name + b":" + b" ".join(found[1].split()) + b"\r\n"
    own = b" ".join(fields[0][1].split())
    text += b"dkim-signature:" + re.sub(rb"; b=.*", b"; b=", own)
    hashed = base64.b64encode(hashlib.sha256(body.rstrip(b"\r\n") + b"\r\n").digest())
    try:
        mac = base64.b64decode(tags[b"b"])
        KEY.public_key().verify(mac, text, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return bool(hashed == tags[b"bh"])


@pytest.mark.parametrize("how", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_a_signature_covers_the_one_click_headers(
    server: MailSimulator, how: PrivateFormat
) -> None:
    adapter(server, **DKIM, dkim_key=typed(KEY, how)).send(message())
    letter = server.letters[0][2]
    assert holds(letter)
    for old, new in [
        (b"one-click/abc", b"one-click/abd"),
        (b"List-Unsubscribe=One-Click", b"List-Unsubscribe=x"),
        (b"Subject: Your", b"Subject: My"),
        (b"\r\n\r\n", b"\r\nFrom: other@example.org\r\n\r\n"),
        (b"SGVsbG8", b"SGVsbG9"),
    ]:
        assert old in letter
        assert not holds(letter.replace(old, new, 1))


@pytest.mark.parametrize(
    ("body", "relaxed"),
    [
        (b"", b""),
        (b"\r\n\r\n", b""),
        (b" C \r\nD \t E\r\n\r\n\r\n", b" C\r\nD E\r\n"),
    ],
)
def test_a_body_is_hashed_as_the_standard_shows(body: bytes, relaxed: bytes) -> None:
    assert dkim_signing.relaxed_body(body) == relaxed
    header = b"A: X\r\n\t Y  \t\r\n\tZ  "
    assert dkim_signing.relaxed_header(header) == b"a:X Y Z"


@pytest.mark.parametrize(
    "wrong",
    [
        {"dkim_key": "x"},
        {"dkim_key": typed(SHORT), "dkim_domain": "a.org"},
        {"dkim_key": typed(KEY), "dkim_domain": "", "dkim_selector": "s1"},
    ],
)
def test_a_letter_that_should_be_signed_does_not_go_unsigned(
    server: MailSimulator, wrong: dict[str, str]
) -> None:
    keys = {"dkim_domain": "example.org", "dkim_selector": "s1", **wrong}
    failed = failure(adapter(server, **keys), message())
    assert (failed.outcome, failed.code) == ("transient", "dkim_key_unusable")
    assert "DKIM" in adapter(server, **keys).check()
    assert not server.letters


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("", ""),
        ("auth_535", "user or the password"),
        ("no_starttls", "no TLS"),
        ("other_name", "certificate"),
        ("banner_none", "no answer"),
    ],
)
def test_an_account_is_checked_without_a_letter(
    server: MailSimulator, mode: str, words: str
) -> None:
    server.mode = mode
    said = adapter(server).check()
    assert words in said
    assert bool(said) is bool(words)
    assert not server.letters


def test_a_private_address_is_not_called(
    server: MailSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "LOOPBACK_AUTHORITY", "")
    assert failure(adapter(server), message()).code == "host_refused"
    assert not server.commands


@pytest.mark.parametrize("changes", [{"host": "a b"}, {"port": "x"}, {"host": ""}])
def test_a_server_that_has_no_name_is_not_called(
    server: MailSimulator, changes: dict[str, str]
) -> None:
    assert failure(adapter(server, **changes), message()).outcome == "transient"


def test_a_server_that_is_gone_was_not_reached(server: MailSimulator) -> None:
    server.__exit__()
    assert failure(adapter(server), message()).code == "no_connection"


def test_a_mail_server_posts_nothing() -> None:
    with pytest.raises(NotAnEvent):
        messaging.provider_for(Connection(provider="smtp")).read(Posted(b"{}"))


def test_many_hands_carry_letters_at_the_same_time(
    server: MailSimulator,
) -> None:
    provider = adapter(server)
    with ThreadPoolExecutor(8) as hands:
        sent = {one.provider_message_id for one in hands.map(provider.send, [message()] * 24)}
    assert len(server.letters) == 24
    assert sent == {message().message_id.hex}
