"""Confirmation, for a person without an account: a GET shows, a POST acts.

The forms carry no session, so there is none to ride on: the token in the address is the right.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from config.lib import clock
from consent import confirmation, frame_views, optin, preferences, stop_texts
from consent.confirmation import NotPending


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    at = clock.now()
    try:
        question = optin.look_up(token=token, at=at)
        language = question.notice.language
        choices = preferences.token_behind(token)
        if request.method != "POST":
            texts = [question.notice, *confirmation.texts_beside(opt_in=question)]
            # It is to them that one agrees: the page names who asks, as the message did.
            sender = stop_texts.sender_of(question.contact)
            return frame_views.page(
                request, "confirm", language, texts=texts, choices=choices, sender=sender
            )
        optin.answer(
            token=token, at=at, ip=frame_views.ip(request), user_agent=frame_views.agent(request)
        )
    except NotPending:
        return frame_views.page(request, "gone", frame_views.language(request), 404)
    # The way to their choices goes with them: what was just given is as easily taken back.
    return redirect(reverse("join:confirmed", args=[choices], query={"language": language}))


@require_safe
def confirmed(request: HttpRequest, token: str = "") -> HttpResponse:
    language = frame_views.language(request)
    return frame_views.page(request, "confirmed", language, choices=token)
