"""What happens when a provider calls us? It is verified, stored and answered; nothing else.

The address holds a secret of 256 bits that is stored as a keyed hash only.
"""

import time
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from django_q.tasks import async_task

from config.lib import clock
from integrations import bell, connections, inbox, messaging
from integrations.crm import hooks as crm_hooks
from integrations.messaging.base import (
    THANKS,
    Event,
    MessagingProvider,
    NotAnEvent,
    NotSigned,
    Posted,
)
from integrations.models import Connection, InboxItem
from integrations.video import hooks
from integrations.video.hooks import News
from integrations.video.providers import NoSuchProvider, provider_for

LARGEST_BYTES = 64 * 1024
# They post hundreds of events at once.
LARGEST_BATCH_BYTES = {"sendgrid": 1 << 20, "hubspot": 1 << 20}
MOST_BYTES = max(LARGEST_BYTES, *LARGEST_BATCH_BYTES.values())
# So long an address and its secret are believed without a look. The price: what is changed or
# ended is believed for a second more, by `take_early` only.
KNOWN_SECONDS = 1.0
KNOWN_MOST = 256
_known: dict[str, tuple[float, Connection, MessagingProvider]] = {}


class NotPlain(Exception):
    """What came is not plainly an event of a provider that we know: the view decides."""


# The caller is a machine with a secret of its own; there is no session to be misused.
@csrf_exempt
@require_http_methods(["POST", "OPTIONS"])
def receive(request: HttpRequest, secret: str) -> HttpResponse:
    """Take one event of a provider."""
    if request.method == "OPTIONS":
        # HeyGen probes an address so before it takes it; who asks learns nothing.
        return HttpResponse(status=204, headers={"Allow": "POST, OPTIONS"})
    connection = connections.by_webhook(secret=secret)
    if connection is None:
        return JsonResponse({"status": "not found"}, status=404)
    largest = LARGEST_BATCH_BYTES.get(connection.provider, LARGEST_BYTES)
    if int(request.headers.get("Content-Length") or 0) > largest:
        return JsonResponse({"status": "too large"}, status=413)
    if connection.kind == Connection.Kind.VIDEO:
        return _hear(connection, request)
    try:
        provider = _told_by(connection)
        events = provider.read(_posted(request))
    except messaging.NoSuchProvider:
        return JsonResponse({"status": "not found"}, status=404)
    except NotSigned:
        return JsonResponse({"status": "not signed"}, status=403)
    except NotAnEvent:
        return JsonResponse({"status": "not an event"}, status=400)
    _keep(connection, events)
    # A repeat is answered like the first: the provider only wants to know that it arrived.
    content_type, body = provider.thanks
    return HttpResponse(body, content_type=content_type)


def take_early(environ: dict[str, Any], secret: str) -> tuple[str, str]:
    """Keep what a provider posted, as `receive` does; return the type and the text of the answer.

    For a server that asks here before Django's middleware (`videos.wsgi`).
    :raises NotPlain: nothing was kept; `receive` must decide, and says no where that is due.
    """
    connection, provider = _known_by(secret)
    request = WSGIRequest(environ)
    largest = LARGEST_BATCH_BYTES.get(connection.provider, LARGEST_BYTES)
    if int(request.headers.get("Content-Length") or 0) > largest:
        raise NotPlain
    try:
        events = provider.read(_posted(request))
    except NotAnEvent:
        raise NotPlain from None
    if inbox.keep(connection=connection, events=events, at=clock.now()):
        bell.INBOX.ring()
    return provider.thanks


def _known_by(secret: str) -> tuple[Connection, MessagingProvider]:
    now, index = time.monotonic(), connections.webhook_index(secret=secret)
    found = _known.get(index)
    if found is not None and found[0] > now:
        return found[1], found[2]
    connection = connections.by_webhook(secret=secret)
    if connection is None or connection.kind != Connection.Kind.MESSAGING:
        raise NotPlain
    try:
        provider = messaging.provider_for(connection)
    except messaging.NoSuchProvider:
        raise NotPlain from None
    if len(_known) >= KNOWN_MOST:
        _known.clear()
    _known[index] = now + KNOWN_SECONDS, connection, provider
    return connection, provider


def _told_by(connection: Connection) -> MessagingProvider | crm_hooks.Reader:
    if connection.kind == Connection.Kind.CRM:
        return crm_hooks.reader_for(connection)
    return messaging.provider_for(connection)


def _hear(connection: Connection, request: HttpRequest) -> HttpResponse:
    """Let what an AI vendor posts wake a poll, and no more: of the body, the job's name is kept."""
    try:
        vendor = provider_for(connection)
    except NoSuchProvider:
        return JsonResponse({"status": "not found"}, status=404)
    if not isinstance(vendor, hooks.TellsNews):
        return JsonResponse({"status": "not found"}, status=404)
    at = clock.now()
    try:
        news = vendor.read_news(body=request.body, headers=request.headers, at=at)
    except hooks.NotSigned:
        return JsonResponse({"status": "not signed"}, status=403)
    except hooks.NotNews:
        return JsonResponse({"status": "not an event"}, status=400)
    if news is not None:
        _wake(connection, news, at)
    return HttpResponse(THANKS[1], content_type=THANKS[0])


@transaction.atomic
def _wake(connection: Connection, news: News, at: datetime) -> None:
    item = inbox.store(
        connection=connection,
        kind=InboxItem.Kind.OTHER,
        dedupe_key=news.name,
        body={"kind": "video_news", "job": news.job_id},
        at=at,
    )
    if item is not None:
        # Nobody above has to take it: the job that watches the render would ask by itself.
        inbox.finish(item=item, outcome="woken", at=at)
        async_task("videos.jobs.vendor_news", str(connection.pk), news.job_id)


def _posted(request: HttpRequest) -> Posted:
    return Posted(
        body=request.body,
        # The provider signed the address it was given. The Host header is whatever a caller says.
        url=f"{settings.PUBLIC_URL}{request.get_full_path()}",
        content_type=request.content_type or "",
        headers=request.headers,
    )


@transaction.atomic
def _keep(connection: Connection, events: tuple[Event, ...]) -> None:
    if inbox.keep(connection=connection, events=events, at=clock.now()):
        async_task(bell.TASK)
