"""How far has a campaign come, and what became of it? Counted from the rows, never from memory."""

from dataclasses import dataclass

from django.db.models import Count, Exists, Max, OuterRef, QuerySet

from consent import gate, likeness, purposes
from consent.models import ConsentState, Decision, Message
from consent.standing import NO
from videos.models import Campaign, Link, Recipient

Sent = Message.State
GONE_OUT = (Sent.SENT, Sent.DELIVERED, Sent.UNKNOWN)
NOT_SENT = (Sent.REFUSED, Sent.CANCELLED)


@dataclass(frozen=True)
class Progress:
    """How far a campaign has come, in people. `done` is everyone whose outcome is known."""

    total: int
    done: int
    failed: int
    skipped: int
    deferred: int
    # People a minute since the start, and how long the rest takes at that pace.
    rate: float | None
    eta_seconds: int | None
    phase: str


@dataclass(frozen=True)
class Stage:
    """One stage of the funnel, in people."""

    code: str
    label: str
    count: int


@dataclass(frozen=True)
class Cause:
    """Why some did not get the message: a code, how many, and the rule with its source."""

    code: str
    count: int
    text: str
    rule: str = ""
    source: str = ""
    source_url: str = ""


# What a code of ours means to whoever started the campaign.
WORDS = {
    "slot_missing": "The script asks for a value that these people do not have, without a fallback",
    "no_second_address": "The video asks for a code, and there is no second address to send it to",
    "key_refused": "Their data is past its time and does not open any more",
    "no_render": "There is no video in a language they read",
    "not_made": "Their video could not be made",
    "campaign_cancelled": "The campaign was cancelled before it was their turn",
    "campaign_paused": "The campaign was paused when it was their turn",
    "link_dead": "Their link had ended before the message left",
    "link_missing": "Their message had no link",
    "content_changed": "The words turned out to speak of more than when their message was judged",
    **likeness.WORDS,
    "no_answer": "The request left, and no whole answer came back: nobody can say if it arrived",
    "not_delivered_vendor_log": "Not delivered, as the provider's own log shows",
    "not_delivered_vendor_support": "Not delivered, as the provider's support said",
    "not_delivered_person_said": "Not delivered, as the person said",
    "not_delivered_house_knows": "Not delivered: the worker or the network was down",
    "withdrawn": "They stopped messages before theirs left",
}


def progress(*, campaign: Campaign) -> Progress:
    """Return how far a campaign has come."""
    counts = states(campaign)
    total = sum(counts.values())
    failed = counts.get("failed", 0)
    skipped = sum(counts.get(state, 0) for state in ("refused", "skipped", "cancelled"))
    sent = sum(counts.get(state, 0) for state in GONE_OUT)
    done = sent + failed + skipped
    rate = _rate(campaign, done)
    left = total - done - counts.get("deferred", 0)
    eta_seconds = round(60 * left / rate) if rate and left else None
    deferred = counts.get("deferred", 0)
    phase = _phase(campaign, counts)
    return Progress(total, done, failed, skipped, deferred, rate, eta_seconds, phase)


def states(campaign: Campaign) -> dict[str, int]:
    """Count people by where they are: the message's own state once there is one."""
    rows = (
        Recipient.objects.filter(campaign=campaign)
        .values_list("state", "message__state")
        .annotate(people=Count("pk"))
    )
    counts: dict[str, int] = {}
    for state, sent, people in rows:
        name = _where(state, sent)
        counts[name] = counts.get(name, 0) + people
    return counts


def state_of(*, recipient: Recipient) -> str:
    """Return where one person is."""
    return _where(recipient.state, recipient.message.state if recipient.message else None)


def funnel(*, campaign: Campaign) -> list[Stage]:
    """Return how many people are left at each stage, from the audience to those who played."""
    counts = states(campaign)
    total = sum(counts.values())
    refused = counts.get("refused", 0) + counts.get("skipped", 0)
    sent = sum(counts.get(state, 0) for state in GONE_OUT)
    return [
        Stage("audience", "In the audience", total),
        Stage("allowed", "Allowed", total - refused - counts.get("waiting", 0)),
        Stage("sent", "Sent", sent),
        Stage("delivered", "Delivered", counts.get(Sent.DELIVERED, 0)),
        Stage("played", "Played", _played(campaign)),
    ]


def stopped(*, campaign: Campaign) -> int:
    """Count the people of a campaign who stopped messages after it began."""
    if campaign.started_at is None:
        return 0
    rows = Recipient.objects.filter(campaign=campaign)
    return rows.filter(contact__stopped_at__gte=campaign.started_at).count()


def refusals(*, campaign: Campaign) -> list[Cause]:
    """Return why the gate refused people, by reason, each with its rule and source."""
    refused = Recipient.objects.filter(campaign=campaign, state=Recipient.State.REFUSED)
    causes = []
    for code, people in _by(refused, "reason_code"):
        worded = _words_of(campaign, code)
        causes.append(
            Cause(
                code,
                people,
                worded["text"],
                worded.get("rule", ""),
                worded.get("source", ""),
                worded.get("source_url", ""),
            )
        )
    return causes


def failures(*, campaign: Campaign) -> list[Cause]:
    """Return why others did not get the message, by cause: skipped, failed, ended on the way."""
    rows = Recipient.objects.filter(campaign=campaign)
    before = rows.filter(state__in=[Recipient.State.SKIPPED, Recipient.State.FAILED])
    after = rows.filter(message__state__in=[Sent.FAILED, Sent.UNKNOWN, *NOT_SENT])
    causes = [*_by(before, "reason_code"), *_by(after, "message__problem")]
    return [Cause(code, people, _plain(code)) for code, people in causes]


def _where(state: str, sent: str | None) -> str:
    # A deferred message is queued in the outbox until its hour.
    return state if sent in {None, Sent.QUEUED} else str(sent)


def _by(rows: QuerySet[Recipient], column: str) -> list[tuple[str, int]]:
    counted = rows.values_list(column).annotate(people=Count("pk")).order_by("-people", column)
    return [(str(code or "unknown"), people) for code, people in counted]


def _words_of(campaign: Campaign, code: str) -> dict[str, str]:
    found: list[dict[str, str]] = []
    decisions = Decision.objects.filter(
        context_id=campaign.pk, verdict=Decision.Verdict.REFUSE, phase=Decision.Phase.QUEUE
    )
    for decision in decisions.order_by("-at")[:500]:
        found += [reason for reason in decision.reasons if reason["code"] == code]
    return gate.common(found) or {"text": _plain(code)}


def _plain(code: str) -> str:
    return WORDS.get(code.partition(":")[0], code.replace("_", " ").capitalize())


def _played(campaign: Campaign) -> int:
    # Whose browser or whose word says not to be counted, is in no figure (11 CCR 7025).
    uncounted = ConsentState.objects.filter(
        contact=OuterRef("contact"), purpose_code=purposes.VIEW_ANALYTICS, state__in=NO
    )
    played = Link.objects.filter(~Exists(uncounted), asset__campaign=campaign, plays__gt=0)
    return played.values("contact").distinct().count()


def _rate(campaign: Campaign, done: int) -> float | None:
    last = Recipient.objects.filter(campaign=campaign).aggregate(last=Max("settled_at"))["last"]
    if campaign.started_at is None or last is None or not done:
        return None
    seconds: float = max(1.0, (last - campaign.started_at).total_seconds())
    return round(60 * done / seconds, 1)


def _phase(campaign: Campaign, counts: dict[str, int]) -> str:
    if campaign.state != Campaign.State.SENDING:
        return str(campaign.state)
    if counts.get("waiting", 0) or counts.get("making", 0):
        return "personalising"
    return "waiting" if counts.get("deferred", 0) else "sending"
