"""Gupshup's WhatsApp API for an app's own key, and the posts it does not sign."""

import json
from urllib.parse import parse_qsl

from tests.simulators.server import JSON, OTHER_WORDS, WORDS, Answer, Call, Hook, Simulator

KEY, APP = "gupshup-key", "app-1"


def error(code: int, status: int) -> Answer:
    return status, {"status": "error", "code": code, "message": "refused"}


class GupshupSimulator(Simulator):
    errors = {
        "429": error(471, 429),
        "401": (401, {"status": "error", "message": "Authentication Failed"}),
        "403": (403, {"status": "error", "message": "Forbidden"}),
        "400": error(131049, 400),
        "200_with_error": error(1002, 200),
        "wrong_members": (200, {"status": "submitted", "messageId": ["m"]}),
    }

    def __init__(self) -> None:
        super().__init__()
        # Name, and what Meta says of it.
        self.templates: list[tuple[str, str]] = [("video_ready", "APPROVED")]

    def route(self, call: Call) -> Answer:
        if call.headers.get("apikey") != KEY:
            return 401, {"status": "error", "message": "Authentication Failed"}
        if call.path.startswith(f"/wa/app/{APP}/template"):
            rows = [_template(*row) for row in self.templates]
            return 200, {"status": "success", "templates": rows}
        if call.path not in ("/wa/api/v1/template/msg", "/wa/api/v1/msg"):
            return 404, {"status": "error", "message": "not found"}
        fields = dict(parse_qsl(call.body.decode()))
        if call.path == "/wa/api/v1/msg" and fields["destination"] not in self.open:
            return error(470, 400)
        self.messages.append(fields)
        if fields["destination"].endswith("0104"):
            return error(131050, 400)
        return 202, {"status": "submitted", "messageId": f"g-{self.begun + len(self.messages)}"}

    def hook(self, url: str, kind: str, **payload: object) -> Hook:
        if kind == "message":
            self.open.add(str(payload.get("source", "")))
        event = {"app": "X", "timestamp": 1592311842070, "version": 2, "type": kind}
        return Hook(url, json.dumps({**event, "payload": payload}).encode(), JSON)


def _template(name: str, status: str) -> dict[str, object]:
    shown = {"id": name, "elementName": "Video ready", "status": status, "category": "MARKETING"}
    return {**shown, "languageCode": "en", "data": WORDS.get(name, OTHER_WORDS), "quality": "GREEN"}
