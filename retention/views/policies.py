"""Policies with what a run would do now; a change shows its figures before it is saved."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_safe

from accounts import roles
from config.lib import clock
from retention import policies
from retention.models import Policy, Run
from retention.views import frame

READ = ["GET", "HEAD", "POST"]


class PeriodForm(forms.Form):
    period_days = forms.IntegerField(
        label="Days to keep",
        min_value=1,
        max_value=policies.LONGEST_DAYS,
        help_text="Counted from the event in the title. Its effect is shown first.",
    )


@roles.requires("policy.view")
@require_safe
def policy_list(request: HttpRequest) -> HttpResponse:
    now = clock.now()
    policies.ensure_defaults(at=now)
    counts = policies.counts_if_run_now(at=now)
    rows = [
        {"policy": policy, "now": counts.get(policy.pk)}
        for policy in Policy.objects.order_by("action", "title")
    ]
    last = Run.objects.filter(contact_id=None, state=Run.State.DONE).order_by("-finished_at")
    return frame.page(
        request, "policies.html", title="Policies", tab="policies", rows=rows, last=last.first()
    )


@roles.requires("policy.change")
@require_http_methods(READ)
def policy_change(request: HttpRequest, record_class: str) -> HttpResponse:
    policy = get_object_or_404(Policy, pk=record_class, action=Policy.Action.ERASE)
    form = PeriodForm(request.POST or None, initial={"period_days": policy.period_days})
    figures = None
    if form.is_valid():
        days = form.cleaned_data["period_days"]
        figures = _figures(policy, days)
        if "save" in request.POST and _save(request, form, policy, days):
            return redirect("console:policies")
    status = 422 if form.errors else 200
    return frame.page(
        request,
        "policy.html",
        title=policy.title,
        tab="policies",
        policy=policy,
        form=form,
        figures=figures,
        status=status,
    )


def _save(request: HttpRequest, form: PeriodForm, policy: Policy, days: int) -> bool:
    try:
        policies.change(
            record_class=policy.pk, period_days=days, at=clock.now(), staff=frame.staff(request)
        )
    except policies.PolicyRefused as refused:
        form.add_error("period_days", str(refused))
        return False
    messages.success(
        request, f"{policy.title}: kept {days} days from now on. Nothing was deleted yet."
    )
    return True


def _figures(policy: Policy, days: int) -> list[dict[str, object]]:
    now = clock.now()
    return [
        {
            "words": words,
            "days": period,
            "now": policies.counts_if_run_now(at=now, changed=changed)[policy.pk],
        }
        for words, period, changed in (
            ("As it is", policy.period_days, None),
            ("As it would be", days, {policy.pk: days}),
        )
    ]
