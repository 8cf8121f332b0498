"""What happens when a provider calls us? It is verified, stored and answered; nothing else.

The address holds a secret of 256 bits that is stored as a keyed hash only.
"""

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from django_q.tasks import async_task

from config.lib import clock
from integrations import connections, inbox, messaging
from integrations.messaging.base import NotAnEvent

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
        event = messaging.provider_for(connection).read(request.body)
    except NotAnEvent:
        return JsonResponse({"status": "not an event"}, status=400)
    with transaction.atomic():
        item = inbox.store(
            connection=connection,
            kind=event.kind,
            dedupe_key=event.dedupe_key,
            body=event.body,
            at=clock.now(),
        )
        if item is not None:
            async_task("consent.jobs.take_inbox")
    # A repeat is answered like the first: the provider only wants to know that it arrived.
    return JsonResponse({"status": "kept"})
