"""One person: found by an exact address, shown masked, with all that happened, newest first."""

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import audit, keys, roles
from accounts.models import Partner
from config.lib import clock, ids, languages
from consent import contacts, gate, ledger, standing
from consent.contacts import OpenContact
from consent.models import ConsentState, Contact, Decision, Proof
from retention import holds, proof, timeline
from retention.models import Certificate, Hold, SubjectRequest
from retention.views import frame
from retention.views.questions import QuestionForm
from videos import links
from videos.models import Link

READ = ["GET", "HEAD", "POST"]
EVENTS = 50
REVEAL_REASONS = (
    ("request", "To answer a request of this person"),
    ("complaint", "To answer a complaint"),
    ("check", "To check what was recorded"),
    ("incident", "To look into an incident"),
)


class SearchForm(forms.Form):
    wanted = forms.CharField(
        label="E-mail address, phone number or contact id",
        max_length=254,
        help_text="The whole of it: people are found by a keyed hash, so a part finds nobody.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class RevealForm(forms.Form):
    reason = forms.ChoiceField(label="Why do you need to see it?", choices=REVEAL_REASONS)


class HoldForm(forms.Form):
    reason = forms.ChoiceField(label="Why?", choices=list(holds.REASONS.items()))
    reference = forms.CharField(
        label="Case number", required=False, max_length=40, help_text="No names: a number only."
    )


class RequestForm(forms.Form):
    kind = forms.ChoiceField(
        label="What does the person ask for?",
        choices=[row for row in SubjectRequest.Kind.choices if row[0] != "erasure"],
    )


@roles.requires("console.view")
@require_http_methods(READ)
def search(request: HttpRequest) -> HttpResponse:
    form = SearchForm(request.POST or None)
    found: list[Contact] = []
    if form.is_valid():
        found = known_as(form.cleaned_data["wanted"].strip())
        if len(found) == 1:
            return redirect("console:person", public_id=found[0].public_id)
        if not found:
            form.add_error("wanted", "We know nobody under this. Nothing was changed.")
    return frame.page(
        request,
        "people.html",
        title="People",
        tab="people",
        form=form,
        found=found,
        status=422 if form.errors else 200,
    )


@roles.requires("console.view")
@require_safe
def person(request: HttpRequest, public_id: str) -> HttpResponse:
    return _shown(request, frame.contact_or_404(public_id))


@roles.requires("contact.reveal")
@require_POST
def reveal(request: HttpRequest, public_id: str) -> HttpResponse:
    contact, form = frame.contact_or_404(public_id), RevealForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose a reason. Nothing was shown.")
        return redirect("console:person", public_id=public_id)
    try:
        opened = contacts.shown(
            contact=contact,
            at=clock.now(),
            staff=audit.staff(frame.staff(request)),
            reason=form.cleaned_data["reason"],
        )
    except keys.KeyRefused:
        messages.warning(
            request, "The key of this person no longer opens: there is nothing to show."
        )
        return redirect("console:person", public_id=public_id)
    return _shown(request, contact, opened=opened)


@roles.requires("consent.withdraw")
@require_POST
def withdraw(request: HttpRequest, public_id: str) -> HttpResponse:
    ledger.withdraw(
        contact=frame.contact_or_404(public_id),
        act="staff",
        means="staff",
        source="console",
        at=clock.now(),
        actor=audit.staff(frame.staff(request)),
    )
    messages.success(request, "Withdrawn. Nothing more is sent, and every link ended.")
    return redirect("console:person", public_id=public_id)


@roles.requires("link.revoke")
@require_POST
def end_links(request: HttpRequest, public_id: str) -> HttpResponse:
    contact, now = frame.contact_or_404(public_id), clock.now()
    staff, name = audit.staff(frame.staff(request)), request.POST.get("link", "")
    if not name:
        ended = links.revoke_all(contact=contact, at=now, actor=staff)
        messages.success(request, f"{ended} links ended. No further byte is served.")
    elif link := _link_of(contact, name):
        links.revoke(link=link, at=now, actor=staff)
        messages.success(request, "The link ended. No further byte is served.")
    else:
        messages.error(request, "This person has no such link. Nothing was changed.")
    return redirect("console:person", public_id=public_id)


@roles.requires("hold.place")
@require_POST
def hold(request: HttpRequest, public_id: str) -> HttpResponse:
    contact, form = frame.contact_or_404(public_id), HoldForm(request.POST)
    chosen = form.cleaned_data if form.is_valid() else {"reason": ""}
    try:
        holds.place(
            record_class=holds.CONTACT,
            object_id=contact.pk,
            at=clock.now(),
            staff=frame.staff(request),
            **chosen,
        )
        messages.success(
            request, "On hold: nothing of this person is deleted until it is released."
        )
    except holds.HoldRefused as refused:
        messages.error(request, str(refused))
    return redirect("console:person", public_id=public_id)


@roles.requires("proof.export")
@require_POST
def prove(request: HttpRequest, public_id: str) -> HttpResponse:
    contact = frame.contact_or_404(public_id)
    return frame.download(proof.build(contact=contact, at=clock.now()), f"proof-{public_id}.json")


def known_as(wanted: str) -> list[Contact]:
    if wanted.startswith("con_"):
        try:
            return list(Contact.objects.filter(pk=ids.parse("con", wanted)))
        except ids.NotAnId:
            return []
    field = "email" if "@" in wanted else "phone"
    realms: list[Partner | None] = [None, *Partner.objects.all()]
    try:
        hits = [contacts.find(partner=partner, **{field: wanted}) for partner in realms]
    except contacts.NotAContact:
        return []
    return [contact for contact in hits if contact]


def _shown(
    request: HttpRequest, contact: Contact, *, opened: OpenContact | None = None
) -> HttpResponse:
    now = clock.now()
    number = Paginator(range(0), EVENTS).validate_number(request.GET.get("page") or 1)
    events, count = timeline.of(contact=contact, start=(number - 1) * EVENTS, count=EVENTS)
    may_read = roles.may(user=request.user, act="contact.reveal")
    return frame.page(
        request,
        "person.html",
        title=contact.public_id,
        tab="people",
        contact=contact,
        language=languages.name(contact.language),
        opened=opened,
        masked=contacts.masked(contact=contact, at=now) if may_read else None,
        states=_states(contact),
        holds=Hold.objects.filter(contact_id=contact.pk, released_at=None),
        requests=SubjectRequest.objects.filter(contact=contact).order_by("-received_at"),
        certificates=Certificate.objects.filter(contact_id=contact.pk).order_by("number"),
        links=links.open_of(contact=contact, at=now),
        events=events,
        count=count,
        number=number,
        pages=max(1, -(-count // EVENTS)),
        forms={
            "reveal": RevealForm(auto_id="reveal_%s"),
            "hold": HoldForm(auto_id="hold_%s"),
            "request": RequestForm(auto_id="request_%s"),
            "ask": QuestionForm(),
        },
        decisions=_decisions(contact),
        proofs=Proof.objects.filter(contact=contact).defer("file_sealed").order_by("-created_at"),
    )


def _link_of(contact: Contact, name: str) -> Link | None:
    try:
        return Link.objects.filter(contact=contact, pk=ids.parse("lnk", name)).first()
    except ids.NotAnId:
        return None


def _states(contact: Contact) -> list[dict[str, str]]:
    now = clock.now()
    rows = ConsentState.objects.filter(contact=contact).order_by("purpose_code", "channel")
    return [
        {
            "state": standing.standing_of(row).effective(now),
            "purpose": row.purpose_code.replace("_", " "),
            "channel": row.get_channel_display(),
        }
        for row in rows
    ]


def _decisions(contact: Contact) -> list[dict[str, object]]:
    rows = Decision.objects.filter(contact=contact).order_by("-at")[:5]
    return [{"decision": row, "reasons": gate.worded(row.reasons)} for row in rows]
