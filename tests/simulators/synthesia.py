"""Synthesia's API v2: videos from templates, and posts signed over their time and body."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from tests.simulators.server import Answer
from tests.simulators.studios import KEY, Job, StudioSimulator


def error(status: int) -> Answer:
    return status, {"error": "Request refused", "context": "Hello Ana"}


class SynthesiaSimulator(StudioSimulator):
    jobs_path, order_path = "/v2/videos", "/v2/videos/fromTemplate"
    opened_by = ("authorization", KEY)
    way, failed = ("in_progress", "in_progress", "complete"), "rejected"
    missing = {"error": "Not found", "context": ""}
    errors = {
        "429": error(429),
        "401": error(401),
        "403": error(403),
        "400": error(400),
        "200_with_error": error(200),
        "wrong_members": (200, {"videos": {"id": 1}, "id": {"a": 1}}),
    }

    def shape(self, job: Job) -> Any:
        row = {"id": job["id"], "title": job["order"]["title"], "status": self.state(job)}
        return {**row, "visibility": "private", "download": self.address(job)}

    def page(self, query: Mapping[str, str]) -> object:
        jobs, following = self.part(int(query.get("offset", "0")))
        page = {"videos": [self.shape(job) for job in jobs]}
        return page if following is None else {**page, "nextOffset": following}

    def ended(self, job: Job, shown: object) -> Answer:
        return 204, b""

    def posted(self, job: Job) -> Mapping[str, object]:
        kind = "video.failed" if self.fails else "video.completed"
        return {"type": kind, "data": {"id": job["id"], "callbackId": "sc-1", "download": "x"}}

    def signed(self, body: bytes, stamp: int, secret: str) -> dict[str, str]:
        mac = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        return {"Synthesia-Signature": mac, "Synthesia-Timestamp": str(stamp)}
