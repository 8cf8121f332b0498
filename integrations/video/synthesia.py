"""How does Synthesia make a film? From a template with one variable, by its API v2."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from integrations.video import hooks
from integrations.video.hooks import News
from integrations.video.orders import Order
from integrations.video.vendor import DELETED, DONE, FAILED, RENDERING, KeyedVendor, Row
from integrations.video.wire import rows, text

ENDED = frozenset({"video.completed", "video.failed"})


class SynthesiaProvider(KeyedVendor):
    """One workspace at Synthesia; deleted jobs may stay in its backups for 90 days."""

    name = "synthesia"
    title = "Synthesia"
    jobs_path = "/v2/videos"
    order_path = "/v2/videos/fromTemplate"
    needed = ("api_key", "template_id")
    states = {
        "in_progress": RENDERING,
        "approved": RENDERING,
        "complete": DONE,
        "error": FAILED,
        "rejected": FAILED,
        "deleted": DELETED,
    }
    film_member = "download"
    mark_member = "title"
    deleted_is_gone = True

    def headers(self) -> Mapping[str, str]:
        """Return the key, as it stands: Synthesia wants no word before it."""
        return {"Authorization": self.of("api_key")}

    def written(self, order: Order) -> Mapping[str, object]:
        """Return an order. The callback id is our mark, never a person's address."""
        return {
            "templateId": self.of("template_id"),
            "templateData": {self.of("variable") or "script": self.spoken(order)},
            "test": bool(self.of("test")),
            "title": order.mark,
            "visibility": "private",
            "callbackId": order.mark,
        }

    def code(self, body: object) -> str:
        """Return a code where the answer is an error: Synthesia has words only, not kept."""
        has_error = isinstance(body, dict) and bool(body.get("error"))
        return "refused" if has_error else ""

    def list_rows(self, body: object) -> list[Row] | None:
        """Return the jobs of one page."""
        return rows(body, "videos")

    def next_page(self, body: Mapping[str, Any], number: int) -> str:
        """Return the query of the next page: the list counts rows, and names the next one."""
        offset = text(body, "nextOffset")
        return f"limit=100&offset={int(offset)}" if offset.isdigit() else ""

    def read_news(self, *, body: bytes, headers: Mapping[str, str], at: datetime) -> News | None:
        """Read a signed post; the signature covers its time.

        :raises NotSigned: the signature is not Synthesia's, or it is too old.
        :raises NotNews: it names no job.
        """
        stamp = headers.get(self._vendor.timestamp_header, "")
        hooks.require_signed(
            secret=self.of("signing_secret"),
            signed=f"{stamp}.".encode() + body,
            signature=headers.get(self._vendor.signature_header, ""),
            stamp=stamp,
            at=at,
        )
        told = hooks.load(body)
        if text(told, "type") not in ENDED:
            return None
        return hooks.news_of(job_id=text(told, "data", "id"), name=hooks.body_name(body))
