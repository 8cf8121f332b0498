"""WATI's API v3, and the posts it does not sign."""

import json

from tests.simulators.server import JSON, Answer, Call, Hook, Simulator

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

    def route(self, call: Call) -> Answer:
        if call.headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, b""
        if call.path.startswith("/api/ext/v3/messageTemplates?"):
            return 200, {"templates": [{"name": "video_ready", "status": "APPROVED"}]}
        if call.path != "/api/ext/v3/messageTemplates/send":
            return 404, b""
        body = json.loads(call.body)
        self.messages.append(body)
        [one] = body["recipients"]
        name = one["local_message_id"]
        gone = one["phone_number"].endswith("0104")
        row = {"local_message_id": name, "errors": [{"code": 131050}] if gone else []}
        return 200, {"success": True, "broadcast_id": "b1", "recipients": [row]}

    def hook(self, url: str, **event: object) -> Hook:
        return Hook(url, json.dumps(event).encode(), JSON)
