"""What do all pages share that a person sees without an account? Language, headers, who asks."""

import hashlib

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import get_language_from_request

from consent import optin, wording

HOUR_SECONDS = 3600
LANGUAGE_CHARS = 16


def page(
    request: HttpRequest, name: str, language: str, status: int = 200, **more: object
) -> HttpResponse:
    context = {
        "words": wording.words(language),
        "language": language,
        "direction": "rtl" if language in wording.RIGHT_TO_LEFT else "ltr",
        **more,
    }
    # Django's own words, such as the names of months, follow.
    with translation.override(language):
        return private(render(request, f"consent/public_{name}.html", context, status=status))


def private(answer: HttpResponse) -> HttpResponse:
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def language(request: HttpRequest) -> str:
    asked_for = request.GET.get("language", "")[:LANGUAGE_CHARS]
    return wording.spoken(asked_for or get_language_from_request(request))


def evidence(request: HttpRequest) -> dict[str, object]:
    return dict(optin.evidence(ip(request), agent(request)))


def ip(request: HttpRequest) -> str:
    return str(get_adapter().get_client_ip(request))


def agent(request: HttpRequest) -> str:
    return request.headers.get("User-Agent", "")


def is_too_much(request: HttpRequest, *, what: str, an_hour: int) -> bool:
    # The address is not kept, only a hash of it for an hour.
    key = f"{what}_{hashlib.sha256(ip(request).encode()).hexdigest()[:32]}"
    cache.add(key, 0, HOUR_SECONDS)
    return bool(cache.incr(key) > an_hour)
