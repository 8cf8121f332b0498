"""The marketer's builder: the list of campaigns and the steps from a script to sending."""

import uuid
from typing import cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import audit, people, roles
from accounts.models import Partner, User
from config.lib import clock
from consent import purposes, topics
from videos import (
    anonymisation,
    audiences,
    campaigns,
    checks,
    content_rules,
    contents,
    declarations,
    fallbacks,
    grammar,
    languages,
    rendering,
    steps,
)
from videos.fallbacks import BadFallback
from videos.forms import (
    AudienceForm,
    CampaignForm,
    DeclareForm,
    DismissForm,
    FallbackForm,
    ScriptForm,
)
from videos.models import Campaign, Recipient, Script

PAGE_ROWS = 25
READ = ["GET", "HEAD", "POST"]


@roles.requires("campaign.view")
@require_safe
def campaign_list(request: HttpRequest) -> HttpResponse:
    rows = Campaign.objects.select_related("partner").annotate(
        people=Count("recipients"),
        queued=Count("recipients", filter=Q(recipients__state__in=_MESSAGED)),
    )
    page = Paginator(rows.order_by("-created_at"), PAGE_ROWS).get_page(request.GET.get("page"))
    context = {"page": page, "rows": [_row(campaign) for campaign in page], "headers": _HEADERS}
    return render(request, "videos/campaigns.html", context)


@roles.requires("campaign.edit")
@require_http_methods(READ)
def campaign_new(request: HttpRequest) -> HttpResponse:
    now = clock.now()
    form = CampaignForm(request.POST or None, at=now)
    if form.is_valid():
        values = dict(form.cleaned_data)
        chosen = values.pop("partner", "")
        partner = get_object_or_404(Partner, pk=chosen) if chosen else None
        try:
            campaign = campaigns.create(
                **values, partner=partner, created_by=_user(request), at=now, actor=actor(request)
            )
            return redirect("videos:script", campaign_id=campaign.pk)
        except campaigns.NotACampaign as refused:
            form.add_error(refused.field, refused.problem)
    return render(request, "videos/new.html", {"form": form}, status=_status(form))


@roles.requires("campaign.view")
@require_safe
def campaign(request: HttpRequest, campaign_id: uuid.UUID) -> HttpResponse:
    row = get_object_or_404(Campaign, pk=campaign_id)
    step = "script" if row.started_at is None else "live"
    if not roles.may(user=request.user, act="campaign.edit"):
        step = "live"
    return redirect(f"videos:{step}", campaign_id=row.pk)


@roles.requires("campaign.edit")
@require_http_methods(READ)
def campaign_settings(request: HttpRequest, campaign_id: uuid.UUID) -> HttpResponse:
    row, now = get_object_or_404(Campaign, pk=campaign_id), clock.now()
    form = CampaignForm(request.POST or None, at=now, campaign=row)
    if form.is_valid():
        try:
            campaigns.change(campaign=row, **form.cleaned_data, at=now, actor=actor(request))
        except campaigns.NotACampaign as refused:
            form.add_error(refused.field, refused.problem)
        except campaigns.NotNow as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, "The settings were saved.")
            return redirect("videos:script", campaign_id=row.pk)
    context = {"campaign": row, "form": form, "steps": steps.of(row, "settings")}
    return render(request, "videos/settings.html", context, status=_status(form))


@roles.requires("campaign.edit")
@require_http_methods(READ)
def script(request: HttpRequest, campaign_id: uuid.UUID) -> HttpResponse:
    row = get_object_or_404(Campaign, pk=campaign_id)
    written = campaigns.scripts(row)
    language = str(request.GET.get("language") or row.default_language)
    if language not in languages.NAMES:
        language = row.default_language
    found = written.get(language)
    initial = {"language": language, "text": found.text if found else ""}
    if request.method == "POST" and "remove" in request.POST and found:
        return _remove_script(request, row, language)
    form = ScriptForm(request.POST or None, initial=initial)
    if form.is_valid() and _save_script(request, row, form):
        return redirect("videos:audience", campaign_id=row.pk)
    text = form.cleaned_data.get("text", "") if form.is_bound and form.is_valid() else None
    shown = initial["text"] if text is None else text
    context = {
        "campaign": row,
        "form": form,
        "steps": steps.of(row, "script"),
        "language": language,
        "tabs": _language_tabs(row, set(written), language),
        "written": found is not None,
        "others": [one for one in languages.CHOICES if one[0] not in {*written, language}],
        "slots": anonymisation_slots(),
        **look_at(row, language, shown),
        **speaks(row),
    }
    return render(request, "videos/script.html", context, status=_status(form))


@roles.requires("campaign.edit")
@require_POST
def script_look(request: HttpRequest, campaign_id: uuid.UUID) -> HttpResponse:
    # It saves nothing; a POST because a script has no place in an address.
    row = get_object_or_404(Campaign, pk=campaign_id)
    text, language = str(request.POST.get("text", "")), str(request.POST.get("language", ""))
    return render(request, "videos/_look.html", look_at(row, language, text))


@roles.requires("campaign.edit")
@require_http_methods(READ)
def audience(request: HttpRequest, campaign_id: uuid.UUID) -> HttpResponse:
    row, now = get_object_or_404(Campaign, pk=campaign_id), clock.now()
    choices = audiences.choices(partner=row.partner)
    form = AudienceForm(request.POST or None, initial=row.audience, choices=choices)
    if request.method == "POST" and form.is_valid():
        try:
            campaigns.set_audience(
                campaign=row, filters=form.cleaned_data, at=now, actor=actor(request)
            )
            messages.success(request, "The audience was saved.")
            return redirect("videos:audience", campaign_id=row.pk)
        except campaigns.NotNow as refused:
            form.add_error(None, str(refused))
    context = {
        "campaign": row,
        "form": form,
        "steps": steps.of(row, "audience"),
        "anyone": any(choices.values()),
        "seen": audiences.outlook(campaign=row, at=now),
        "purpose": purposes.current(row.purpose_code, now),
    }
    return render(request, "videos/audience.html", context, status=_status(form))


@roles.requires("campaign.edit")
@require_http_methods(READ)
def fallback(request: HttpRequest, campaign_id: uuid.UUID) -> HttpResponse:
    row, now = get_object_or_404(Campaign, pk=campaign_id), clock.now()
    written = campaigns.scripts(row)
    gaps = fallbacks.gaps(campaign=row, at=now)
    data = request.POST or None
    forms = {one: FallbackForm(data, gaps=found, prefix=one) for one, found in gaps.items()}
    if data is not None and all(form.is_valid() for form in forms.values()):
        # Each is tried, so that every fault is shown at once.
        saved = [_save_fallbacks(request, written[one], form) for one, form in forms.items()]
        if all(saved):
            return redirect("videos:preview", campaign_id=row.pk)
    named = [(languages.name(language), form) for language, form in forms.items()]
    context = {"campaign": row, "forms": named, "steps": steps.of(row, "fallbacks")}
    return render(request, "videos/fallbacks.html", context, status=200 if data is None else 400)


@roles.requires("campaign.view")
@require_safe
def check(request: HttpRequest, campaign_id: uuid.UUID) -> HttpResponse:
    row = get_object_or_404(Campaign, pk=campaign_id)
    found = checks.checks(campaign=row, at=clock.now())
    context = {
        "campaign": row,
        "steps": steps.of(row, "checks"),
        "checks": [(one, steps.address(row, one.step)) for one in found],
        "bad": sum(one.state == checks.BAD for one in found),
        "warn": sum(one.state == checks.WARN for one in found),
    }
    return render(request, "videos/checks.html", context)


@roles.requires("campaign.send")
@require_http_methods(READ)
def send(request: HttpRequest, campaign_id: uuid.UUID) -> HttpResponse:
    row, now = get_object_or_404(Campaign, pk=campaign_id), clock.now()
    if request.method == "POST":
        try:
            campaigns.start(campaign=row, at=now, actor=actor(request))
            return redirect("videos:live", campaign_id=row.pk)
        except campaigns.NotReady:
            messages.error(request, "Nothing was sent: a check is red.")
            return redirect("videos:checks", campaign_id=row.pk)
        except campaigns.NotNow as refused:
            messages.error(request, str(refused))
            return redirect("videos:campaign", campaign_id=row.pk)
    found = checks.checks(campaign=row, at=now)
    context = {
        "campaign": row,
        "steps": steps.of(row, "send"),
        "seen": audiences.outlook(campaign=row, at=now),
        "bad": [one for one in found if one.state == checks.BAD],
        "life": next(one.detail for one in found if one.code == "link"),
        "over": next(one.detail for one in found if one.code == "connection"),
        "cost": next((one.detail for one in found if one.code == "cost"), ""),
    }
    return render(request, "videos/send.html", context)


def look_at(row: Campaign, language: str, text: str) -> dict[str, object]:
    """Return what a page shows of a text: the bytes that would leave, or what is wrong with it."""
    clean = text.replace("\r\n", "\n").strip()
    parsed = anonymisation.parse(clean)
    facts: dict[str, object] = {
        "words": parsed.word_count,
        "seconds": round(parsed.word_count / 2.5),
    }
    if not clean:
        return {"empty": True, **facts}
    facts["sightings"] = contents.seen(text=clean, language=language)
    facts["read"] = topics.knows(language)
    everybody = anonymisation.Everybody(row.partner, clock.now())
    try:
        made = anonymisation.anonymise(script_text=clean, language=language, known=everybody)
    except anonymisation.ScriptRefused as refused:
        return {"problems": refused.problems, **facts}
    facts["order"] = rendering.order_of(script=made)
    return {"made": made, "bytes": made.body.decode(), "personal": parsed.personal, **facts}


def speaks(row: Campaign) -> dict[str, object]:
    """Return what a page shows of what a campaign speaks of, and of whom that leaves."""
    now = clock.now()
    found = content_rules.look(campaign=row, at=now)
    context: dict[str, object] = {
        "speaks": [_spoken(one) for one in found],
        "declare": DeclareForm(declared=row.content_declared),
        "may_take_out": not declarations.has_begun(row),
        "unread": content_rules.unread(row),
    }
    if any(one.counts for one in found):
        context["left"] = audiences.outlook(campaign=row, at=now).reachable
        context["plain"] = audiences.outlook(campaign=row, at=now, content=()).reachable
    return context


def anonymisation_slots() -> list[str]:
    """Return the slots as they are written in a script."""
    return [f"{{{{ {name} }}}}" for name in grammar.ALLOWED_SLOTS]


def actor(request: HttpRequest) -> audit.Actor:
    return people.actor(_user(request))


_HEADERS = ["Campaign", "State", "Sent by", "People", "Messages", "Made"]
_MESSAGED = [Recipient.State.QUEUED, Recipient.State.DEFERRED]


def _row(campaign: Campaign) -> list[object]:
    # The counts are annotations of the list's query.
    people, queued = campaign.people, campaign.queued  # type: ignore[attr-defined]
    return [
        {"text": campaign.name, "href": steps.address(campaign, "campaign")},
        {"text": campaign.get_state_display(), "state": campaign.state},
        campaign.get_channel_display(),
        {"text": f"{people:,}" if campaign.started_at or people else "", "number": True},
        {"text": f"{queued:,}" if campaign.started_at or people else "", "number": True},
        {"at": campaign.created_at},
    ]


def _spoken(one: content_rules.Spoken) -> dict[str, object]:
    reasons = [content_rules.plain(rule) for rule in one.rules]
    form = DismissForm(auto_id=f"{one.content}_%s")
    return {"one": one, "reasons": reasons, "form": form}


def _save_script(request: HttpRequest, row: Campaign, form: ScriptForm) -> bool:
    try:
        campaigns.update_script(
            campaign=row, **form.cleaned_data, at=clock.now(), actor=actor(request)
        )
    except anonymisation.ScriptRefused as refused:
        for one in refused.problems[:5]:
            form.add_error("text", f"Line {one.line}, column {one.column}: {one.message}")
        return False
    except campaigns.NotNow as refused:
        form.add_error(None, str(refused))
        return False
    messages.success(request, "The script was saved.")
    return True


def _remove_script(request: HttpRequest, row: Campaign, language: str) -> HttpResponse:
    try:
        campaigns.update_script(
            campaign=row, language=language, text="", at=clock.now(), actor=actor(request)
        )
        messages.success(request, f"{languages.name(language)} was taken out.")
    except campaigns.NotNow as refused:
        messages.error(request, str(refused))
    return redirect("videos:script", campaign_id=row.pk)


def _save_fallbacks(request: HttpRequest, script: Script, form: FallbackForm) -> bool:
    try:
        fallbacks.change(
            script=script, fallbacks=form.cleaned_data, at=clock.now(), actor=actor(request)
        )
    except BadFallback as refused:
        form.add_error(refused.slot, str(refused))
        return False
    except anonymisation.ScriptRefused as refused:
        form.add_error(None, refused.problems[0].message)
        return False
    except campaigns.NotNow as refused:
        form.add_error(None, str(refused))
        return False
    return True


def _language_tabs(row: Campaign, written: set[str], language: str) -> list[dict[str, object]]:
    shown = [row.default_language, *sorted({*written, language} - {row.default_language})]
    return [
        {
            "label": languages.name(one),
            "href": f"{steps.address(row, 'script')}?language={one}",
            "current": one == language,
        }
        for one in shown
    ]


def _status(form: object) -> int:
    # A refused form is no success, and a proxy or a test can tell.
    return 400 if getattr(form, "errors", None) else 200


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
