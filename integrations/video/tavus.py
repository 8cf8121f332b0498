"""How does Tavus make a film? From a script and a replica, by its API v2.

Its callbacks are not signed, and echo the script: they wake a poll and are not kept.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from integrations.video import hooks
from integrations.video.hooks import News
from integrations.video.orders import Order
from integrations.video.vendor import DELETED, DONE, FAILED, RENDERING, KeyedVendor, Row
from integrations.video.wire import rows, text

HARD = "hard=true"


class TavusProvider(KeyedVendor):
    """One account at Tavus."""

    name = "tavus"
    title = "Tavus"
    jobs_path = "/v2/videos"
    order_path = "/v2/videos"
    needed = ("api_key", "replica_id")
    states = {
        "queued": RENDERING,
        "generating": RENDERING,
        "ready": DONE,
        "error": FAILED,
        "deleted": DELETED,
    }
    film_member = "download_url"
    mark_member = "video_name"

    def headers(self) -> Mapping[str, str]:
        """Return the key."""
        return {"x-api-key": self.of("api_key")}

    def written(self, order: Order) -> Mapping[str, object]:
        """Return an order."""
        return {
            "replica_id": self.of("replica_id"),
            "script": self.spoken(order),
            "video_name": order.mark,
            **({"callback_url": self.hook()} if self.hook() else {}),
        }

    def job_id(self, row: Row) -> str:
        """Return the name of a job."""
        return text(row, "video_id")

    def code(self, body: object) -> str:
        """Return a code where the answer is an error; its words are not kept."""
        has_error = isinstance(body, dict) and bool(body.get("error"))
        return "refused" if has_error else ""

    def is_soft(self) -> bool:
        """Say whether the deletion leaves the assets: it does without the flag."""
        return self._vendor.delete_query != HARD

    def list_rows(self, body: object) -> list[Row] | None:
        """Return the jobs of one page."""
        return rows(body, "data")

    def next_page(self, body: Mapping[str, Any], number: int) -> str:
        """Return the query of the next page, until one is not full."""
        is_full = len(rows(body, "data") or ()) >= 100
        return f"limit=100&page={number + 2}" if is_full else ""

    def read_news(self, *, body: bytes, headers: Mapping[str, str], at: datetime) -> News | None:
        """Read an unsigned callback.

        :raises NotNews: it names no job.
        """
        told = hooks.load(body)
        if self.states.get(text(told, "status").lower()) not in {DONE, FAILED}:
            return None
        return hooks.news_of(job_id=text(told, "video_id"), name=hooks.body_name(body))
