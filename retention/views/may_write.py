"""May we write to this person now, and why? One page that answers, with all that stands behind."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts import roles
from config.lib import clock
from consent import contacts, explanations, purposes
from consent.explanations import Explanation, Looked
from consent.models import Channel, Contact
from retention.views import frame, people
from retention.views.questions import FindForm, WholeQuestionForm

# The state whose colour and picture an answer carries, and how its rules are called.
LOOKS = {"allow": "allowed", "refuse": "refused", "defer": "deferred"}
GROUPS = (
    (explanations.NOT_MET, "Not met", "refused"),
    (explanations.WAITS, "Waiting for its hour", "deferred"),
    (explanations.MET, "Met", "ok"),
    (explanations.NOT_APPLICABLE, "Not about this message", "skipped"),
)


@roles.requires("consent.view")
@require_http_methods(["GET", "HEAD", "POST"])
def may_write(request: HttpRequest) -> HttpResponse:
    form = FindForm(request.POST or None)
    found: list[Contact] = []
    if form.is_valid():
        found = people.known_as(form.cleaned_data["wanted"].strip())
        if len(found) == 1:
            return redirect(_address(found[0], form))
        if not found:
            form.add_error("wanted", "We know nobody under this: nobody there agreed to anything.")
    return frame.page(
        request,
        "may_write.html",
        title="May we write?",
        part="may_write",
        form=form,
        found=[{"contact": one, "href": _address(one, form)} for one in found],
        status=422 if form.errors else 200,
    )


@roles.requires("consent.view")
@require_safe
def answer(request: HttpRequest, public_id: str) -> HttpResponse:
    contact, now = frame.contact_or_404(public_id), clock.now()
    asked = {"purpose": purposes.MARKETING, "channel": Channel.EMAIL.value}
    form = WholeQuestionForm(request.GET if request.GET else asked)
    found = _explained(contact, form) if form.is_valid() else None
    if found and request.GET.get("view") == "file":
        return frame.download(found.plain(), f"answer-{public_id}.json")
    may_read = roles.may(user=request.user, act="contact.reveal")
    printing = request.GET.get("view") == "print"
    return frame.page(
        request,
        "answer.html",
        title=f"May we write to {contact.public_id}?",
        part="may_write",
        contact=contact,
        masked=contacts.masked(contact=contact, at=now) if may_read else None,
        form=form,
        found=found,
        asked_at=now,
        printing=printing,
        query=_query(request),
        status=422 if form.errors else 200,
        **(_told(found) if found else {}),
    )


def _explained(contact: Contact, form: WholeQuestionForm) -> Explanation | None:
    chosen = form.cleaned_data
    try:
        return explanations.explain(
            contact=contact,
            purpose_code=chosen["purpose"],
            channel=chosen["channel"],
            at=form.instant(clock.now()),
            content=chosen["content"],
        )
    except purposes.UnknownPurpose:
        form.add_error("at", "This purpose did not exist then. Choose a later time.")
        return None


def _told(found: Explanation) -> dict[str, Any]:
    return {
        "look": LOOKS[found.verdict.verdict],
        "channel_word": Channel(found.channel).label,
        "reasons": [
            {
                "text": _reason_text(found, reason.code, rule.id, reason.text),
                "rule": rule.id,
                "source": rule.source,
                "source_url": rule.source_url,
                "state": LOOKS[found.verdict.verdict],
            }
            for reason, rule in found.reasons
        ],
        "groups": [
            {"title": title, "state": state, "outcome": outcome, "rows": found.looked_at(outcome)}
            for outcome, title, state in GROUPS
        ],
        "channels": [
            {"word": Channel(channel).label, "channel": channel, "state": LOOKS[verdict]}
            for channel, verdict in found.channels
        ],
        "changes": [
            {"change": row, "state": LOOKS[row.verdict], "same": row.verdict == _verdict(found)}
            for row in found.changes
        ],
    }


def _verdict(found: Explanation) -> str:
    return found.verdict.verdict


def _reason_text(found: Explanation, code: str, rule_id: str, text: str) -> str:
    looked: Looked | None = next((row for row in found.looked if row.rule.id == rule_id), None)
    return f"{text} {looked.why}" if looked and looked.why not in text else text


def _query(request: HttpRequest) -> str:
    query = request.GET.copy()
    query.pop("view", None)
    return query.urlencode()


def _address(contact: Contact, form: FindForm) -> str:
    query = urlencode({name: form.cleaned_data[name] for name in ("purpose", "channel")})
    return f"{reverse('console:answer', args=[contact.public_id])}?{query}"
