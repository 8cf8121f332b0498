"""What does each messaging vendor post by itself, once it has taken a message? Read from the call.

Each knows whom a message went to, and writes the reports of it and a person's answer in the
vendor's own shapes; `tests.simulators.desk` posts them.
"""

import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast
from urllib.parse import parse_qsl

from tests.simulators.gupshup import GupshupSimulator
from tests.simulators.sendgrid import SendGridSimulator
from tests.simulators.server import Answer, Call, Hook, Page, worded
from tests.simulators.twilio import TwilioSimulator
from tests.simulators.wati import WatiSimulator


@dataclass
class Taken:
    """A message that a stand-in took: for whom, by which name, and where its reports go."""

    to: str
    name: str
    callback: str = ""
    reported: str = "taken"
    ref: str = ""
    words: str = ""


class Teller(Protocol):
    """One vendor's way of telling."""

    # Whether the vendor signs what it posts; a delivery is believed of those alone.
    signs: bool
    # What a person's answer is called here.
    answer: str

    def taken(self, call: Call, answer: Answer) -> Taken | None:
        """Return the message in a call that was answered; None if there is none."""

    def delivered(self, taken: Taken, url: str) -> Sequence[Hook]:
        """Return the posts that say that a message arrived."""

    def said(self, taken: Taken, url: str, words: str) -> Hook:
        """Return the post that says what a person answered."""


class TwilioTells:
    """A callback for each step, to the address that came with the message."""

    signs, answer = True, "Answer"

    def __init__(self, simulator: TwilioSimulator) -> None:
        self._vendor = simulator

    def taken(self, call: Call, answer: Answer) -> Taken | None:
        row: Any = answer[1]
        if call.method != "POST" or answer[0] != 201 or not isinstance(row, dict):
            return None
        fields = dict(parse_qsl(call.body.decode()))
        callback = fields.get("StatusCallback", "")
        return Taken(fields["To"], str(row["sid"]), callback, words=str(row["body"]))

    def delivered(self, taken: Taken, url: str) -> Sequence[Hook]:
        where = taken.callback or url
        return [self._vendor.report(where, taken.name, step) for step in ("sent", "delivered")]

    def said(self, taken: Taken, url: str, words: str) -> Hook:
        sid = f"SM{secrets.token_hex(16)}"
        return self._vendor.said(url, From=taken.to, Body=words, MessageSid=sid)


class WatiTells:
    """Events without a signature."""

    signs, answer = False, "Answer"

    def __init__(self, simulator: WatiSimulator) -> None:
        self._vendor = simulator

    def taken(self, call: Call, answer: Answer) -> Taken | None:
        if call.method != "POST" or answer[0] != 200:
            return None
        body, row = json.loads(call.body), cast(Any, answer[1])
        if "text" in body:
            to = body["target"].rpartition(":")[2]
            return Taken(to, row["message"]["local_message_id"], words=body["text"])
        [one] = body["recipients"]
        words = worded(body["template_name"], one.get("custom_params", ""))
        return Taken(one["phone_number"], one["local_message_id"], words=words)

    def delivered(self, taken: Taken, url: str) -> Sequence[Hook]:
        kinds = ("templateMessageSent_v2", "sentMessageDELIVERED_v2")
        name = taken.name
        return [self._vendor.hook(url, eventType=kind, localMessageId=name) for kind in kinds]

    def said(self, taken: Taken, url: str, words: str) -> Hook:
        name = f"wamid.{secrets.token_hex(8)}"
        told: dict[str, object] = {"eventType": "message", "id": name, "whatsappMessageId": name}
        return self._vendor.hook(url, **told, owner=False, waId=taken.to, text=words)


class GupshupTells:
    """Events of version 2, without a signature."""

    signs, answer = False, "Answer"

    def __init__(self, simulator: GupshupSimulator) -> None:
        self._vendor = simulator

    def taken(self, call: Call, answer: Answer) -> Taken | None:
        row: Any = answer[1]
        if call.method != "POST" or answer[0] != 202 or not isinstance(row, dict):
            return None
        fields = dict(parse_qsl(call.body.decode()))
        if "message" in fields:
            words = json.loads(fields["message"])["text"]
        else:
            template = json.loads(fields["template"])
            words = worded(template["id"], template.get("params", ""))
        return Taken(fields["destination"], str(row["messageId"]), words=words)

    def delivered(self, taken: Taken, url: str) -> Sequence[Hook]:
        told = {"gsId": taken.name, "id": f"wamid.{taken.name}", "destination": taken.to}
        steps = ("sent", "delivered")
        return [self._vendor.hook(url, "message-event", type=step, **told) for step in steps]

    def said(self, taken: Taken, url: str, words: str) -> Hook:
        told = {"source": taken.to, "payload": {"text": words}, "sender": {"phone": taken.to}}
        return self._vendor.hook(url, "message", id=secrets.token_hex(8), type="text", **told)


class SendGridTells:
    """Signed batches of events; a person's answer is that they unsubscribe."""

    signs, answer = True, "Unsubscribe"

    def __init__(self, simulator: SendGridSimulator) -> None:
        self._vendor = simulator
        simulator.names = True

    def taken(self, call: Call, answer: Answer) -> Taken | None:
        found = answer[1]
        if call.path != "/v3/mail/send" or not isinstance(found, Page):
            return None
        letter = json.loads(call.body)
        [one] = letter["personalizations"]
        name, words = found.headers["X-Message-Id"], letter["content"][0]["value"]
        return Taken(one["to"][0]["email"], name, ref=one["custom_args"]["ref"], words=words)

    def delivered(self, taken: Taken, url: str) -> Sequence[Hook]:
        return [self._event(taken, url, kind) for kind in ("processed", "delivered")]

    def said(self, taken: Taken, url: str, words: str) -> Hook:
        return self._event(taken, url, "unsubscribe")

    def _event(self, taken: Taken, url: str, kind: str) -> Hook:
        told = {"event": kind, "email": taken.to, "ref": taken.ref}
        told["sg_message_id"] = f"{taken.name}.recvd-1"
        name = secrets.token_hex(8)
        return self._vendor.hook(url, int(time.time()), {**told, "sg_event_id": name})
