"""Sign-up and confirmation, for a person without an account: a GET shows, a POST acts.

The forms carry no session, so there is none to ride on: the token in the address is the right.
"""

import hashlib

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language_from_request
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from config.lib import clock
from consent import contacts, optin, purposes, signal_views, signals, wording
from consent.confirmation import NotPending
from consent.forms import JoinForm
from consent.optin import SignUp

SIGN_UPS_AN_HOUR = 20
HOUR_SECONDS = 3600


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, code: str) -> HttpResponse:
    if code != purposes.MARKETING:
        raise Http404
    language, at = _language(request), clock.now()
    purpose = purposes.current(code, at)
    shown = purposes.shipped_text(language=language)
    form = JoinForm(request.POST or None, language=language, notice=shown)
    if request.method != "POST" or not form.is_valid():
        return _page(request, "join", language, form=form, status=422 if form.errors else 200)
    if _too_many(request):
        return _page(request, "busy", language, status=429)
    notice = purposes.default_notice(purpose=purpose, language=language, at=at)
    try:
        optin.sign_up(form=_sign_up(request, form, language), notice=notice, at=at)
    except contacts.NotAContact as fault:
        form.add_error(fault.field if fault.field in form.fields else None, fault.problem)
        return _page(request, "join", language, form=form, status=422)
    # The same answer for everybody: nobody learns here whose address is known, or stopped.
    return redirect(f"{reverse('join:asked')}?language={language}")


@require_safe
def asked(request: HttpRequest) -> HttpResponse:
    return _page(request, "asked", _language(request))


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    at = clock.now()
    try:
        question = optin.look_up(token=token, at=at)
        language = question.notice.language
        if request.method != "POST":
            return _page(request, "confirm", language, notice=question.notice.text)
        optin.answer(token=token, at=at, ip=_ip(request), user_agent=_agent(request))
        if signal_views.is_sent(request):
            signals.gpc(contact=question.contact, at=at)
    except NotPending:
        return _page(request, "gone", _language(request), status=404)
    return redirect(f"{reverse('join:confirmed')}?language={language}")


@require_safe
def confirmed(request: HttpRequest) -> HttpResponse:
    return _page(request, "confirmed", _language(request))


def _page(
    request: HttpRequest, name: str, language: str, *, status: int = 200, **more: object
) -> HttpResponse:
    context = {
        "words": wording.words(language),
        "language": language,
        "direction": "rtl" if language in wording.RIGHT_TO_LEFT else "ltr",
        **more,
    }
    answer = render(request, f"consent/public_{name}.html", context, status=status)
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def _language(request: HttpRequest) -> str:
    asked_for = request.GET.get("language", "")[:16]
    return wording.spoken(asked_for or get_language_from_request(request))


def _sign_up(request: HttpRequest, form: JoinForm, language: str) -> SignUp:
    return SignUp(
        name=form.cleaned_data["name"],
        email=form.cleaned_data["email"],
        phone=form.cleaned_data["phone"],
        language=language,
        ip=_ip(request),
        user_agent=_agent(request),
    )


def _too_many(request: HttpRequest) -> bool:
    # Each sign-up can send a message to somebody: a machine must not send many.
    key = f"join_{hashlib.sha256(_ip(request).encode()).hexdigest()[:32]}"
    cache.add(key, 0, HOUR_SECONDS)
    return bool(cache.incr(key) > SIGN_UPS_AN_HOUR)


def _ip(request: HttpRequest) -> str:
    return str(get_adapter().get_client_ip(request))


def _agent(request: HttpRequest) -> str:
    return request.headers.get("User-Agent", "")
