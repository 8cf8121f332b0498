"""Which jobs run by themselves, and how often? Named by string only; made by `ensure`.

A malformed schedule stops all others of django-q2, so that they are made here and nowhere else.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django_q.models import Schedule

# Name, task, minutes between two runs.
SCHEDULES = (
    ("trail: order and sign", "accounts.jobs.seal_trail", 1),
    ("house: sessions and tokens past their time", "accounts.jobs.tidy", 60),
    ("integrations: sign-ins that nobody finished", "integrations.jobs.tidy", 60),
    ("integrations: templates of WhatsApp", "integrations.jobs.read_all_templates", 60),
    ("integrations: what CRMs tell at once", "integrations.jobs.hold_channels", 1),
    ("consent: act on what providers sent", "consent.jobs.take_inbox", 1),
    ("consent: tell other systems of stops", "consent.jobs.pass_on_stops", 1),
    ("consent: read the contacts of CRMs", "consent.jobs.read_crms", 1),
    ("consent: messages without an answer", "consent.jobs.recover", 5),
    ("consent: ask what became of them", "consent.jobs.look_up_unknown", 3),
    ("videos: hand off what is due", "videos.delivery_jobs.dispatch_due", 1),
    ("videos: campaigns and renders that wait", "videos.delivery_jobs.reconcile", 2),
    ("videos: is the vendor's copy still gone", "videos.jobs.observe_again", 30),
    ("videos: objects that belong to nothing", "videos.jobs.sweep_orphans", 60),
    ("retention: run the policies", "retention.jobs.run_policies", 60),
    ("retention: check the seven promises", "retention.jobs.verify", 360),
)


@transaction.atomic
def ensure(*, at: datetime) -> int:
    """Make the schedules that are missing, remove those no longer named; return how many stand."""
    names = [name for name, _, _ in SCHEDULES]
    Schedule.objects.exclude(name__in=names).delete()
    for name, task, minutes in SCHEDULES:
        Schedule.objects.update_or_create(
            name=name,
            defaults={
                "func": task,
                "schedule_type": Schedule.MINUTES,
                "minutes": minutes,
                "repeats": -1,
            },
            create_defaults={
                "func": task,
                "schedule_type": Schedule.MINUTES,
                "minutes": minutes,
                "repeats": -1,
                "next_run": at + timedelta(minutes=minutes),
            },
        )
    return len(SCHEDULES)
