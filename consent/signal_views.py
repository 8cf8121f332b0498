"""Where a browser, or an inspector, reads that its opt-out signal is kept."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from consent import signals


def is_sent(request: HttpRequest) -> bool:
    return signals.is_sent(value=request.headers.get(signals.HEADER))


@require_safe
def gpc(request: HttpRequest) -> JsonResponse:
    # https://privacycg.github.io/gpc-spec/, section 4
    return JsonResponse({"gpc": True, "lastUpdate": signals.KEPT_SINCE})
