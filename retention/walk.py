"""Does the whole journey work, once, with real parts? Walked without a browser, and counted.

It begins some weeks ago and ends now, so that links expire and policies fall due on the way.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from accounts.audit import SYSTEM, Actor
from config import schedules
from consent import contacts, gate, imports, intake, ledger, optin, purposes
from consent.models import ConsentEvent, Contact, Message
from integrations import connections, inbox
from integrations.models import InboxItem
from retention import cast, policies, walk_phones
from retention.cast import Person
from videos import (
    anonymisation,
    audiences,
    campaigns,
    compositing,
    delivery,
    links,
    marks,
    playback,
    rendering,
)
from videos.models import Asset, Campaign, Recipient, Render, SealedObject

BACK = timedelta(days=75)
LINK_HOURS = 72
CHANNELS = ("email", "sms", "whatsapp")
# Languages in which each channel's campaign is written; others fall back to English.
WRITTEN = {"email": ("en", "de", "hi", "ar"), "sms": ("en", "es"), "whatsapp": ("en", "pt")}
SCRIPTS = {
    "en": "Hello {{ name }}, welcome. Your new plan starts today, and this short film shows how "
    "to make the most of it.",
    "de": "Guten Tag {{ name }}, willkommen. Ihr neuer Tarif beginnt heute, und dieser kurze "
    "Film zeigt, was er kann.",
    "es": "Hola {{ name }}, le damos la bienvenida. Su nuevo plan empieza hoy y este vídeo le "
    "muestra cómo aprovecharlo.",
    "pt": "Olá {{ name }}, boas-vindas. O seu novo plano começa hoje e este vídeo mostra como "
    "aproveitá-lo.",
    "hi": "नमस्ते {{ name }}, आपका स्वागत है। आपकी नई योजना आज से शुरू होती है और यह फ़िल्म दिखाती है कि "
    "इसका लाभ कैसे लें।",
    "ar": "مرحبا {{ name }}، أهلا بك. تبدأ خطتك الجديدة اليوم، ويوضح هذا الفيديو القصير كيف "
    "تستفيد منها.",
}
REFUSED_SCRIPTS = (
    "Hello {{ name }}, write to help@example.org. Thank you.",
    "Hello {{ surname }}, your plan starts today.",
    "",
)
WATCHED = 10
STOP = "Stop!"
# Three of each culture, who are on none of the lists.
GUESTS = 30
# A short walk writes in English only: rendering is most of its time.
MANY = 40


class WentWrong(Exception):
    """A step came out otherwise than it must; the text says which."""


def require(fact: object, words: str) -> None:
    """Stop the walk if a fact does not hold.

    :raises WentWrong: it does not.
    """
    if not fact:
        raise WentWrong(words)


@dataclass
class Walk:
    """Where the walk has come to: its clock, its people, and what was counted."""

    at: datetime
    ends_at: datetime
    count: int
    seed: int
    say: Callable[[str], None] = lambda _: None
    counts: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    people: list[Person] = field(default_factory=list)
    guests: list[Person] = field(default_factory=list)
    signed_up: dict[str, Contact] = field(default_factory=dict)
    confirmed: dict[str, list[Contact]] = field(default_factory=dict)
    campaigns: dict[str, Campaign] = field(default_factory=dict)

    def step(self, name: str, act: Callable[["Walk"], dict[str, Any]]) -> None:
        """Take one step and keep its counts and its seconds."""
        began = time.monotonic()
        self.counts[name] = act(self)
        self.seconds[name] = round(time.monotonic() - began, 2)
        self.say(f"{name}: {self.seconds[name]} s")

    def later(self, **time_passed: float) -> datetime:
        """Let time pass and return the new instant."""
        self.at += timedelta(**time_passed)
        return self.at

    def guest(self, country: str) -> Person:
        """Return a guest of a country whom nobody knows yet."""
        found = next(one for one in self.guests if one.country == country)
        self.guests.remove(found)
        self.people.append(found)
        return found

    @property
    def tag(self) -> str:
        """Name this walk's lists, so that two walks on one database do not meet."""
        return f"demo-{self.seed}"


def beginning(now: datetime) -> datetime:
    """Return a Tuesday at 15:00 UTC far enough back for policies to fall due since."""
    day = (now - BACK).replace(hour=15, minute=0, second=0, microsecond=0)
    return day - timedelta(days=(day.weekday() - 1) % 7)


def prepare(walk: Walk) -> dict[str, Any]:
    """Make what every installation has."""
    connections.ensure_local(at=walk.at)
    purposes.ensure_defaults(at=walk.at)
    policies.ensure_defaults(at=walk.at)
    schedules.ensure(at=walk.at)
    everyone = cast.people(count=walk.count + GUESTS, seed=walk.seed)
    walk.people, walk.guests = everyone[: walk.count], everyone[walk.count :]
    return {"people": len(walk.people)}


def import_lists(walk: Walk) -> dict[str, Any]:
    """Import one list a channel, each with a row that must be refused."""
    told = Counter[str]()
    for channel, people in _shares(walk).items():
        bad = '"<b>Bad</b>",not-an-address,+00,en,Mars/Olympus,XX,,,\n'
        batch = imports.check(
            file=cast.as_csv(people) + bad.encode(),
            source=f"{walk.tag}-{channel}",
            created_by=None,
            at=walk.at,
        )
        told["bad_rows"] += len({row.row for row in imports.report(batch=batch, at=walk.at)})
        imports.commit(batch=batch, at=walk.at, actor=SYSTEM)
        told["imported"] += _listed(walk, channel).count()
    require(told["imported"] == walk.count, "not every good row was imported")
    require(told["bad_rows"] == len(CHANNELS), "a bad row was not reported")
    return dict(told)


def ask_and_answer(walk: Walk) -> dict[str, Any]:
    """Ask most people for confirmation; some confirm, one in ten says no again later."""
    asked = 0
    for channel in CHANNELS:
        for contact in _some(_listed(walk, channel), keep=range(8)):
            if channel == "whatsapp":
                _tick_box(walk, contact)
            question = optin.ask(
                contact=contact,
                purpose_code=purposes.MARKETING,
                channel=channel,
                at=walk.at,
                actor=SYSTEM,
            )
            asked += question is not None
    dispatch_for_a_day(walk)
    confirmed = sum(_answer(walk, channel) for channel in CHANNELS)
    require(confirmed, "nobody could confirm")
    withdrawn = 0
    for channel in CHANNELS:
        for contact in walk.confirmed[channel][::9]:
            hear(walk, contact, channel, STOP)
            withdrawn += 1
    claimed = Contact.objects.filter(source__startswith=walk.tag).count() - confirmed
    return {
        "asked": asked,
        "confirmed": confirmed,
        "claimed_only": claimed,
        "withdrawn_before": withdrawn,
    }


def write_scripts(walk: Walk) -> dict[str, Any]:
    """Write a campaign a channel; what is personal or misspelt is refused."""
    refused = 0
    for text in REFUSED_SCRIPTS:
        try:
            anonymisation.anonymise(script_text=text, language="en")
        except anonymisation.ScriptRefused:
            refused += 1
    require(refused == len(REFUSED_SCRIPTS), "a script that must be refused was taken")
    for channel in CHANNELS:
        walk.campaigns[channel] = _campaign(walk, channel, "Welcome")
    return {"campaigns": len(walk.campaigns), "scripts_refused": refused}


def forecast(walk: Walk) -> dict[str, Any]:
    """Judge each audience as a whole, before anything is made."""
    told, reasons = Counter[str](), Counter[str]()
    for campaign in walk.campaigns.values():
        seen = audiences.outlook(campaign=campaign, at=walk.at)
        told.update(allowed=seen.allowed, refused=seen.refused, deferred=seen.deferred)
        for row in seen.reasons:
            reasons[f"{row['state']}:{row['code']}"] += int(str(row["count"]))
    require(sum(told.values()) == walk.count, "the forecast does not add up to the audience")
    return {**told, "by_reason": dict(reasons)}


def render(walk: Walk) -> dict[str, Any]:
    """Have the base videos made at the provider, fetched, deleted there, and seen gone."""
    for campaign in walk.campaigns.values():
        campaigns.prepare(campaign=campaign, at=walk.at, actor=SYSTEM)
    deadline = time.monotonic() + 900
    while waiting := _unfinished(walk):
        require(time.monotonic() < deadline, "the provider did not finish in 15 minutes")
        for row in waiting:
            rendering.advance(render=row, at=walk.at)
        time.sleep(0.2)
    for channel, campaign in walk.campaigns.items():
        walk.campaigns[channel] = campaigns.settle_renders(campaign=campaign, at=walk.at)
    rows = Render.objects.filter(campaign__in=walk.campaigns.values())
    require(all(row.state == Render.State.DONE for row in rows), "a render failed")
    return {"rendered": len(rows), "video_seconds": sum(row.duration_ms for row in rows) // 1000}


def send(walk: Walk) -> dict[str, Any]:
    """Personalise and send: the gate for each, again at hand-off; the deferred a day later."""
    for campaign in walk.campaigns.values():
        campaigns.start(campaign=campaign, at=walk.at, actor=SYSTEM)
        while delivery.work(campaign_id=campaign.pk, at=walk.at).total:
            walk.say(f"personalised: {Asset.objects.filter(state=Asset.State.READY).count()}")
    rows = Message.objects.filter(context_id__in=_ids(walk))
    deferred = rows.filter(state=Message.State.QUEUED, not_before__gt=walk.at).count()
    dispatch_for_a_day(walk)
    intake.take_waiting(at=walk.at)
    done = [campaigns.finish(campaign=one, at=walk.at) for one in walk.campaigns.values()]
    require(all(done), "a campaign did not come to its end")
    states = Counter(rows.values_list("state", flat=True))
    made = Asset.objects.filter(campaign__in=walk.campaigns.values(), state=Asset.State.READY)
    require(states["delivered"], "nothing was delivered")
    return {
        "personalised": made.count(),
        "deferred": deferred,
        **{f"messages_{state}": number for state, number in states.items()},
        "recipients": _recipients(walk),
        "sizes_bytes": _sizes(walk),
    }


def watch(walk: Walk) -> dict[str, Any]:
    """Open links as their people do, play them whole, and look into the bytes."""
    watched = served = 0
    for token in walk_phones.link_tokens(_ids(walk))[:WATCHED]:
        link = links.look_up(token=token, at=walk.at)
        play = playback.start_play(link=link, at=walk.at)
        session = playback.session_value(play=play)
        link = playback.authorise(link_id=link.pk, session=session, at=walk.at)
        video = b"".join(
            playback.stream(asset=link.asset, start=0, end=link.asset.size_bytes, at=walk.at)
        )
        seen = compositing.probe(data=video)
        require(seen.video_codec == "h264" and seen.audio_codec == "aac", "not the right codecs")
        require(len(video) == link.asset.size_bytes, "a video came short")
        require(_mark_of(video) == link.asset.mark_name, "a video came without its mark")
        watched, served = watched + 1, served + len(video)
    require(watched, "nobody could watch")
    return {"watched": watched, "marks_read": watched, "served_bytes": served}


def withdraw(walk: Walk) -> dict[str, Any]:
    """Say stop by message, on the page and to the officer; the next send is refused."""
    tokens = walk_phones.link_tokens(_ids(walk))
    chosen = [links.look_up(token=token, at=walk.at) for token in tokens[:3]]
    channels = {campaign.pk: channel for channel, campaign in walk.campaigns.items()}
    hear(walk, chosen[0].contact, channels[chosen[0].asset.campaign_id], STOP)
    links.stop(token=tokens[1], at=walk.at)
    ledger.withdraw(
        contact=chosen[2].contact,
        act=ConsentEvent.Act.CALL,
        means="call_note",
        source="call_note",
        at=walk.at,
        actor=Actor("staff", "demo-officer"),
    )
    walk.later(minutes=5)
    alive = [token for token in tokens[:3] if _opens(token, walk.at)]
    require(not alive, "a link outlived its person's stop")
    refused = sum(
        gate.judge(
            contact=link.contact,
            purpose_code=purposes.MARKETING,
            channel=channels[link.asset.campaign_id],
            at=walk.at,
        ).verdict
        == gate.REFUSE
        for link in chosen
    )
    require(refused == len(chosen), "a person who said stop could be written to")
    return {"withdrawn": len(chosen), "links_dead": len(chosen), "next_send_refused": refused}


def hear(walk: Walk, contact: Contact, channel: str, text: str) -> None:
    """Let a message of a person arrive by the sandbox, and be acted upon."""
    sandbox, _ = connections.ensure_local(at=walk.at)
    inbox.store(
        connection=sandbox,
        kind=InboxItem.Kind.INBOUND_MESSAGE,
        dedupe_key=f"{walk.tag}:{contact.pk}:{walk.at.timestamp()}:{text}",
        body={
            "channel": channel,
            "from": contacts.address(contact=contact, channel=channel, at=walk.at),
            "text": text,
            "provider_message_id": f"in-{contact.pk.hex}",
        },
        at=walk.at,
    )
    intake.take_waiting(at=walk.at)


def dispatch_for_a_day(walk: Walk) -> None:
    """Let the sender work for a day and a half of the walk's time."""
    # The hours of every place come round within a day and a half, a Sunday included.
    for _ in range(13):
        while delivery.dispatch(at=walk.at).total:
            continue
        walk.later(hours=3)
        rendering.observe_again(at=walk.at)


def _shares(walk: Walk) -> dict[str, list[Person]]:
    return {channel: walk.people[number::3] for number, channel in enumerate(CHANNELS)}


def _listed(walk: Walk, channel: str) -> Any:
    return Contact.objects.filter(source=f"{walk.tag}-{channel}").order_by("pk")


def _some(rows: Any, *, keep: range) -> list[Contact]:
    return [row for number, row in enumerate(rows) if number % 10 in keep]


def _tick_box(walk: Walk, contact: Contact) -> None:
    # A claim from a list names no WhatsApp; these people ticked a box that does.
    purpose = purposes.current(purposes.MARKETING, walk.at)
    ledger.record(
        contact=contact,
        purpose_code=purpose.code,
        channel="whatsapp",
        kind=ConsentEvent.Kind.GIVEN,
        act=ConsentEvent.Act.CHECKBOX,
        source="web_form",
        at=walk.at,
        actor=Actor("recipient", contact.public_id),
        notice=purposes.default_notice(purpose=purpose, language=contact.language, at=walk.at),
    )


def _answer(walk: Walk, channel: str) -> int:
    walk.confirmed[channel] = []
    tokens = walk_phones.confirm_tokens(source=f"{walk.tag}-{channel}")
    # Three in four of those asked confirm; the others stay unconfirmed.
    for number, (contact, token) in enumerate(tokens):
        if number % 4 != 3:
            optin.answer(token=token, at=walk.at, ip="192.0.2.7", user_agent="demo")
            walk.confirmed[channel].append(contact)
    return len(walk.confirmed[channel])


def _campaign(walk: Walk, channel: str, name: str) -> Campaign:
    campaign = campaigns.create(
        name=f"{name} by {channel} {walk.tag}",
        sender_name="Lumen Telecom",
        purpose_code=purposes.MARKETING,
        channel=channel,
        link_ttl_hours=LINK_HOURS,
        devices_allowed=1,
        step_up=Campaign.StepUp.BEYOND,
        at=walk.at,
        actor=SYSTEM,
    )
    campaign = campaigns.set_audience(
        campaign=campaign,
        filters={"sources": [f"{walk.tag}-{channel}"]},
        at=walk.at,
        actor=SYSTEM,
    )
    languages = WRITTEN[channel] if walk.count >= MANY else WRITTEN[channel][:1]
    for language in languages:
        campaigns.update_script(
            campaign=campaign,
            language=language,
            text=SCRIPTS[language],
            at=walk.at,
            actor=SYSTEM,
        )
    return campaign


def _unfinished(walk: Walk) -> list[Render]:
    ended = [Render.State.DONE, Render.State.FAILED]
    rows = Render.objects.filter(campaign__in=walk.campaigns.values())
    return list(rows.exclude(state__in=ended))


def _ids(walk: Walk) -> list[Any]:
    return [campaign.pk for campaign in walk.campaigns.values()]


def _recipients(walk: Walk) -> dict[str, int]:
    rows = Recipient.objects.filter(campaign__in=walk.campaigns.values())
    told = Counter(
        f"{state}:{code}" if code else str(state)
        for state, code in rows.values_list("state", "reason_code")
    )
    return dict(told)


def _mark_of(video: bytes) -> str:
    """Read a video's mark as a recipient's program would, from the bytes that came."""
    try:
        return marks.read(parts=[video])
    except marks.NotMarked:
        return ""


def _sizes(walk: Walk) -> dict[str, int]:
    assets = list(Asset.objects.filter(campaign__in=walk.campaigns.values(), state="ready"))
    own = {asset.key_id for asset in assets}
    stored = SealedObject.objects.filter(state=SealedObject.State.STORED)
    return {
        "videos": sum(asset.size_bytes for asset in assets),
        "stored_per_person": sum(row.sealed_bytes for row in stored if row.key_id in own),
        "stored_once": sum(row.sealed_bytes for row in stored if row.key_id not in own),
    }


def _opens(token: str, at: datetime) -> bool:
    try:
        links.look_up(token=token, at=at)
    except links.NotWatchable:
        return False
    return True
