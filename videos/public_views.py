"""The page of a link: what a person sees on a phone, without an account and without scripts."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from accounts import keys
from config.lib import clock, ids
from consent import preferences, receipts, signal_views, signals
from videos import bytes_views, links, playback, watching
from videos.models import Link, Play

PAGE_COOKIE, BYTES_COOKIE = "sealcast-page", "sealcast-video"
MISSES_A_MINUTE = 60
View = Callable[..., HttpResponseBase]


def private(view: View) -> View:
    """Add what every answer of a link carries, and the one answer of every dead link."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response = view(request, *args, **kwargs)
        except links.NotWatchable:
            response = gone(request, token=str(kwargs.get("token", "")))
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        return response

    return answer


def gone(request: HttpRequest, *, token: str) -> HttpResponse:
    # One page for wrong, expired, revoked, stopped and erased, so that nobody learns which.
    if _misses(request) > MISSES_A_MINUTE:
        return _too_many(request)
    if not token:
        return HttpResponse("This video does not play any more.", "text/plain", status=404)
    return render(request, "watch/gone.html", _own(token), status=404)


@require_safe
@private
def page(request: HttpRequest, token: str) -> HttpResponse:
    now = clock.now()
    link = links.look_up(token=token, at=now)
    if link.plays >= link.plays_allowed and _session(request, link) is None:
        raise links.NotWatchable
    facts = watching.facts(link=link)
    return render(request, "watch/page.html", {**facts, **_own(token), **_signal(request)})


# The forms of a link need no CSRF token: the token in the address is the whole right to act,
# another site does not know it, and the page must work without cookies.
@csrf_exempt
@require_POST
@private
def play(request: HttpRequest, token: str) -> HttpResponse:
    now = clock.now()
    link = links.look_up(token=token, at=now)
    session = request.COOKIES.get(PAGE_COOKIE, "")
    started = playback.start_play(link=link, at=now, session=session)
    _keep_signal(request, link, now)
    response = redirect("watch:watch", token=token)
    response.status_code = 303
    value = playback.session_value(play=started)
    paths = {PAGE_COOKIE: f"/v/{token}", BYTES_COOKIE: f"/watch/{link.public_id}"}
    for name, path in paths.items():
        response.set_cookie(
            name,
            value,
            max_age=playback.SESSION_SECONDS,
            path=path,
            secure=settings.SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response


@require_safe
@private
def watch(request: HttpRequest, token: str) -> HttpResponse:
    now = clock.now()
    link = links.look_up(token=token, at=now)
    if _session(request, link) is None:
        # The session is over, or a scanner went straight here: back to the gesture.
        return redirect("watch:page", token=token)
    facts = watching.facts(link=link)
    own = {"plays": watching.own_plays(link=link), "erase_url": _erase_url(token)}
    context = {**facts, **own, **_own(token), **_signal(request)}
    return render(request, "watch/watch.html", context)


@csrf_exempt
@require_POST
@private
def stop(request: HttpRequest, token: str) -> HttpResponse:
    now = clock.now()
    known = links.find(token=token)
    alive = known is not None and links.is_live(link=known, at=now)
    links.stop(token=token, at=now)
    if known is not None:
        _keep_signal(request, known, now)
    if not alive and _misses(request) > MISSES_A_MINUTE:
        return _too_many(request)
    sender = known.asset.campaign.sender_name if known and alive else ""
    return render(request, "watch/stopped.html", {"sender": sender, **_own(token)})


@require_safe
@private
def receipt(request: HttpRequest, token: str) -> HttpResponse:
    now = clock.now()
    link = links.look_up(token=token, at=now)
    document = receipts.receipt(contact=link.contact, at=now)
    response = JsonResponse(document, json_dumps_params={"indent": 2, "ensure_ascii": False})
    response.headers["Content-Disposition"] = 'attachment; filename="consent-receipt.json"'
    return response


@require_safe
@private
def video(request: HttpRequest, link_name: str) -> HttpResponseBase:
    link = _authorised(request, link_name)
    session = request.COOKIES.get(BYTES_COOKIE, "")

    def still() -> bool:
        try:
            playback.authorise(link_id=link.pk, session=session, at=clock.now())
        except links.NotWatchable:
            return False
        return True

    return bytes_views.video(request, asset=link.asset, still=still)


@require_safe
@private
def captions(request: HttpRequest, link_name: str) -> HttpResponse:
    return bytes_views.captions(asset=_authorised(request, link_name).asset)


def _own(token: str) -> dict[str, str]:
    # Worked out from the token alone, so that the page of a dead link leads on as any other does.
    return {"token": token, "choices": preferences.token_behind(token)}


def _too_many(request: HttpRequest) -> HttpResponse:
    response = render(request, "watch/too_many.html", status=429)
    response.headers["Retry-After"] = "60"
    return response


def _authorised(request: HttpRequest, link_name: str) -> Link:
    try:
        link_id = ids.parse("lnk", link_name)
    except ids.NotAnId:
        raise links.NotWatchable from None
    session = request.COOKIES.get(BYTES_COOKIE, "")
    return playback.authorise(link_id=link_id, session=session, at=clock.now())


def _session(request: HttpRequest, link: Link) -> Play | None:
    session = request.COOKIES.get(PAGE_COOKIE, "")
    return playback.session_of(link=link, session=session, at=clock.now())


def _signal(request: HttpRequest) -> dict[str, bool]:
    # Shown at once; written down with the person's first gesture, since a GET changes nothing.
    return {"signal": signal_views.is_sent(request)}


def _keep_signal(request: HttpRequest, link: Link, at: datetime) -> None:
    if signal_views.is_sent(request) and link.contact.erased_at is None:
        signals.gpc(contact=link.contact, at=at)


def _erase_url(token: str) -> str:
    # The storey above answers it; where it is not installed the page has no such button.
    try:
        return reverse("console_public:erase", kwargs={"token": token})
    except NoReverseMatch:
        return ""


def _misses(request: HttpRequest) -> int:
    # The address is not kept, only a keyed hash of it for a minute.
    address = get_adapter(request).get_client_ip(request)
    name = f"misses:{keys.token_index(kind='videos.miss', token=str(address))}"
    cache.add(name, 0, timeout=60)
    try:
        return cache.incr(name)
    except ValueError:
        # The minute ended between the two lines.
        return 1
