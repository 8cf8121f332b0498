"""The home page, the health of the house, and the pages that describe the API."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe
from drf_spectacular.views import SpectacularJSONAPIView

from accounts import api_schema, health, problems, roles
from config.lib import clock


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        return render(request, "home.html")
    if roles.may(user=request.user, act="console.view"):
        return redirect("admin:index")
    return redirect("videos:campaigns")


@require_safe
def limits(request: HttpRequest) -> HttpResponse:
    return render(request, "limits.html")


@require_safe
def livez(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    parts = health.answers(at=clock.now())
    ready = health.is_ready(parts)
    body = {"status": "ok" if ready else "not ready", **parts}
    return JsonResponse(body, status=200 if ready else 503)


@require_safe
def api_docs(request: HttpRequest) -> HttpResponse:
    address = settings.PUBLIC_URL or request.build_absolute_uri("/").rstrip("/")
    return render(
        request, "api/docs.html", {"openapi_url": reverse("api:openapi"), "address": address}
    )


@require_safe
def api_problems(request: HttpRequest) -> HttpResponse:
    rows = [{"code": code, "kind": kind} for code, kind in problems.CATALOGUE.items()]
    return render(request, "api/problems.html", {"problems": rows})


class OpenApiView(SpectacularJSONAPIView):
    """The description of the API; anybody may read it."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    custom_settings = {"POSTPROCESSING_HOOKS": [f"{api_schema.__name__}.describe_problems"]}
