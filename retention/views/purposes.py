"""What do we write for, and on which basis? Each version stays; a change is a new one, to come."""

from datetime import UTC, date, datetime, time, timedelta

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts import people, roles
from config.lib import clock
from consent import purposes
from consent.models import Notice, Purpose
from retention.views import frame


class VersionForm(forms.Form):
    code = forms.ChoiceField(label="Purpose")
    title = forms.CharField(label="What people read", max_length=120)
    basis = forms.ChoiceField(label="Lawful basis", choices=Purpose.Basis.choices)
    valid_from = forms.DateField(
        label="In force from",
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="From midnight UTC. Not before tomorrow: what was agreed to stays as it was.",
    )

    def __init__(self, data: QueryDict | None, *, today: date) -> None:
        super().__init__(data, initial={"valid_from": today + timedelta(days=1)})
        self.fields["code"].choices = [  # type: ignore[attr-defined]
            (code, title) for code, title, _ in purposes.DEFAULTS if code not in purposes.OURS
        ]


@roles.requires("consent.view")
@require_http_methods(["GET", "HEAD", "POST"])
def purpose_list(request: HttpRequest) -> HttpResponse:
    now = clock.now()
    form = VersionForm(request.POST if request.method == "POST" else None, today=now.date())
    if request.method == "POST":
        roles.require(user=request.user, act="policy.change")
        if form.is_valid() and _amend(request, form, now):
            return redirect("console:purposes")
    return frame.page(
        request,
        "purposes.html",
        title="Purposes",
        part="purposes",
        form=form,
        versions=_versions(now),
        status=422 if form.errors else 200,
    )


def _amend(request: HttpRequest, form: VersionForm, now: datetime) -> bool:
    told = form.cleaned_data
    try:
        row = purposes.amend(
            code=told["code"],
            title=told["title"],
            basis=told["basis"],
            valid_from=datetime.combine(told["valid_from"], time.min, tzinfo=UTC),
            at=now,
            actor=people.actor(frame.staff(request)),
        )
    except purposes.UnknownPurpose:
        form.add_error("code", "There is no such purpose yet. Nothing was changed.")
    except purposes.NoNewVersion as refused:
        form.add_error(None, f"Not possible: {refused}. Nothing was changed.")
    else:
        messages.success(
            request, f"{row.title} has version {row.version}, in force from {told['valid_from']}."
        )
        return True
    return False


def _versions(now: datetime) -> list[dict[str, object]]:
    counted = Notice.objects.order_by().values("purpose_id").annotate(shown=Count("pk"))
    texts = dict(counted.values_list("purpose_id", "shown"))
    found, newest = [], dict[str, int]()
    for row in Purpose.objects.order_by("code", "-version"):
        if row.valid_from > now:
            state = "planned"
        else:
            state = "in_force" if newest.setdefault(row.code, row.pk) == row.pk else "ended"
        found.append({"row": row, "state": state, "texts": texts.get(row.pk, 0)})
    return found
