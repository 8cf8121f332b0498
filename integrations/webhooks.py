"""What happens when a provider calls us? It is verified, stored and answered; nothing else.

The address holds a secret of 256 bits that is stored as a keyed hash only.
"""

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from django_q.tasks import async_task

from config.lib import clock
from integrations import connections, inbox, messaging
from integrations.messaging.base import Event, NotAnEvent, NotSigned, Posted
from integrations.models import Connection

LARGEST_BYTES = 64 * 1024


# The caller is a machine with a secret of its own; there is no session to be misused.
@csrf_exempt
@require_POST
def receive(request: HttpRequest, secret: str) -> HttpResponse:
    """Take one event of a provider."""
    connection = connections.by_webhook(secret=secret)
    if connection is None:
        return JsonResponse({"status": "not found"}, status=404)
    if int(request.headers.get("Content-Length") or 0) > LARGEST_BYTES:
        return JsonResponse({"status": "too large"}, status=413)
    try:
        provider = messaging.provider_for(connection)
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
    at = clock.now()
    kept = [
        inbox.store(
            connection=connection,
            kind=event.kind,
            dedupe_key=event.dedupe_key,
            body=event.body,
            at=at,
        )
        for event in events
    ]
    if any(kept):
        async_task("consent.jobs.take_inbox")
