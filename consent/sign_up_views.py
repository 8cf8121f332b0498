"""Sign-up forms, for a person without an account, on a page of their own or in a site's frame.

The forms carry no session, so there is none to ride on: a GET shows, a POST acts.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from config.lib import clock
from consent import contacts, frame_views, hosted_forms, wording
from consent.hosted_forms import Look
from consent.models import HostedForm
from consent.sign_up_forms import SignUpForm

READ = ["GET", "HEAD", "POST"]
SIGN_UPS_AN_HOUR = 20


@csrf_exempt
@require_http_methods(READ)
def join(request: HttpRequest, code: str) -> HttpResponse:
    # The addresses of before forms were made: of these there is one.
    if code != hosted_forms.DEFAULT_SLUG:
        return _gone(request)
    return hosted(request, slug=code)


@csrf_exempt
@require_http_methods(READ)
def hosted(request: HttpRequest, slug: str) -> HttpResponse:
    try:
        form = hosted_forms.open_form(slug=slug)
    except hosted_forms.NoSuchForm:
        return _gone(request)
    return _sign_up(request, form, asked="join:asked", embedded=False)


@csrf_exempt
@require_http_methods(READ)
def embedded(request: HttpRequest, slug: str) -> HttpResponse:
    try:
        form = _embeddable(slug)
    except hosted_forms.NoSuchForm:
        return _gone(request)
    answer = _sign_up(request, form, asked="join:embed_asked", embedded=True)
    return _framed(answer, form)


@require_safe
def asked(request: HttpRequest) -> HttpResponse:
    return frame_views.page(request, "asked", frame_views.language(request))


@require_safe
def embed_asked(request: HttpRequest, slug: str) -> HttpResponse:
    try:
        form = _embeddable(slug)
    except hosted_forms.NoSuchForm:
        return _gone(request)
    language = frame_views.language(request)
    return _framed(frame_views.page(request, "asked", language, embedded=True), form)


def first_look(request: HttpRequest, form: HostedForm, **more: Any) -> HttpResponse:
    """Show a form as somebody first sees it."""
    look = Look(version=form.version)
    return _page(request, form, _language(request, form), look, **more)


def _sign_up(request: HttpRequest, form: HostedForm, *, asked: str, embedded: bool) -> HttpResponse:
    if request.method != "POST":
        return first_look(request, form, embedded=embedded)
    language, at = _language(request, form), clock.now()
    look = Look.read(request.POST.get("look", "")[:16])
    common: dict[str, Any] = {"embedded": embedded}
    if look.version != form.version:
        # What they ticked stood beside other words: it is not taken.
        return first_look(request, form, told="form_changed", status=422, **common)
    answered = _form(form, language, look, request.POST)
    if not answered.is_valid():
        wrong: dict[str, Any] = {"told": "form_once_more", "status": 422, **common}
        return _page(request, form, language, look, answered, **wrong)
    person = answered.person(language)
    age = answered.cleaned_data.get("age")
    need = hosted_forms.needed(form=form, person=person, age_years=age, look=look, at=at)
    if need != look:
        told = "written_why" if need.written and not look.written else "guardian_why"
        again = _form(form, language, need, None, answered)
        return _page(request, form, language, need, again, told=told, **common)
    if frame_views.is_too_much(request, what="join", an_hour=SIGN_UPS_AN_HOUR):
        return frame_views.page(request, "busy", language, 429, **common)
    try:
        hosted_forms.sign_up(
            form=form,
            asked=answered.boxes,
            person=person,
            answer=answered.answer(frame_views.evidence(request)),
            at=at,
        )
    except contacts.NotAContact as fault:
        answered.add_error(_beside(fault.field, answered), fault.problem)
        return _page(request, form, language, look, answered, status=422, **common)
    # The same answer for everybody: nobody learns here whose address is known, or stopped.
    args = [form.slug] if embedded else []
    return redirect(reverse(asked, args=args, query={"language": language}))


def _form(
    form: HostedForm,
    language: str,
    look: Look,
    data: Any = None,
    before: SignUpForm | None = None,
) -> SignUpForm:
    boxes = hosted_forms.shown(form=form, language=language, look=look)
    return SignUpForm(
        data,
        asked=boxes,
        look=look,
        age=hosted_forms.asks_age(form),
        initial=before.again(boxes) if before else None,
    )


def _page(
    request: HttpRequest,
    form: HostedForm,
    language: str,
    look: Look,
    answered: SignUpForm | None = None,
    *,
    told: str = "",
    status: int = 200,
    **more: object,
) -> HttpResponse:
    words = wording.words(language)
    return frame_views.page(
        request,
        "join",
        language,
        status,
        form=answered or _form(form, language, look),
        seller=form.seller,
        intro=wording.filled(words["form_intro"], seller=form.seller),
        told=words.get(told, ""),
        languages=_named(form),
        **more,
    )


def _named(form: HostedForm) -> dict[str, str]:
    known = hosted_forms.languages(form)
    return {code: name for code, name in wording.languages().items() if code in known}


def _language(request: HttpRequest, form: HostedForm) -> str:
    told = request.POST.get("language", "")[:16] or frame_views.language(request)
    return hosted_forms.spoken(form, told)


def _beside(name: str, answered: SignUpForm) -> str | None:
    return name if name in answered.fields else None


def _embeddable(slug: str) -> HostedForm:
    form = hosted_forms.open_form(slug=slug)
    if not form.origins:
        raise hosted_forms.NoSuchForm(slug)
    return form


def _framed(answer: HttpResponse, form: HostedForm) -> HttpResponse:
    # Only the sites that the form names may show it: any other could lay its own page over it.
    answer._csp_replace = {"frame-ancestors": list(form.origins)}  # type: ignore[attr-defined]
    answer.xframe_options_exempt = True
    return answer


def _gone(request: HttpRequest) -> HttpResponse:
    return frame_views.page(request, "form_gone", frame_views.language(request), 404)
