"""WATI's API v3, and the posts it does not sign."""

import json
from urllib.parse import parse_qsl, urlsplit

from tests.simulators.server import JSON, OTHER_WORDS, WORDS, Answer, Call, Hook, Simulator

TOKEN = "wati-token"


class WatiSimulator(Simulator):
    errors = {
        "429": (429, b""),
        "401": (401, b""),
        "403": (403, {"code": 403, "message": "Forbidden", "timestamp": "2026-01-01T00:00:00Z"}),
        "400": (400, {"code": 400, "message": "Invalid template", "timestamp": ""}),
        "200_with_error": (
            200,
            {"success": True, "recipients": [{"errors": [{"code": 131026, "message": "no"}]}]},
        ),
        "wrong_members": (200, {"success": "yes", "recipients": {"0": None}}),
    }

    def __init__(self) -> None:
        super().__init__()
        # Name, and what Meta says of it.
        self.templates: list[tuple[str, str]] = [("video_ready", "APPROVED")]

    def route(self, call: Call) -> Answer:
        if call.headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, b""
        if call.path.startswith("/api/ext/v3/messageTemplates?"):
            asked = dict(parse_qsl(urlsplit(call.path).query))
            size, page = int(asked["page_size"]), int(asked["page_number"])
            shown = self.templates[(page - 1) * size : page * size]
            return 200, {"templates": [_template(*row) for row in shown]}
        body = json.loads(call.body or b"{}")
        if call.path == "/api/ext/v3/conversations/messages/text":
            return self._answer(body)
        if call.path != "/api/ext/v3/messageTemplates/send":
            return 404, b""
        self.messages.append(body)
        [one] = body["recipients"]
        name = one["local_message_id"]
        gone = one["phone_number"].endswith("0104")
        row = {"local_message_id": name, "errors": [{"code": 131050}] if gone else []}
        return 200, {"success": True, "broadcast_id": "b1", "recipients": [row]}

    def _answer(self, body: dict[str, str]) -> Answer:
        if body["target"].rpartition(":")[2] not in self.open:
            return 400, {"code": 400, "message": "No active conversation", "timestamp": ""}
        self.messages.append(body)
        name = f"w-{self.begun + len(self.messages)}"
        told = {"text": body["text"], "type": "text", "owner": True, "status": "sent"}
        return 200, {"message": {**told, "id": f"id-{name}", "local_message_id": name}}

    def hook(self, url: str, **event: object) -> Hook:
        if event.get("eventType") == "message":
            self.open.add(str(event["waId"]))
        return Hook(url, json.dumps(event).encode(), JSON)


def _template(name: str, status: str) -> dict[str, object]:
    words = WORDS.get(name, OTHER_WORDS)
    language = {"key": "English", "value": "en"}
    shown = {"name": name, "status": status, "category": "MARKETING", "body": words}
    return {**shown, "language_option": language, "quality": "GREEN"}
