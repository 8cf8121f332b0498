"""Tavus's API v2: a deletion only hides unless it is a hard one; posts echo the script."""

from collections.abc import Mapping
from typing import Any

from tests.simulators.server import Answer
from tests.simulators.studios import KEY, Job, StudioSimulator


def error(status: int) -> Answer:
    return status, {"error": "Bad Request", "message": "Invalid script: Hello Ana"}


class TavusSimulator(StudioSimulator):
    jobs_path = order_path = "/v2/videos"
    opened_by = ("x-api-key", KEY)
    way, failed = ("queued", "generating", "ready"), "error"
    missing = {"error": "Invalid video_id"}
    errors = {
        "429": error(429),
        "401": (401, {"message": "Invalid access token"}),
        "403": error(403),
        "400": error(400),
        "200_with_error": error(200),
        "wrong_members": (200, {"video_id": ["a"], "data": "x"}),
    }

    def shape(self, job: Job) -> Any:
        return {
            "video_id": job["id"],
            "video_name": job["order"]["video_name"],
            "status": self.state(job),
            "data": {"script": job["order"]["script"]},
            "download_url": self.address(job),
            "hosted_url": f"https://tavus.example.org/{job['id']}",
        }

    def page(self, query: Mapping[str, str]) -> object:
        # Its pages are numbered, and full ones have a hundred rows.
        start = (int(query.get("page", "1")) - 1) * 100
        found = list(self.jobs.values())[start : start + 100]
        return {"data": [self.shape(job) for job in found], "total_count": len(self.jobs)}

    def end(self, job: Job, query: Mapping[str, str]) -> Answer:
        self.hides = self.hides or query.get("hard") != "true"
        return super().end(job, query)

    def ended(self, job: Job, shown: object) -> Answer:
        return 200, b""

    def posted(self, job: Job) -> Mapping[str, object]:
        return {**self.shape(job), "status": "error" if self.fails else "ready"}
