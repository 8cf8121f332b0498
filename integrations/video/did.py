"""How does D-ID make a film? A talk: one still picture, one voice, by its API.

Its webhooks are not signed and not specified: they wake a poll. A deletion answers with the whole
job, script included, of which the hash alone is kept.
"""

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from integrations.video import hooks, orders
from integrations.video.hooks import News
from integrations.video.orders import Order
from integrations.video.vendor import DONE, FAILED, RENDERING, KeyedVendor, Row
from integrations.video.wire import Reply, rows, text


class DidProvider(KeyedVendor):
    """One account at D-ID."""

    name = "did"
    title = "D-ID"
    jobs_path = "/talks"
    order_path = "/talks"
    needed = ("api_key", "source_url", "voice_id")
    states = {
        "created": RENDERING,
        "started": RENDERING,
        "done": DONE,
        "error": FAILED,
        "rejected": FAILED,
    }
    film_member = "result_url"
    mark_member = "user_data"

    def headers(self) -> Mapping[str, str]:
        """Return the key, which is a user and a password."""
        key = base64.b64encode(self.of("api_key").encode()).decode()
        return {"Authorization": f"Basic {key}"}

    def written(self, order: Order) -> Mapping[str, object]:
        """Return an order in SSML, whose words are escaped."""
        return {
            "source_url": self.of("source_url"),
            "script": {
                "type": "text",
                "input": orders.spoken(order, self._vendor, written=escape),
                "ssml": True,
                "provider": {"type": "microsoft", "voice_id": self.of("voice_id")},
            },
            "config": {"stitch": True, "result_format": "mp4"},
            "user_data": order.mark,
            **({"webhook": self.hook()} if self.hook() else {}),
        }

    def code(self, body: object) -> str:
        """Return the kind of an error; it stands beside no job."""
        return "" if text(body, "id") else text(body, "kind")

    def confirms(self, reply: Reply) -> bool:
        """Say whether the job was deleted: the answer is the job as it was."""
        return bool(text(reply.body, "id"))

    def list_rows(self, body: object) -> list[Row] | None:
        """Return the jobs of one page."""
        return rows(body, "talks")

    def next_page(self, body: Mapping[str, Any], number: int) -> str:
        """Return the query with the token of the next page."""
        token = text(body, "token")
        return f"limit=100&token={quote(token, safe='')}" if token else ""

    def read_news(self, *, body: bytes, headers: Mapping[str, str], at: datetime) -> News | None:
        """Read an unsigned post.

        :raises NotNews: it names no job.
        """
        told = hooks.load(body)
        if self.states.get(text(told, "status").lower()) not in {DONE, FAILED}:
            return None
        return hooks.news_of(job_id=text(told, "id"), name=hooks.body_name(body))
