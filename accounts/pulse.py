"""Does the job cluster still move? A canary is asked for by the supervisor, answered by a task."""

from datetime import datetime, timedelta

from accounts.models import Pulse

# An answered row this old is asked again, so that the table does not grow for ever.
REUSED_AFTER = timedelta(hours=1)
# A question not answered in this time may be lost with its cluster: another is asked beside it.
LOST_AFTER = timedelta(seconds=10)


def ask(*, at: datetime) -> Pulse:
    """Open one question; the caller queues the task that answers it."""
    row = Pulse.objects.filter(asked_at__lt=at - REUSED_AFTER).order_by("asked_at").first()
    row = row or Pulse()
    row.asked_at, row.answered_at = at, None
    row.save()
    return row


def answer(*, pulse_id: int, at: datetime) -> bool:
    """Answer a question once; False when it was answered before or is none."""
    return bool(Pulse.objects.filter(pk=pulse_id, answered_at=None).update(answered_at=at))


def is_waiting(*, at: datetime | None = None) -> bool:
    """Say whether a question is open; with `at`, one that is not yet given up."""
    asked = Pulse.objects.filter(answered_at=None)
    if at is not None:
        asked = asked.filter(asked_at__gt=at - LOST_AFTER)
    return asked.exists()


def answered_since(*, at: datetime) -> bool:
    """Say whether any answer came after an instant."""
    return Pulse.objects.filter(answered_at__gt=at).exists()


def newest_answer_age(*, at: datetime) -> timedelta | None:
    """Return how long ago the cluster last answered; None when it never did."""
    newest = Pulse.objects.exclude(answered_at=None).order_by("-answered_at").first()
    return None if newest is None or newest.answered_at is None else at - newest.answered_at
