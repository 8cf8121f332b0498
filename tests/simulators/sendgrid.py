"""SendGrid's API v3, and the batches of events that it signs."""

import base64
import json
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.simulators.server import JSON, Answer, Call, Hook, Page, Simulator

KEY = "SG.key-of-nobody"
# The same at every start: a connection of the demo keeps the other half of it.
_WORDS = b"the stand-in of SendGrid signs with this, and it is no secret"
SIGNING = ec.derive_private_key(int.from_bytes(sha256(_WORDS).digest()), ec.SECP256R1())
VERIFICATION = base64.b64encode(
    SIGNING.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
).decode()


def error(status: int) -> Answer:
    words = "The address ana@example.org is no address"
    return status, {"errors": [{"message": words, "field": "to", "help": None}]}


class SendGridSimulator(Simulator):
    errors = {
        "429": error(429),
        "401": error(401),
        "403": error(403),
        "400": error(400),
        "200_with_error": error(200),
        "wrong_members": (200, {"errors": None, "message_id": 1}),
    }

    def __init__(self) -> None:
        super().__init__()
        self.scopes = ["mail.send"]
        self.stopped: list[str] = []
        # Whether it names a letter in a header of the answer, which no specification holds.
        self.names = False

    def route(self, call: Call) -> Answer:
        if call.headers.get("Authorization") != f"Bearer {KEY}":
            return self.errors["401"]
        if call.method == "GET" and call.path.partition("?")[0] == "/v3/scopes":
            return 200, {"scopes": self.scopes}
        if call.path == "/v3/asm/suppressions/global":
            self.stopped += json.loads(call.body)["recipient_emails"]
            return 201, {"recipient_emails": self.stopped}
        if call.path != "/v3/mail/send":
            return error(404)
        body = json.loads(call.body)
        needed = {"personalizations", "from", "subject", "content"}
        if not needed <= set(body) or not body["personalizations"][0]["to"][0]["email"]:
            return error(400)
        self.messages.append(body)
        if not self.names:
            return 202, b""
        name = f"sg{self.begun + len(self.messages)}"
        return 202, Page(b"", JSON, headers={"X-Message-Id": name})

    def hook(self, url: str, stamp: int, *events: dict[str, object], end: bytes = b"\r\n") -> Hook:
        """Return a signed batch; the vendor's own ends with a line break."""
        body = json.dumps(events).encode() + end
        signature = SIGNING.sign(str(stamp).encode() + body, ec.ECDSA(SHA256()))
        name = "X-Twilio-Email-Event-Webhook"
        headers = {
            f"{name}-Signature": base64.b64encode(signature).decode(),
            f"{name}-Timestamp": str(stamp),
        }
        return Hook(url, body, JSON, headers)
