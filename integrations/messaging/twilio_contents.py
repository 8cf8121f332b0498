"""Which templates has an account at Twilio, and what did Meta say of each? By its Content API."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from integrations.messaging import whatsapp
from integrations.messaging.base import KnownTemplate, ProviderError
from integrations.messaging.wire import Wire, text

# Contents with what Meta said of them, in one list: no call for each.
PATH = "/v1/ContentAndApprovals"
PAGE_ROWS = "100"


def templates(*, wire: Wire) -> Sequence[KnownTemplate]:
    """Return the contents that were put before Meta, page by page.

    :raises ProviderError: no whole list came.
    """
    found: list[KnownTemplate] = []
    fields = {"PageSize": PAGE_ROWS}
    for _ in range(whatsapp.PAGES_MAX):
        reply = wire.get(PATH, fields)
        rows = (reply.body or {}).get("contents")
        if not reply.is_good or not isinstance(rows, list):
            raise whatsapp.not_listed(reply.status)
        found += [_template(row) for row in rows if isinstance(row, dict) and _was_asked(row)]
        # Only what follows the question is taken from the address it names: its host is ours.
        more = urlsplit(text(reply.body, "meta", "next_page_url"))
        if not more.query:
            return found
        fields = dict(parse_qsl(more.query))
    raise ProviderError("transient", "list_too_long")


def _was_asked(row: Mapping[str, Any]) -> bool:
    return bool(text(row, "sid")) and isinstance(row.get("approval_requests"), dict)


def _template(row: Mapping[str, Any]) -> KnownTemplate:
    return KnownTemplate(
        code=text(row, "sid"),
        title=text(row, "approval_requests", "name") or text(row, "friendly_name"),
        language=text(row, "language"),
        category=text(row, "approval_requests", "category"),
        state=text(row, "approval_requests", "status"),
        words=_words(row.get("types")),
        reason=text(row, "approval_requests", "rejection_reason"),
    )


def _words(types: object) -> str:
    kinds = types.values() if isinstance(types, dict) else []
    return next((found for kind in kinds if (found := text(kind, "body"))), "")
