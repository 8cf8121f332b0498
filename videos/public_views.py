"""The page of a link: what a person sees on a phone, without an account and without scripts."""

import uuid
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from config.lib import clock, ids
from consent import preferences, receipts, signal_views, signals
from videos import bytes_views, codes, devices, incidents, links, misses, playback, watching
from videos.devices import Entry
from videos.models import Device, Link, Play

PAGE_COOKIE, BYTES_COOKIE = "sealcast-page", "sealcast-video"
DEVICE_COOKIE = "sealcast-device"
# What the button adds to its form. A scanner that posts a form, or calls its `submit`, presses no
# button; what only fetches ahead says so itself.
GESTURE = ("gesture", "tap")
# What the page's script adds to it: the answer is the page of the video, not the way to it.
AT_ONCE = ("answer", "page")
ONE_CLICK = ("List-Unsubscribe", "One-Click")
AHEAD = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
View = Callable[..., HttpResponseBase]


def private(view: View) -> View:
    """Add what every answer of a link carries, and the one answer of every dead link."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response = view(request, *args, **kwargs)
        except links.NotWatchable:
            response = gone(request, token=str(kwargs.get("token", "")))
        except devices.NotThisDevice:
            # The page says what this browser meets; the play that was asked for is undone.
            response = _back(kwargs["token"])
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        return response

    return answer


def gone(request: HttpRequest, *, token: str) -> HttpResponse:
    # One page for wrong, expired, revoked, stopped and erased, so that nobody learns which.
    if _misses(request) > misses.A_MINUTE:
        return _too_many(request)
    if not token:
        return HttpResponse("This video does not play any more.", "text/plain", status=404)
    return render(request, "watch/gone.html", _own(token), status=404)


@require_safe
@private
def page(request: HttpRequest, token: str) -> HttpResponse:
    now = clock.now()
    link = links.look_up(token=token, at=now)
    device = _device(request, link)
    if link.plays >= link.plays_allowed and _session(request, link) is None:
        if device is None or device.admitted_at is None:
            raise links.NotWatchable
        return render(request, "watch/used_up.html", _all(request, link, token), status=410)
    shown = _all(request, link, token)
    met = devices.entry(link=link, device=device)
    if met == Entry.OPEN:
        return render(request, "watch/page.html", shown)
    if met == Entry.ELSEWHERE:
        return render(request, "watch/elsewhere.html", shown, status=403)
    return _code_page(request, device, shown)


# The forms of a link need no CSRF token: the token in the address is the whole right to act,
# another site does not know it, and the page must work without cookies.
@csrf_exempt
@require_POST
@private
def play(request: HttpRequest, token: str) -> HttpResponse:
    if not _by_hand(request):
        return _back(token)
    now = clock.now()
    link = links.look_up(token=token, at=now)
    session, device = request.COOKIES.get(PAGE_COOKIE, ""), _device(request, link)
    started = playback.start_play(link=link, at=now, session=session, device=device)
    _keep_signal(request, link, now)
    response = _played(request, link, token, started.device)
    value = playback.session_value(play=started)
    for name, path in {
        PAGE_COOKIE: f"/v/{token}",
        BYTES_COOKIE: f"/watch/{link.public_id}",
    }.items():
        _keep(response, name, value, path, playback.SESSION_SECONDS)
    if started.device is not None:
        _know(response, started.device, token, now)
    return response


@csrf_exempt
@require_POST
@private
def code(request: HttpRequest, token: str) -> HttpResponse:
    """Send a code, or take one."""
    if not _by_hand(request):
        return _back(token)
    now = clock.now()
    link = links.look_up(token=token, at=now)
    device = _device(request, link)
    if devices.entry(link=link, device=device) != Entry.CODE:
        return _back(token)
    typed = str(request.POST.get("code", ""))
    if typed:
        right = codes.enter(link=link, device=device, code=typed, at=now)
        return (
            _back(token)
            if right
            else _code_page(request, device, _all(request, link, token), wrong=True)
        )
    try:
        asked = codes.ask(link=link, device=device, at=now)
    except codes.NoWayToAsk:
        return render(request, "watch/no_code.html", _all(request, link, token), status=403)
    except codes.TooManyCodes:
        return render(
            request, "watch/no_code.html", {**_all(request, link, token), "many": True}, status=429
        )
    response = _back(token)
    _know(response, asked.sent.device, token, now)
    return response


@require_safe
@private
def watch(request: HttpRequest, token: str) -> HttpResponse:
    now = clock.now()
    link = links.look_up(token=token, at=now)
    if _session(request, link) is None:
        # The session is over, or a scanner went straight here: back to the gesture.
        return redirect("watch:page", token=token)
    return _watch_page(request, link, token, _device(request, link))


@csrf_exempt
@require_POST
@private
def stop(request: HttpRequest, token: str) -> HttpResponse:
    # RFC 8058: a mail program's own button presses none of ours.
    if not _by_hand(request) and request.POST.get(ONE_CLICK[0]) != ONE_CLICK[1]:
        return _back(token)
    now = clock.now()
    known = links.find(token=token)
    alive = known is not None and links.is_live(link=known, at=now)
    links.stop(token=token, at=now)
    if known is not None:
        _keep_signal(request, known, now)
    if not alive and _misses(request) > misses.A_MINUTE:
        return _too_many(request)
    sender = known.asset.campaign.sender_name if known and alive else ""
    return render(request, "watch/stopped.html", {"sender": sender, **_own(token)})


@csrf_exempt
@require_POST
@private
def report(request: HttpRequest, token: str) -> HttpResponse:
    if not _by_hand(request):
        return _back(token)
    now = clock.now()
    link = links.look_up(token=token, at=now)
    incidents.report(link=link, what=str(request.POST.get("what", "")), at=now)
    return render(request, "watch/reported.html", _all(request, link, token))


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
    link_id, session = _named(link_name), request.COOKIES.get(BYTES_COOKIE, "")

    def serve(range_header: str, if_range: str) -> playback.Served:
        return playback.serve_link(
            link_id=link_id,
            session=session,
            range_header=range_header,
            if_range=if_range,
            at=clock.now(),
        )

    def still() -> bool:
        return playback.goes_on(link_id=link_id, session=session, at=clock.now())

    return bytes_views.video(request, serve=serve, still=still)


@require_safe
@private
def captions(request: HttpRequest, link_name: str) -> HttpResponse:
    return bytes_views.captions(asset=_authorised(request, link_name).asset)


def _by_hand(request: HttpRequest) -> bool:
    ahead = any(request.headers.get(name) for name in AHEAD)
    return request.POST.get(GESTURE[0]) == GESTURE[1] and not ahead


def _back(token: str, *, page: str = "watch:page") -> HttpResponse:
    response = redirect(page, token=token)
    response.status_code = 303
    return response


def _played(request: HttpRequest, link: Link, token: str, device: Device | None) -> HttpResponse:
    if request.POST.get(AT_ONCE[0]) != AT_ONCE[1]:
        return _back(token, page="watch:watch")
    # A round trip less before the first frame; the address is told, since the script keeps it.
    link.refresh_from_db(fields=["plays"])
    response = _watch_page(request, link, token, device)
    response.headers["Content-Location"] = reverse("watch:watch", kwargs={"token": token})
    return response


def _watch_page(
    request: HttpRequest, link: Link, token: str, device: Device | None
) -> HttpResponse:
    own = {
        "plays": watching.own_plays(link=link, device=device),
        "erase_url": _erase_url(token),
    }
    return render(request, "watch/watch.html", {**_all(request, link, token), **own})


def _all(request: HttpRequest, link: Link, token: str) -> dict[str, object]:
    return {**watching.facts(link=link), **_own(token), **_signal(request)}


def _code_page(
    request: HttpRequest, device: Device | None, shown: dict[str, object], *, wrong: bool = False
) -> HttpResponse:
    sent = codes.waiting(device=device, at=clock.now())
    more = {"sent": sent, "digits": codes.DIGITS, "minutes": codes.MINUTES, "wrong": wrong}
    return render(request, "watch/code.html", {**shown, **more}, status=422 if wrong else 200)


def _device(request: HttpRequest, link: Link) -> Device | None:
    return devices.find(link=link, cookie=request.COOKIES.get(DEVICE_COOKIE, ""))


def _know(response: HttpResponse, device: Device, token: str, at: datetime) -> None:
    left = max(1, int((device.link.expires_at - at).total_seconds()))
    _keep(response, DEVICE_COOKIE, devices.cookie_of(device=device), f"/v/{token}", left)


def _keep(response: HttpResponse, name: str, value: str, path: str, seconds: int) -> None:
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path=path,
        secure=settings.SECURE,
        httponly=True,
        samesite="Lax",
    )


def _own(token: str) -> dict[str, str]:
    # Worked out from the token alone, so that the page of a dead link leads on as any other does.
    return {"token": token, "choices": preferences.token_behind(token)}


def _too_many(request: HttpRequest) -> HttpResponse:
    response = render(request, "watch/too_many.html", status=429)
    response.headers["Retry-After"] = "60"
    return response


def _named(link_name: str) -> uuid.UUID:
    try:
        return ids.parse("lnk", link_name)
    except ids.NotAnId:
        raise links.NotWatchable from None


def _authorised(request: HttpRequest, link_name: str) -> Link:
    session = request.COOKIES.get(BYTES_COOKIE, "")
    return playback.authorise(link_id=_named(link_name), session=session, at=clock.now())


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
    address = get_adapter(request).get_client_ip(request)
    return misses.count(address=str(address), at=clock.now())
