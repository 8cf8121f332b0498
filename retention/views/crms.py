"""What were the CRMs told of our people, what did they answer, and what needs somebody?"""

import uuid
from collections import Counter

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from accounts import roles
from config.lib import clock
from consent import crm_sync, crm_writing
from consent.models import Writeback
from retention.views import frame

ON_A_PAGE = 50
# What a CRM's answer is worth, in words: not each of them has erased.
RECEIPTS = {
    "erased": "Erased there for good.",
    "already_gone": "It was gone there already.",
    "recorded_not_erased": "The request is recorded there. Erasing it is done there by hand.",
    "in_recycle_bin": "Deleted there; its recycle bin keeps it until it is emptied.",
    "noted": "Noted in the record.",
}
CAUSES = {
    "another_account": "The record is of another account than the one that is connected now.",
    "no_adapter": "This CRM cannot be told anything.",
    "row_refused": "It refused the record ({told}).",
}
UNSURE = "It may stand there already: look first, or it is written a second time."


@roles.requires("consent.view")
@require_safe
def crm_list(request: HttpRequest) -> HttpResponse:
    page = Paginator(crm_writing.listed(), ON_A_PAGE).get_page(request.GET.get("page"))
    counts = Counter(dict(Writeback.objects.values_list("state").annotate(n=Count("pk"))))
    return frame.page(
        request,
        "crms.html",
        title="Told to CRMs",
        part="crms",
        page=page,
        rows=[_row(row) for row in page.object_list],
        attention=sum(counts[state] for state in crm_writing.MAY_BE_TRIED_AGAIN),
        waiting=counts[Writeback.State.WAITING],
        told=counts[Writeback.State.TOLD],
    )


@roles.requires("consent.record")
@require_POST
def crm_retry(request: HttpRequest, writeback_id: uuid.UUID) -> HttpResponse:
    if crm_writing.try_again(writeback_id=writeback_id, at=clock.now(), staff=frame.staff(request)):
        messages.success(request, "It is told again with the next round, within a minute.")
    else:
        messages.warning(request, "It has ended otherwise meanwhile. Nothing was changed.")
    return redirect("console:crms")


def answered(row: Writeback) -> str:
    """Return what came of telling a CRM, in words."""
    if row.state == Writeback.State.TOLD:
        return RECEIPTS.get(str((row.receipt or {}).get("code")), "Done there.")
    if row.state == Writeback.State.UNKNOWN:
        return UNSURE
    code, _, told = row.problem.partition(":")
    if not code:
        return ""
    if code in CAUSES:
        return CAUSES[code].format(told=told or code)
    return crm_sync.words(code=code, told=told)


def _row(row: Writeback) -> dict[str, object]:
    return {
        "row": row,
        "person": row.contact.public_id,
        "answered": answered(row),
        "may_retry": row.state in crm_writing.MAY_BE_TRIED_AGAIN,
        "is_unsure": row.state == Writeback.State.UNKNOWN,
        "is_late": row.state != Writeback.State.TOLD and row.due_at < clock.now(),
        "question": UNSURE,
    }
