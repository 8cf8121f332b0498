"""D-ID's API: talks, a deletion that echoes the job, and 409 while it renders."""

import base64
from collections.abc import Mapping
from typing import Any

from tests.simulators.server import Answer
from tests.simulators.studios import KEY, Job, StudioSimulator

USER_AND_KEY = f"nobody:{KEY}"


def error(status: int, kind: str) -> Answer:
    return status, {"kind": kind, "description": "no", "details": {"script": "Hello Ana"}}


class DidSimulator(StudioSimulator):
    jobs_path = order_path = "/talks"
    opened_by = ("authorization", f"Basic {base64.b64encode(USER_AND_KEY.encode()).decode()}")
    way, failed = ("created", "started", "done"), "error"
    missing = {"kind": "NotFoundError", "description": "not found"}
    errors = {
        "429": error(429, "TooManyRequestsError"),
        "401": error(401, "AuthorizationError"),
        "403": error(403, "PermissionError"),
        "400": error(400, "ValidationError"),
        "200_with_error": error(200, "ValidationError"),
        "wrong_members": (200, {"id": 1.5, "talks": "x"}),
    }

    def shape(self, job: Job) -> Any:
        return {
            "id": job["id"],
            "object": "talk",
            "user_data": job["order"]["user_data"],
            "script": job["order"]["script"],
            "status": self.state(job),
            "result_url": self.address(job),
        }

    def page(self, query: Mapping[str, str]) -> object:
        jobs, following = self.part(int(query.get("token", "0")))
        page = {"talks": [self.shape(job) for job in jobs]}
        return page if following is None else {**page, "token": str(following)}

    def end(self, job: Job, query: Mapping[str, str]) -> Answer:
        if self.state(job) not in {"done", "error"}:
            return error(409, "NotReadyError")
        return super().end(job, query)

    def ended(self, job: Job, shown: object) -> Answer:
        return 200, shown

    def posted(self, job: Job) -> Mapping[str, object]:
        return {**self.shape(job), "status": "error" if self.fails else "done"}
