"""The way out that every marketing e-mail carries: a POST acts, a GET shows a page, no cookie."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from config.lib import clock
from consent import one_click, preferences, signal_views, signals, stop_texts, wording
from consent.models import PreferenceLink

# What the button of our own page says, so that its person is answered with a page.
BY_PAGE = "page"


# A mail program has no cookie and no form of ours: the token in the address is the whole right.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def one_click_stop(request: HttpRequest, token: str) -> HttpResponse:
    at, by_page = clock.now(), BY_PAGE in request.POST
    try:
        if request.method != "POST":
            return _page(request, preferences.look_up(token=token, at=at))
        link = one_click.stop(token=token, by_page=by_page, at=at)
    except preferences.NoSuchLink:
        return HttpResponse(status=404)
    if signal_views.is_sent(request) and link.contact.erased_at is None:
        signals.gpc(contact=link.contact, at=at)
    return _page(request, link, done=token) if by_page else HttpResponse(status=200)


def _page(request: HttpRequest, link: PreferenceLink, *, done: str = "") -> HttpResponse:
    language = stop_texts.spoken(link.contact.language)
    words = stop_texts.words(language)
    sender = stop_texts.sender_of(link.contact)
    context = {
        "words": words,
        "sender": sender,
        "text": words["text"].format(sender=sender),
        "language": language,
        "direction": "rtl" if language in wording.RIGHT_TO_LEFT else "ltr",
        "done": bool(done),
        # Undoing it is asked for there: an erased person has nothing to undo.
        "choices": done if link.contact.erased_at is None else "",
        "choices_title": wording.words(language)["choices_title"],
        "signal": signal_views.is_sent(request),
    }
    answer = render(request, "consent/public_one_click.html", context)
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
