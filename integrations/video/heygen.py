"""How does HeyGen make a film? From a template with one variable, by its API v3."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from integrations import tokens
from integrations.models import Connection
from integrations.video import hooks
from integrations.video.base import ProviderError
from integrations.video.hooks import News
from integrations.video.orders import Order
from integrations.video.vendor import DELETED, DONE, FAILED, RENDERING, KeyedVendor, Row
from integrations.video.wire import Reply, rows, text

ENDED = frozenset({"avatar_video.success", "avatar_video.fail"})


class HeyGenProvider(KeyedVendor):
    """One account at HeyGen; its template holds the presenter, the voice and no music."""

    name = "heygen"
    title = "HeyGen"
    jobs_path = "/v3/videos"
    order_path = "/v3/templates/{template_id}"
    needed: Sequence[str] = ("api_key", "template_id")
    states = {
        "pending": RENDERING,
        "waiting": RENDERING,
        "processing": RENDERING,
        "completed": DONE,
        "failed": FAILED,
        "deleted": DELETED,
    }
    film_member = "video_url"
    mark_member = "title"

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._id = connection.pk
        self._signs_in = connection.auth_kind == Connection.AuthKind.OAUTH_CODE
        self._generation: int | None = None
        if self._signs_in:
            self.needed = ("template_id",)

    def headers(self) -> Mapping[str, str]:
        """Return the key, or the token of whoever signed in.

        :raises ProviderError: a person has to connect it again, or there is no token now.
        """
        if not self._signs_in:
            return {"X-Api-Key": self.of("api_key")}
        return self._token(refused=None)

    def renewed(self) -> Mapping[str, str] | None:
        """Return a new token, where there are tokens."""
        return self._token(refused=self._generation) if self._signs_in else None

    def _token(self, *, refused: int | None) -> Mapping[str, str]:
        try:
            token = tokens.access(connection_id=self._id, purpose="ai_video", refused=refused)
        except tokens.NotConnected:
            raise ProviderError("transient", "reconnect_needed") from None
        except tokens.TokenUnavailable:
            raise ProviderError("transient", "no_token") from None
        self._generation = token.generation
        return {"Authorization": token.header}

    def written(self, order: Order) -> Mapping[str, object]:
        """Return an order: the whole text in one variable, nothing shared, our mark as its title.

        No idempotency key: it would answer with a film that we had deleted.
        """
        variable = self.of("variable") or "script"
        return {
            "variables": {
                variable: {
                    "name": variable,
                    "type": "text",
                    "properties": {"content": self.spoken(order)},
                }
            },
            "title": order.mark,
            "callback_id": order.mark,
            **({"callback_url": self.hook()} if self.hook() else {}),
            "caption": False,
            "enable_sharing": False,
            "dimension": {"width": order.width, "height": order.height},
        }

    def job(self, body: object) -> Row | None:
        """Return the job, which stands in `data`."""
        found = body.get("data") if isinstance(body, dict) else None
        return found if isinstance(found, dict) else None

    def code(self, body: object) -> str:
        """Return the code of an error; a 200 may hold one."""
        has_error = isinstance(body, dict) and bool(body.get("error"))
        return (text(body, "error", "code") or "refused") if has_error else ""

    def confirms(self, reply: Reply) -> bool:
        """Say whether the job was deleted: the body must say so."""
        row = self.job(reply.body)
        return row is not None and row.get("deleted") is True

    def list_rows(self, body: object) -> list[Row] | None:
        """Return the jobs of one page."""
        return rows(body, "data")

    def next_page(self, body: Mapping[str, Any], number: int) -> str:
        """Return the query with the token of the next page."""
        token = text(body, "next_token")
        return f"limit=100&token={quote(token, safe='')}" if token else ""

    def read_news(self, *, body: bytes, headers: Mapping[str, str], at: datetime) -> News | None:
        """Read a signed post. Its time is not signed: a replay is met by the name of the event.

        :raises NotSigned: the signature is not HeyGen's, or it is too old.
        :raises NotNews: it names no job.
        """
        vendor = self._vendor
        hooks.require_signed(
            secret=self.of("signing_secret"),
            signed=body,
            signature=headers.get(vendor.signature_header, ""),
            stamp=headers.get(vendor.timestamp_header, ""),
            at=at,
        )
        told = hooks.load(body)
        if text(told, "event_type") not in ENDED:
            return None
        job = text(told, "event_data", "video_id") or text(told, "data", "video_id")
        # By what is signed: the event's own name stands in a header that is not.
        return hooks.news_of(job_id=job, name=hooks.body_name(body))
