"""What left, for whom and about whom: a list for the officer, and one person's as a file."""

import csv
import uuid
from datetime import datetime

from django import forms
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from accounts import roles
from config.lib import charts, clock, ids
from consent.models import Contact
from integrations.models import Connection
from retention import disclosures
from retention.disclosures import Cursor
from retention.views import frame

HEADERS = ("at_utc", "to", "provider", "what", "state", "reference")


class LookForm(forms.Form):
    to = forms.ModelChoiceField(
        label="To whom",
        queryset=Connection.objects.order_by("label", "pk"),
        required=False,
        empty_label="Everybody",
    )
    person = forms.CharField(
        label="About whom",
        required=False,
        max_length=40,
        help_text="A contact id, such as stands at the head of a person's page. Empty: everybody.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_person(self) -> Contact | None:
        wanted = self.cleaned_data["person"].strip()
        if not wanted:
            return None
        try:
            found = Contact.objects.filter(pk=ids.parse("con", wanted)).first()
        except ids.NotAnId:
            found = None
        if found is None:
            raise forms.ValidationError("Nobody has this id. It begins with con_.")
        return found


@roles.requires("console.view")
@require_safe
def disclosure_list(request: HttpRequest) -> HttpResponse:
    form = LookForm(request.GET)
    chosen = form.cleaned_data if form.is_valid() else {}
    person, to = chosen.get("person"), chosen.get("to")
    rows, after = disclosures.listed(
        contact=person, connection=to, after=_cursor(request.GET.get("after", ""))
    )
    return frame.page(
        request,
        "disclosures.html",
        title="What left",
        tab="disclosures",
        form=form,
        rows=[] if form.errors else rows,
        person=person,
        is_filtered=bool(form.errors or person or to or request.GET.get("after")),
        next=_next(request.GET, after),
        drawing=None if person or to else _drawing(),
        status=422 if form.errors else 200,
    )


@roles.requires("proof.export")
@require_safe
def disclosure_file(request: HttpRequest, public_id: str) -> HttpResponse:
    contact = frame.contact_or_404(public_id)
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    name = f"disclosures-{contact.public_id}.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    writer = csv.writer(answer)
    writer.writerow(HEADERS)
    for row in disclosures.everything(contact=contact):
        told = (row.to.label, row.to.provider, row.what, row.state, row.reference)
        writer.writerow((row.at.isoformat(), *map(_cell, told)))
    return answer


def _cell(text: str) -> str:
    # A sheet takes what begins so for a formula, and whoever names an account is not its reader.
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _cursor(text: str) -> Cursor | None:
    """Read where a page begins; what cannot be read begins at the newest."""
    at, _, rest = text.partition("~")
    kind, _, pk = rest.partition("~")
    try:
        found = datetime.fromisoformat(at)
        number = pk if pk.isdecimal() else str(uuid.UUID(pk))
    except ValueError:
        return None
    kinds = {source.kind: source.kind == "stop" for source in disclosures.SOURCES}
    fits = kinds.get(kind) == pk.isdecimal() and found.tzinfo is not None
    return Cursor(found, kind, number) if fits else None


def _next(query: QueryDict, after: Cursor | None) -> str:
    if after is None:
        return ""
    kept = {name: str(query[name]) for name in ("to", "person") if query.get(name)}
    place = f"{after.at.isoformat()}~{after.kind}~{after.pk}"
    return f"{reverse('console:disclosures')}?{urlencode({**kept, 'after': place})}"


def _drawing() -> dict[str, object] | None:
    counts = disclosures.counted(at=clock.now())
    if not counts:
        return None
    labels, values = [row.label for row in counts], list(counts.values())
    title = "What left in the last 90 days"
    svg = charts.bars(title=title, description="By receiver", labels=labels, values=values)
    table = charts.as_table(corner="Receiver", labels=labels, series={"Disclosures": values})
    return {"title": title, "svg": svg, "table": table}
