"""Twilio's Messages API of 2010, and the posts it signs."""

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.simulators.server import OTHER_WORDS, WORDS, Answer, Call, Hook, Simulator, worded

ACCOUNT, TOKEN = "AC" + "0" * 32, "12345"
CLIENT_ID, CLIENT_SECRET = "OQ" + "1" * 32, "app secret"
TOKEN_PATH = "/v2/token"


def error(code: int, status: int, message: str) -> Answer:
    info = f"https://www.twilio.com/docs/errors/{code}"
    return status, {"code": code, "message": message, "more_info": info, "status": status}


class TwilioSimulator(Simulator):
    errors = {
        "429": error(20429, 429, "Too Many Requests"),
        "401": error(20003, 401, "Authenticate"),
        "403": error(20003, 403, "Permission denied"),
        "400": error(21211, 400, "Invalid 'To' Phone Number"),
        "200_with_error": (200, {"sid": "SM1", "status": "failed", "error_code": 30003}),
        "wrong_members": (201, {"sid": {"is": ["no", "text"]}, "status": 7}),
    }

    def __init__(self) -> None:
        super().__init__()
        # Name, and what Meta says of it.
        self.templates: list[tuple[str, str]] = [("video_ready", "approved")]
        # Of the app: tokens that hold, how long each does, and whether asking for one misbehaves.
        self.tokens: set[str] = set()
        self.token_seconds = 3600
        self.spares_tokens = True

    def answer(self, call: Call) -> Answer | None:
        if call.path == TOKEN_PATH and self.spares_tokens:
            self.calls.append(call)
            return self.route(call)
        return super().answer(call)

    def route(self, call: Call) -> Answer:
        if call.path == TOKEN_PATH:
            return self._token(dict(parse_qsl(call.body.decode())))
        basic = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        kind, _, shown = call.headers.get("Authorization", "").partition(" ")
        if not (kind == "Basic" and shown == basic) and not (
            kind == "Bearer" and shown in self.tokens
        ):
            return error(20003, 401, "Authenticate")
        if call.path.startswith("/v1/ContentAndApprovals"):
            return self._contents(dict(parse_qsl(urlsplit(call.path).query)))
        if call.path.partition("?")[0] != f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json":
            return error(20404, 404, "The requested resource was not found")
        if call.method == "GET":
            return self._list(dict(parse_qsl(urlsplit(call.path).query)))
        return self._take(dict(parse_qsl(call.body.decode())))

    def _token(self, fields: dict[str, str]) -> Answer:
        if fields.get("grant_type") != "client_credentials":
            return 400, {"error": "unsupported_grant_type"}
        if (fields.get("client_id"), fields.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return 401, {"error": "invalid_client"}
        ends = int(time.time()) + self.token_seconds
        number = len(self.calls)
        parts: list[dict[str, object]] = [
            {"alg": "none", "n": number},
            {"sub": CLIENT_ID, "exp": ends},
            {},
        ]
        token = ".".join(
            base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
            for part in parts
        )
        self.tokens.add(token)
        # Twilio's own: no refresh token, and the ones before it go on holding.
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": self.token_seconds}
        return 200, {**answer, "refresh_token": None, "id_token": None}

    def _list(self, asked: dict[str, str]) -> Answer:
        size, page = int(asked.get("PageSize", "50")), int(asked.get("Page", "0"))
        rows = [row for row in self.messages[::-1] if _is_between(row, asked)]
        more = {**asked, "Page": str(page + 1), "PageToken": "PASM"}
        path = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json?{urlencode(more)}"
        return 200, {
            "messages": rows[page * size : (page + 1) * size],
            "page": page,
            "next_page_uri": path if len(rows) > (page + 1) * size else None,
        }

    def _contents(self, asked: dict[str, str]) -> Answer:
        size, page = int(asked.get("PageSize", "50")), int(asked.get("Page", "0"))
        shown = self.templates[page * size : (page + 1) * size]
        url = f"https://content.twilio.com/v1/ContentAndApprovals?PageSize={size}&Page={page + 1}"
        more = url if len(self.templates) > (page + 1) * size else None
        meta = {"page": page, "page_size": size, "key": "contents", "next_page_url": more}
        return 200, {"contents": [_content(*row) for row in shown], "meta": meta}

    def _take(self, fields: dict[str, str]) -> Answer:
        if not fields.get("To"):
            return error(21604, 400, "A 'To' phone number is required.")
        if fields["To"].endswith("0104"):
            return error(21610, 400, "Attempt to send to unsubscribed recipient")
        number = self.begun + len(self.messages) + 1
        row = {
            "sid": f"SM{number:032x}",
            "status": "queued",
            "to": fields["To"],
            "from": fields.get("From"),
            # Of a template the list shows the words that were approved, filled in.
            "body": fields.get("Body")
            or worded(fields.get("ContentSid", ""), fields.get("ContentVariables", "")),
            "error_code": None,
            "num_segments": "1",
            "direction": "outbound-api",
            "date_created": format_datetime(datetime.now(UTC)),
        }
        self.messages.append(row)
        return 201, row

    def report(self, url: str, sid: str, status: str, code: str = "") -> Hook:
        fields = {"MessageSid": sid, "MessageStatus": status, "AccountSid": ACCOUNT, "Später": "ü"}
        return self.form(url, {**fields, **({"ErrorCode": code} if code else {})})

    def said(self, url: str, **fields: str) -> Hook:
        told = {"MessageSid": "SM" + "9" * 32, "AccountSid": ACCOUNT, "From": "+14155550100"}
        return self.form(url, {**told, **fields})

    def form(self, url: str, fields: dict[str, str]) -> Hook:
        text = url + "".join(name + fields[name] for name in sorted(fields))
        body = urlencode(fields).encode()
        return Hook(url, body, "application/x-www-form-urlencoded", signed(text))

    def json(self, url: str, fields: dict[str, str]) -> Hook:
        body = json.dumps(fields).encode()
        url = f"{url}?bodySHA256={hashlib.sha256(body).hexdigest()}"
        return Hook(url, body, "application/json", signed(url))


def _content(sid: str, status: str) -> dict[str, object]:
    asked = {"name": f"{sid}_v1", "category": "MARKETING", "status": status}
    return {
        "sid": sid,
        "friendly_name": sid,
        "language": "en",
        "variables": {"1": "https://example.org/v/x"},
        "types": {"twilio/text": {"body": WORDS.get(sid, OTHER_WORDS)}},
        "approval_requests": {**asked, "content_type": "twilio/text", "rejection_reason": ""},
    }


def _is_between(row: dict[str, object], asked: dict[str, str]) -> bool:
    at = parsedate_to_datetime(str(row["date_created"]))
    after, before = asked.get("DateSent>"), asked.get("DateSent<")
    return (not after or at >= datetime.fromisoformat(after)) and (
        not before or at <= datetime.fromisoformat(before)
    )


def signed(text: str) -> dict[str, str]:
    mac = hmac.new(TOKEN.encode(), text.encode(), hashlib.sha1)
    return {"X-Twilio-Signature": base64.b64encode(mac.digest()).decode()}
