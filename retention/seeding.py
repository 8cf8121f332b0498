"""What is there when somebody looks at Sealcast for the first time? Some weeks of a small business.

People of nobody, signed-in staff, a partner, a campaign that was sent and one that waits. It is
made once; a second set-up finds it and keeps whatever has been done with it since.
"""

import json
import os
import secrets
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

from accounts import partners, people
from accounts.audit import SYSTEM, Actor
from accounts.models import Partner, User
from config import schedules
from consent import (
    contacts,
    form_making,
    imports,
    intake,
    ledger,
    likeness,
    optin,
    propagation,
    purposes,
)
from consent.models import ConsentEvent, Contact
from integrations import connections
from retention import cast, holds, policies, runs, subject_requests, verification, walk_phones
from retention.cast import Person
from retention.walk import SCRIPTS, Walk, WentWrong, hear, require
from videos import campaigns, delivery, links, playback, rendering
from videos.models import Campaign, Render

SOURCE = "spring-list"
STAFF = (
    ("marketer", "Marketer", "Mara Lindqvist", "/"),
    ("officer", "Officer", "Olu Adeyemi", "/admin/"),
    ("auditor", "Auditor", "Tomas Ruiz", "/admin/"),
    ("administrator", "Administrator", "Ines Duarte", "/admin/"),
)
# The first of the list: the link that is printed is hers.
ASHA = Person(
    name="Asha Raghunathan",
    email="asha@example.org",
    phone="+12025550143",
    language="en",
    time_zone="America/New_York",
    country="US",
    company="Northwind Optics",
    city="Boston",
)
LANGUAGES = ("en", "de", "ar")
# What lists look like: an address without its end, a zone of nowhere, a name with markup.
BAD_ROWS = (
    "Beatrix Lockridge,beatrix@,+12025550171,en,America/New_York,US,,,yes\n"
    "Götz Weißflog,guest.31@example.org,,de,Europe/Bonn,DE,,,yes\n"
    "<i>Íñigo</i>,guest.32@example.org,,es,Europe/Madrid,ES,,,yes\n"
)
PLAYED = 3
QUESTIONS = {
    "es": "¿quién les dio mi número?",
    "fr": "qui vous a donné mon numéro ?",
    "pt": "quem deu meu número?",
}
Say = Callable[[str], None]


def demo_file() -> Path:
    """Return where the demo keeps its sign-ins: readable by its owner only."""
    return Path(settings.HOME) / "demo.json"


def seed(*, at: datetime, say: Say) -> bool:
    """Make the demo in the home folder's database; False if it was there already."""
    if demo_file().exists() and User.objects.filter(email=_email("officer")).exists():
        return False
    sent_at = _office_hour(at - timedelta(days=2))
    listed_at = _office_hour(at - timedelta(days=16))
    _prepare(listed_at)
    secrets_made = {"people": _staff(listed_at), "client": _partner(listed_at)}
    say("importing contacts and asking them")
    listed = _contacts(listed_at)
    say("rendering, personalising and sending a first campaign")
    campaign = _sent_campaign(sent_at)
    _waiting_campaign(sent_at)
    _partner_campaign(sent_at)
    _sign_up_form(listed_at)
    _release(listed_at)
    _aftermath(listed, at)
    say("running the policies and checking the seven promises")
    runs.execute(run=runs.plan(at=at, trigger="schedule"), at=at)
    rendering.observe_again(at=at)
    verification.carry_out(report=verification.ask(at=at, staff=None), at=at)
    _watch(campaign, at)
    token = walk_phones.link_token_of(campaign_id=campaign.pk, contact=_asha())
    _write({**secrets_made, "link": f"/v/{token}"})
    return True


def _email(role: str) -> str:
    return f"{role}@sealcast.example"


def _office_hour(at: datetime) -> datetime:
    """Return 15:00 UTC of that day, or of the last working day before it."""
    at = at.replace(hour=15, minute=0, second=0, microsecond=0)
    while at.weekday() >= 5:
        at -= timedelta(days=1)
    return at


def _prepare(at: datetime) -> None:
    connections.ensure_local(at=at)
    purposes.ensure_defaults(at=at)
    policies.ensure_defaults(at=at)
    schedules.ensure(at=at)


def _staff(at: datetime) -> list[dict[str, str]]:
    made = []
    for role, title, name, path in STAFF:
        password = secrets.token_urlsafe(12)
        user = people.create_staff(
            email=_email(role), name=name, role=role, password=password, at=at
        )
        people.add_second_factor(user=user, at=at)
        made.append({"title": title, "email": user.email, "password": password, "path": path})
    return made


def _partner(at: datetime) -> dict[str, str]:
    partner = partners.create(name="Northwind Optics", at=at, actor=SYSTEM)
    client_id, secret = partners.issue_client(
        partner=partner, scopes=partners.SCOPES, at=at, actor=SYSTEM
    )
    return {"id": client_id, "secret": secret}


def _contacts(at: datetime) -> list[Contact]:
    listed = [ASHA, *cast.people(count=29, seed=2026)]
    file = cast.as_csv(listed) + BAD_ROWS.encode()
    batch = imports.check(file=file, source=SOURCE, created_by=None, at=at)
    imports.commit(batch=batch, at=at, actor=SYSTEM)
    rows = list(Contact.objects.filter(source=SOURCE).select_related("key").order_by("pk"))
    asha = _asha()
    for number, contact in enumerate(rows):
        if number % 5 != 4 or contact == asha:
            optin.ask(
                contact=contact,
                purpose_code=purposes.MARKETING,
                channel="email",
                at=at,
                actor=SYSTEM,
            )
    _deliver(at)
    for number, (contact, token) in enumerate(walk_phones.confirm_tokens(source=SOURCE)):
        # They answer one after the other, within the two days that a question stays open.
        if number % 6 != 5 or contact == asha:
            answered_at = at + timedelta(hours=1 + number)
            optin.answer(token=token, at=answered_at, ip="", user_agent="")
    return rows


def _asha() -> Contact:
    asha = contacts.find(partner=None, email=ASHA.email)
    if asha is None:
        raise WentWrong("the first of the list was not imported")
    return asha


def _deliver(at: datetime) -> None:
    for hours in range(0, 36, 3):
        while delivery.dispatch(at=at + timedelta(hours=hours)).total:
            continue
    intake.take_waiting(at=at + timedelta(hours=36))


def _campaign(
    name: str, channel: str, at: datetime, *, partner: Partner | None = None, **filters: list[str]
) -> Campaign:
    campaign = campaigns.create(
        name=name,
        sender_name=partner.name if partner else "Lumen Telecom",
        partner=partner,
        purpose_code=purposes.MARKETING,
        channel=channel,
        link_ttl_hours=24 * 30,
        at=at,
        actor=SYSTEM,
    )
    return campaigns.set_audience(
        campaign=campaign,
        filters={} if partner else {"sources": [SOURCE], **filters},
        at=at,
        actor=SYSTEM,
    )


def _sent_campaign(at: datetime) -> Campaign:
    campaign = _campaign("Welcome to your spring plan", "email", at, languages=list(LANGUAGES))
    for language in LANGUAGES:
        _write_script(campaign, language, at)
    campaigns.start(campaign=campaign, at=at, actor=SYSTEM)
    _render(campaign, at)
    while delivery.work(campaign_id=campaign.pk, at=at).total:
        continue
    _deliver(at)
    campaigns.finish(campaign=campaign, at=at + timedelta(hours=36))
    return campaign


def _partner_campaign(at: datetime) -> None:
    """Give the partner a campaign whose video is there, to be sent by the API person by person."""
    campaign = _campaign("Your glasses are ready", "email", at, partner=Partner.objects.get())
    _write_script(campaign, "en", at)
    campaigns.prepare(campaign=campaign, at=at, actor=SYSTEM)
    _render(campaign, at)


def _sign_up_form(at: datetime) -> None:
    """Give the marketer a form that is open to whoever has its address."""
    staff = User.objects.get(email=_email("marketer"))
    plain = {"permission": "express", "texts": {}}
    draft = form_making.Draft(
        title="Spring by e-mail",
        slug="spring",
        seller="Lumen Telecom",
        boxes=[
            {**plain, "purpose": purposes.MARKETING, "channels": ["email", "sms"]},
            {**plain, "purpose": purposes.VIEW_ANALYTICS, "channels": ["email"]},
        ],
        asks_age=False,
        origins=["https://www.lumen.example"],
    )
    form = form_making.make(draft=draft, at=at, staff=staff)
    form_making.publish(form=form, at=at, staff=staff)


def _render(campaign: Campaign, at: datetime) -> None:
    deadline = time.monotonic() + 600
    ended = [Render.State.DONE, Render.State.FAILED]
    while waiting := Render.objects.filter(campaign=campaign).exclude(state__in=ended):
        require(time.monotonic() < deadline, "the local studio did not finish")
        for render in waiting:
            rendering.advance(render=render, at=at)
        time.sleep(0.2)
    campaigns.settle_renders(campaign=campaign, at=at)


def _watch(campaign: Campaign, at: datetime) -> None:
    """Let a few people have watched; never Asha, whose link is for the reader."""
    asha = _asha()
    for token in walk_phones.link_tokens([campaign.pk])[: PLAYED + 1]:
        link = links.look_up(token=token, at=at)
        if link.contact_id != asha.pk:
            playback.start_play(link=link, at=at)


def _waiting_campaign(at: datetime) -> None:
    campaign = _campaign("Summer check-up", "email", at)
    for language in ("en", "es"):
        _write_script(campaign, language, at)


def _write_script(campaign: Campaign, language: str, at: datetime) -> None:
    campaigns.update_script(
        campaign=campaign, language=language, text=SCRIPTS[language], at=at, actor=SYSTEM
    )


def _aftermath(rows: list[Contact], at: datetime) -> None:
    """Leave an officer something to look at: a stop, a hold, a request, answers to read."""
    others = [row for row in rows if row.language not in LANGUAGES]
    ledger.withdraw(
        contact=others[0],
        act=ConsentEvent.Act.CALL,
        means="call_note",
        source="call_note",
        at=at,
        actor=Actor("staff", str(User.objects.get(email=_email("officer")).pk)),
    )
    holds.place(
        record_class="contact",
        object_id=others[1].pk,
        reason="complaint",
        reference="C-2041",
        at=at,
        staff=None,
    )
    subject_requests.open_request(contact=others[2], kind="access", channel="email", at=at)
    _questions(others[3:], at)
    propagation.pass_on(at=at)


def _questions(rows: list[Contact], at: datetime) -> None:
    """Let a few people have answered in words that may be a stop: an officer is to read them."""
    for hours, (language, words) in enumerate(QUESTIONS.items(), 1):
        asking = next(row for row in rows if row.language == language)
        asked = Walk(at=at - timedelta(hours=7 * hours), ends_at=at, count=0, seed=2026)
        hear(asked, asking, "sms", words)


def _release(at: datetime) -> None:
    """Keep the signed release of the presenter whose face the videos may show."""
    likeness.record(
        presenter_code="anna-office",
        name="Anna Bergqvist",
        signature="Anna Bergqvist",
        document=b"%PDF-1.4 the release, signed",
        covers_face=True,
        covers_voice=True,
        languages=list(LANGUAGES),
        purposes=[purposes.MARKETING, purposes.SERVICE],
        signed_at=at - timedelta(days=30),
        valid_until=at + timedelta(days=700),
        at=at,
        staff=User.objects.get(email=_email("officer")),
    )


def _write(demo: dict[str, Any]) -> None:
    handle = os.open(demo_file(), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(demo, file, indent=2)
