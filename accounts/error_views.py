"""What does somebody see when a page is refused? A problem on the API, a page everywhere else."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from accounts import problems


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, "malformed", "400.html")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, "not-allowed", "403.html")


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, "not-found", "404.html")


def server_error(request: HttpRequest) -> HttpResponse:
    if request.path.startswith(problems.API_PREFIX):
        return problems.answer(code="server-error", path=request.path)
    # Without the request: what it would ask of the database may be what has failed.
    return HttpResponse(render_to_string("500.html"), status=500)


def _page(request: HttpRequest, code: str, template: str) -> HttpResponse:
    if request.path.startswith(problems.API_PREFIX):
        return problems.answer(code=code, path=request.path)
    return render(request, template, status=problems.CATALOGUE[code].status)
