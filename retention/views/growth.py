"""How does consent grow? Drawn by day, week or month, with the figures as a table and a file."""

import csv
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, QueryDict
from django.views.decorators.http import require_safe

from accounts import roles
from config.lib import charts, clock
from consent import figures, purposes
from consent.figures import History
from consent.models import Channel, Purpose
from retention.views import frame

DAYS = 90
HEADERS = ("from", "given", "confirmed", "withdrawn_or_refused", "net", "in_force")


class GrowthForm(forms.Form):
    days = forms.TypedChoiceField(
        label="Over what time",
        coerce=int,
        choices=[(days, f"The last {days} days") for days in figures.SPANS],
    )
    step = forms.ChoiceField(
        label="Counted by",
        required=False,
        choices=[("", "What suits"), *[(step, step.capitalize()) for step in figures.STEPS]],
    )
    purpose = forms.ChoiceField(label="For what")
    channel = forms.ChoiceField(
        label="On which channel", required=False, choices=[("", "Every channel"), *Channel.choices]
    )

    def __init__(self, data: QueryDict) -> None:
        chosen = {"days": str(DAYS), "purpose": purposes.MARKETING, **data.dict()}
        super().__init__(chosen)
        rows = Purpose.objects.order_by("title").values_list("code", "title")
        self.fields["purpose"].choices = sorted(set(rows))  # type: ignore[attr-defined]

    def history(self) -> History:
        """Count what was asked for; what cannot be read is counted as if nobody had chosen."""
        if not self.is_valid():
            return figures.history(at=clock.now(), days=DAYS)
        return figures.history(
            at=clock.now(),
            days=self.cleaned_data["days"],
            step=self.cleaned_data["step"],
            purpose_code=self.cleaned_data["purpose"],
            channel=self.cleaned_data["channel"],
        )


@roles.requires("consent.view")
@require_safe
def growth(request: HttpRequest) -> HttpResponse:
    form = GrowthForm(request.GET)
    found = form.history()
    return frame.page(
        request,
        "growth.html",
        title="How consent grows",
        part="growth",
        form=form,
        tiles=_tiles(found),
        drawings=drawings(found),
        query=request.GET.urlencode(),
        status=422 if form.errors else 200,
    )


@roles.requires("consent.view")
@require_safe
def growth_csv(request: HttpRequest) -> HttpResponse:
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="consent-growth.csv"'
    writer = csv.writer(answer)
    writer.writerow(HEADERS)
    writer.writerows(GrowthForm(request.GET).history().rows())
    return answer


def drawings(found: History) -> list[dict[str, object]]:
    """Return what was done, and where it led: two scales are two drawings."""
    corner = {"day": "Day", "week": "Week of", "month": "Month"}[found.step]
    done = {
        "Given": found.given,
        "Confirmed": found.confirmed,
        "Withdrawn or refused": found.withdrawn,
        "Net": found.net,
    }
    shared: dict[str, Any] = {"draw": charts.line, "corner": corner, "labels": found.labels}
    return [
        frame.drawing(title=f"Acts of consent by {found.step}", series=done, **shared),
        frame.drawing(title="Agreements in force", series={"In force": found.total}, **shared),
    ]


def _tiles(found: History) -> list[dict[str, object]]:
    return [
        {
            "label": "In force now",
            "value": found.total[-1],
            "note": "agreements, by channel",
        },
        {"label": "Net", "value": sum(found.net), "note": "more, or fewer, than at the start"},
        {"label": "Given", "value": sum(found.given), "note": "acts"},
        {"label": "Confirmed", "value": sum(found.confirmed), "note": "acts"},
        {"label": "Withdrawn or refused", "value": sum(found.withdrawn), "note": "acts"},
    ]
