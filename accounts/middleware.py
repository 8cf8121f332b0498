"""What holds for every request: headers, a key ring that opens, and a second factor for staff."""

from collections.abc import Callable

from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts import problems, ring
from config.lib import keyring

GetResponse = Callable[[HttpRequest], HttpResponse]
# A person without a second factor reaches the pages that set one up, and the way out.
OPEN_PREFIXES = ("/accounts/", "/static/")
UNSEALED_PREFIXES = ("/static/", "/livez", "/readyz")


def headers(get_response: GetResponse) -> GetResponse:
    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Cache-Control", "private, no-store")
        response.headers.setdefault("X-Robots-Tag", "noindex, noarchive")
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), microphone=(), geolocation=(), browsing-topics=()"
        )
        return response

    return middleware


def sealed(get_response: GetResponse) -> GetResponse:
    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path.startswith(UNSEALED_PREFIXES):
            return get_response(request)
        try:
            ring.current()
        except keyring.KeyringUnavailable as unavailable:
            return _sealed_page(request, str(unavailable))
        return get_response(request)

    # A view may meet a row whose root key the ring lacks; the answer is the same page.
    def process_exception(request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, keyring.KeyringUnavailable):
            return _sealed_page(request, str(error))
        return None

    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware


def second_factor(get_response: GetResponse) -> GetResponse:
    def middleware(request: HttpRequest) -> HttpResponse:
        user = request.user
        if (
            user.is_authenticated
            and user.is_staff
            and not request.path.startswith(OPEN_PREFIXES)
            and not is_mfa_enabled(user, ["totp", "webauthn"])
        ):
            return redirect("mfa_index")
        return get_response(request)

    return middleware


def _sealed_page(request: HttpRequest, reason: str) -> HttpResponse:
    if request.path.startswith(problems.API_PREFIX):
        return problems.answer(code="unavailable", path=request.path)
    return render(request, "sealed.html", {"reason": reason}, status=503)
