"""The page of a person's own choices, without an account: a GET shows, a POST acts.

The forms carry no session, so there is none to ride on: the token in the address is the right.
"""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from config.lib import clock
from consent import (
    allowing,
    choice_words,
    choices,
    frame_views,
    preferences,
    receipts,
    signal_views,
    signals,
    wording,
)
from consent.box_forms import BoxForm
from consent.choices import Pair
from consent.models import PreferenceLink

View = Callable[..., HttpResponse]
READ = ["GET", "HEAD", "POST"]
FILE_NAME = "consent-receipt.json"


def private(view: View) -> View:
    """Answer alike for every link that is wrong, too old, or of somebody erased."""

    @wraps(view)
    def answer(request: HttpRequest, token: str, **kwargs: Any) -> HttpResponse:
        try:
            link = preferences.own(token=token, at=clock.now())
        except preferences.NoSuchLink:
            return frame_views.page(request, "no_choices", frame_views.language(request), 404)
        # Django's own words, such as the names of months, follow.
        with translation.override(_language(request, link)):
            return view(request, link, token, **kwargs)

    return answer


@require_safe
@private
def page(request: HttpRequest, link: PreferenceLink, token: str) -> HttpResponse:
    at = clock.now()
    speech = _speech(request, link)
    chosen = choices.of(contact=link.contact, at=at)
    stopped = request.GET.get("stopped", "")
    if stopped == "all" and choices.is_all_stopped(chosen):
        done = speech.say("done_all", holder=speech.holder)
        return _page(request, "choices_stopped", link, token, done=done, undo=_undo(link))
    ends_at = link.contact.key.delete_at
    return _page(
        request,
        "choices",
        link,
        token,
        flash=choice_words.flash(speech, chosen, stopped, request.GET.get("allowed", "")),
        cards=choice_words.cards(speech, link, chosen, at),
        all_stopped=choices.is_all_stopped(chosen),
        about=choice_words.about(speech, link, at),
        acts=choice_words.acts(speech, choices.history(contact=link.contact)),
        intro=speech.say("choices_intro", holder=speech.holder),
        kept_until=ends_at and speech.say("kept_until", date=choice_words.day(ends_at)),
        signal=signal_views.is_sent(request),
        undo=_undo(link),
    )


# The token in the address is the whole right to act, and it must work without cookies.
@csrf_exempt
@require_POST
@private
def stop(request: HttpRequest, link: PreferenceLink, token: str) -> HttpResponse:
    pair, at = _named(request, link), clock.now()
    choices.stop(link=link, pair=pair, at=at)
    _hear_signal(request, link, at)
    return _back(request, token, stopped=".".join(pair) if pair else "all")


@csrf_exempt
@require_http_methods(READ)
@private
def allow(
    request: HttpRequest,
    link: PreferenceLink,
    token: str,
    purpose: str = "",
    channel: str = "",
) -> HttpResponse:
    at = clock.now()
    wanted = [(purpose, channel)] if purpose else choices.stopped_last(contact=link.contact)
    boxes = allowing.asked(link=link, pairs=wanted, language=_language(request, link), at=at)
    if not boxes:
        raise Http404
    guardian = allowing.needs_guardian(link=link, asked=boxes, at=at)
    data = request.POST if request.method == "POST" else None
    form = BoxForm(data, asked=boxes, guardian=guardian)
    if request.method == "POST" and form.is_valid():
        # First what the browser says by itself, so that what the person says counts after it.
        _hear_signal(request, link, at)
        done = allowing.allow(
            link=link, asked=boxes, answer=form.answer(frame_views.evidence(request)), at=at
        )
        return _back(request, token, allowed="half" if done.is_half else "yes")
    many = not purpose
    status = 422 if form.errors else 200
    reached = choice_words.reached(link.contact, at)
    return _page(
        request, "allow", link, token, form=form, many=many, reached=reached, status=status
    )


@require_safe
@private
def receipt_file(_request: HttpRequest, link: PreferenceLink, token: str) -> HttpResponse:
    del token
    document = receipts.receipt(contact=link.contact, at=clock.now())
    answer = JsonResponse(document, json_dumps_params={"indent": 2, "ensure_ascii": False})
    answer.headers["Content-Disposition"] = f'attachment; filename="{FILE_NAME}"'
    return frame_views.private(answer)


@require_safe
@private
def receipt_page(request: HttpRequest, link: PreferenceLink, token: str) -> HttpResponse:
    at = clock.now()
    speech = _speech(request, link)
    document = receipts.receipt(contact=link.contact, at=at)
    chosen = choices.of(contact=link.contact, at=at)
    return _page(
        request,
        "receipt",
        link,
        token,
        receipt=document,
        issued_at=at,
        about=choice_words.about(speech, link, at),
        rows=[choice_words.row(speech, choice) for choice in chosen if choice.since],
        acts=choice_words.acts(speech, choices.history(contact=link.contact)),
    )


def _page(
    request: HttpRequest,
    name: str,
    link: PreferenceLink,
    token: str,
    *,
    status: int = 200,
    **more: object,
) -> HttpResponse:
    language = _language(request, link)
    return frame_views.page(
        request,
        name,
        language,
        status,
        token=token,
        holder=wording.holder(link.contact),
        query=f"?language={language}" if "language" in request.GET else "",
        languages=wording.languages(),
        **more,
    )


def _speech(request: HttpRequest, link: PreferenceLink) -> choice_words.Speech:
    language = _language(request, link)
    return choice_words.Speech(wording.words(language), wording.holder(link.contact))


def _language(request: HttpRequest, link: PreferenceLink) -> str:
    return wording.spoken(request.GET.get("language", "")[:16] or link.contact.language)


def _named(request: HttpRequest, link: PreferenceLink) -> Pair | None:
    pair = (request.POST.get("purpose", ""), request.POST.get("channel", ""))
    if pair == ("", ""):
        return None
    chosen = choices.of(contact=link.contact, at=clock.now())
    if pair not in {(choice.purpose_code, choice.channel) for choice in chosen}:
        raise Http404
    return pair


def _hear_signal(request: HttpRequest, link: PreferenceLink, at: datetime) -> None:
    if signal_views.is_sent(request):
        signals.gpc(contact=link.contact, at=at)


def _undo(link: PreferenceLink) -> bool:
    return bool(choices.stopped_last(contact=link.contact))


def _back(request: HttpRequest, token: str, **told: str) -> HttpResponse:
    query = {key: request.GET[key][:16] for key in ("language",) if key in request.GET}
    answer = redirect(reverse("choices:page", args=[token], query={**query, **told}))
    answer.status_code = 303
    return frame_views.private(answer)
