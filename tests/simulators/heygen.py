"""HeyGen's API v3: templates, videos, and posts signed over the body alone."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from tests.simulators.server import Answer
from tests.simulators.studios import KEY, Job, StudioSimulator

TEMPLATE = "tpl-1"


def error(status: int, code: str) -> Answer:
    return status, {"error": {"code": code, "message": "no", "param": None, "doc_url": None}}


class HeyGenSimulator(StudioSimulator):
    jobs_path, order_path = "/v3/videos", f"/v3/templates/{TEMPLATE}"
    opened_by = ("x-api-key", KEY)
    way, failed = ("pending", "processing", "completed"), "failed"
    missing = {"error": {"code": "not_found", "message": "Video not found"}}
    errors = {
        "429": error(429, "rate_limit_exceeded"),
        "401": error(401, "unauthorized"),
        "403": error(403, "forbidden"),
        "400": error(400, "validation_error"),
        "200_with_error": error(200, "validation_error"),
        "wrong_members": (200, {"data": [{"id": None}]}),
    }

    def shape(self, job: Job) -> Any:
        row = {"id": job["id"], "title": job["order"]["title"], "status": self.state(job)}
        if self.state(job) == "failed":
            row |= {"failure_code": "moderation", "failure_message": "Hello Ana"}
        return {"data": {**row, "video_url": self.address(job)}}

    def page(self, query: Mapping[str, str]) -> object:
        jobs, following = self.part(int(query.get("token", "0")))
        rows = [self.shape(job)["data"] for job in jobs]
        more = following is not None
        return {"data": rows, "has_more": more, "next_token": str(following) if more else None}

    def ended(self, job: Job, shown: object) -> Answer:
        return 200, {"data": {"id": job["id"], "deleted": True}}

    def posted(self, job: Job) -> Mapping[str, object]:
        kind = "avatar_video.fail" if self.fails else "avatar_video.success"
        told = {"video_id": job["id"], "url": "https://elsewhere.example.org/x.mp4"}
        return {"event_type": kind, "event_data": told}

    def signed(self, body: bytes, stamp: int, secret: str) -> dict[str, str]:
        mac = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return {
            "Heygen-Signature": mac,
            "Heygen-Timestamp": str(stamp),
            "Heygen-Event-Id": "evt-1",
        }
