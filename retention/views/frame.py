"""What do all pages of the console share? The admin's frame, the tabs, and who is asking."""

import json
import uuid
from collections.abc import Callable, Sequence

from allauth.account.decorators import reauthentication_required
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.safestring import SafeString

from accounts import roles
from accounts.models import User
from config.lib import charts, ids
from config.lib.charts import Series
from consent.models import Contact

TABS = (
    ("Today", "dashboard"),
    ("People", "people"),
    ("Consent", "may_write"),
    ("Requests", "requests"),
    ("Policies", "policies"),
    ("Runs", "runs"),
    ("Holds", "holds"),
    ("Certificates", "certificates"),
    ("Presenters", "presenters"),
    ("AI vendors", "vendors"),
    ("What left", "disclosures"),
    ("Promises", "promises"),
)
# The pages of the tab on consent.
PARTS = (
    ("May we write?", "may_write"),
    ("Unsure answers", "replies"),
    ("Stops told on", "stops"),
    ("Told to CRMs", "crms"),
    ("Without an answer", "unanswered"),
    ("Growth", "growth"),
    ("Purposes", "purposes"),
    ("Another law", "replay"),
    ("Evidence", "consent:evidence"),
)
# What the console may do by role; pages show the buttons of those acts only.
ACTS = {
    "reveal": "contact.reveal",
    "withdraw": "consent.withdraw",
    "record": "consent.record",
    "end_links": "link.revoke",
    "import": "contact.import",
    "hold": "hold.place",
    "release": "hold.release",
    "erase": "erasure.start",
    "export": "request.close",
    "prove": "proof.export",
    "open": "request.open",
    "policy": "policy.change",
    "run": "run.start",
    "verify": "trail.verify",
    "settle": "message.settle",
}


def page(
    request: HttpRequest,
    template: str,
    *,
    title: str,
    tab: str = "",
    part: str = "",
    status: int = 200,
    **more: object,
) -> HttpResponse:
    tabs = _tabs((*TABS, ("Trail", "trail")), "may_write" if part else tab)
    may = {word: roles.may(user=request.user, act=act) for word, act in ACTS.items()}
    # The lists of evidence are for those who may send one.
    parts = [row for row in PARTS if ":" not in row[1] or may["import"]] if part else []
    shared = {"title": title, "tabs": tabs, "parts": _tabs(parts, part), "may": may}
    context = {**admin.site.each_context(request), **shared, **more}
    return render(request, f"retention/{template}", context, status=status)


def drawing(
    *,
    title: str,
    draw: Callable[..., SafeString],
    corner: str,
    labels: Sequence[str],
    series: Series,
    description: str = "",
) -> dict[str, object]:
    """Return a drawing and its table, for `components/chart.html`."""
    words = description or ", ".join(series)
    svg = draw(title=title, description=words, labels=labels, series=series)
    table = charts.as_table(corner=corner, labels=labels, series=series)
    return {"title": title, "svg": svg, "table": table}


def asked_again(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    guarded: Callable[..., HttpResponse] = reauthentication_required(view)
    return guarded


def staff(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 the console is behind the sign-in
    return request.user


def contact_or_404(public_id: str) -> Contact:
    try:
        wanted: uuid.UUID = ids.parse("con", public_id)
    except ids.NotAnId:
        raise Http404 from None
    return get_object_or_404(Contact.objects.select_related("key", "partner"), pk=wanted)


def _tabs(pages: Sequence[tuple[str, str]], current: str) -> list[dict[str, object]]:
    return [
        {"label": label, "href": reverse(_route(name)), "current": name == current}
        for label, name in pages
    ]


def _route(name: str) -> str:
    return name if ":" in name else f"console:{name}"


def download(document: dict[str, object], name: str) -> HttpResponse:
    text = json.dumps(document, indent=1, ensure_ascii=False)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(text + "\n", content_type="application/json", headers=headers)
