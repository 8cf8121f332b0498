"""How fast does a large campaign move, and does it hold more in memory the larger it is?

`make bench-campaign RECIPIENTS=100000 SETTLED=1000`. Rows are enlisted for all; the way of one
person (gate, keys, mark, seal, outbox, gate again, hand-off) is walked for some of them. Faked are
the encoder, which gives everybody one ready composite, and the provider's wire.
"""

import os
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from unittest import mock

RECIPIENTS = int(os.environ.get("RECIPIENTS", "100000"))
SETTLED = int(os.environ.get("SETTLED", "1000"))
os.environ["PEOPLE"] = str(RECIPIENTS)

from benchmarks import gate as crowd
from benchmarks import ground, staging

WARM = 50

from accounts import audit
from consent import purposes
from consent.models import Contact
from integrations import connections
from integrations.video import studio
from tests.videos import stage
from videos import (
    campaigns,
    compositing,
    delivery,
    personalising,
    progress,
    vault,
)
from videos.models import Campaign, Recipient

AT = stage.AT
TEXT = "Hello {{ name }}. This part is for everybody."


def written(*, source: str) -> Campaign:
    made = campaigns.create(
        name=source,
        sender_name="Bench",
        purpose_code=purposes.MARKETING,
        channel="email",
        at=AT,
        actor=audit.SYSTEM,
    )
    return campaigns.set_audience(
        campaign=made, filters={"sources": [source]}, at=AT, actor=audit.SYSTEM
    )


def enlisted() -> Campaign:
    """Enlist a tenth of the crowd, then all of it: memory must not follow the number."""
    made = written(source="bench")
    tenth = list(Contact.objects.order_by("pk").values_list("pk", flat=True)[: RECIPIENTS // 10])
    part = Contact.objects.filter(pk__lte=tenth[-1])
    del tenth
    with mock.patch.object(campaigns, "audience", return_value=part):
        shown("enlist a tenth", RECIPIENTS // 10, lambda: campaigns.enlist(campaign=made, at=AT))
    shown("enlist all", RECIPIENTS, lambda: campaigns.enlist(campaign=made, at=AT))
    rows = Recipient.objects.filter(campaign=made)
    assert rows.count() == RECIPIENTS
    Campaign.objects.filter(pk=made.pk).update(state=Campaign.State.SENDING, started_at=AT)
    shown("count progress", RECIPIENTS, lambda: progress.progress(campaign=made))
    shown("ask if finished", 1, lambda: campaigns.finish(campaign=made, at=AT))
    rows.update(state=Recipient.State.SKIPPED)
    shown("finish, all settled", 1, lambda: campaigns.finish(campaign=made, at=AT))
    return made


def ready(people: int) -> Campaign:
    """Make people with real keys and consent, and a campaign whose base video is there."""
    for number in range(people):
        email = f"person{number}@example.org"
        stage.agreed(stage.person(name=f"Person {number}", email=email, phone=""))
    Contact.objects.exclude(source="bench").update(source="walked")
    made = written(source="walked")
    campaigns.update_script(campaign=made, language="en", text=TEXT, at=AT, actor=audit.SYSTEM)
    _, video = connections.ensure_local(at=AT)
    request = studio.StudioRequest(
        language="en", items=[studio.Slot("s1", 3.0), studio.Speech("For everybody.")]
    )
    staging.rendered(campaign=made, video=video, request=request, text=TEXT, at=AT)
    campaigns.enlist(campaign=made, at=AT)
    Campaign.objects.filter(pk=made.pk).update(state=Campaign.State.SENDING, started_at=AT)
    return made


def without_the_encoder() -> None:
    """Have one person's video composed for real, and give everybody that one."""
    compose = personalising._compose
    ready_made: list[compositing.Composite] = []

    def once(
        making: personalising._Making, *, name: str, lines: list[str]
    ) -> compositing.Composite:
        if not ready_made:
            ready_made.append(compose(making, name=name, lines=lines))
        return ready_made[0]

    personalising._compose = once
    staging.fake(staging.Taking())


def settled() -> None:
    made = ready(SETTLED + WARM)
    without_the_encoder()
    later = AT + timedelta(minutes=1)
    shown("warm up", WARM, lambda: delivery.work(campaign_id=made.pk, at=later, limit=WARM))
    for part in (SETTLED // 10, SETTLED - SETTLED // 10):
        shown(
            "make and queue",
            part,
            partial(delivery.work, campaign_id=made.pk, at=later, limit=part),
        )
    half = (SETTLED + WARM) // 2
    shown("hand off", half, lambda: delivery.dispatch(at=later, limit=half))
    left = SETTLED + WARM - half
    held = Campaign.objects.get(pk=made.pk)
    shown(
        "pause, all back",
        left,
        lambda: campaigns.pause(campaign=held, at=later, actor=audit.SYSTEM),
    )
    states = progress.states(made)
    print(f"states after the pause: {states}; {sum(1 for _ in vault.check_all(at=later))} faults")
    if states != {"sent": half, "waiting": left}:
        sys.exit("not everybody is where they should be")


def shown(name: str, count: int, act: Callable[[], object]) -> None:
    before, began = ground.peak_mb(), time.process_time()
    seconds = ground.timed(act)
    cpu_ms = 1000 * (time.process_time() - began) / count
    grew = ground.peak_mb() - before
    print(
        f"{name:20} {count:9,} in {seconds:7.2f} s  {count / seconds:11,.1f} a second"
        f"  {cpu_ms:8.2f} ms CPU each  peak {ground.peak_mb():5.0f} MB (+{grew:.0f})",
        flush=True,
    )


def main() -> None:
    print(f"{RECIPIENTS:,} people; filled in {ground.timed(crowd.fill):.0f} s")
    enlisted()
    settled()


if __name__ == "__main__":
    main()
