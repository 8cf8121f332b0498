"""What do the journeys in the browser play? A real video, made and sent as any other."""

import time
from datetime import datetime

from django.conf import settings
from django.test import Client
from playwright.sync_api import Page

from accounts import audit
from accounts.models import User
from config.lib import clock
from consent import purposes
from consent.models import Contact
from integrations import connections
from integrations.models import SandboxMessage
from tests.videos import stage
from videos import campaigns, delivery, rendering
from videos.models import Campaign

TEXT = (
    "Hello {{ name|there }}. Spring is here, and the boats are back on the lake. "
    "Our house by the water is open again, and we kept a room with a view."
)


# The same with a second sentence that is the person's own, in the middle.
TWO_SLOTS = TEXT.replace(" Our house", " Yes, {{ name|there }}, for you too. Our house")


def draft(*, channel: str = "email", text: str = TEXT) -> Campaign:
    now = clock.now()
    connections.ensure_local(at=now)
    purposes.ensure_defaults(at=now)
    made = campaigns.create(
        name="Spring by the lake",
        sender_name="Aurora Travel",
        purpose_code="marketing",
        channel=channel,
        at=now,
        actor=audit.SYSTEM,
    )
    if text:
        campaigns.update_script(campaign=made, language="en", text=text, at=now, actor=audit.SYSTEM)
    return made


def render(made: Campaign) -> Campaign:
    """Do what the jobs do until the base video is there."""
    for base in campaigns.renders(made):
        now = base
        while not rendering.is_finished(now):
            now = rendering.advance(render=base, at=clock.now())
            time.sleep(0.1)
    return campaigns.settle_renders(campaign=made, at=clock.now())


def send(made: Campaign) -> None:
    """Do what the jobs do until everybody has been dealt with."""
    while delivery.work(campaign_id=made.pk, at=clock.now()).total:
        pass
    while delivery.dispatch(at=clock.now()).total:
        pass
    campaigns.finish(campaign=made, at=clock.now())


def person(at: datetime) -> Contact:
    return stage.agreed(stage.person(at=at), at=at)


def link_path(*, text: str = TEXT) -> str:
    """Send a real video to one person and return the path of the link that their phone shows."""
    made = draft(text=text)
    person(clock.now())
    render(campaigns.start(campaign=made, at=clock.now(), actor=audit.SYSTEM))
    send(made)
    shown: str = SandboxMessage.objects.get(direction="to_phone").content_sealed["text"]
    return "/v/" + shown.partition("/v/")[2][:43]


def sign_in(page: Page, origin: str, *, role: str = "marketer") -> User:
    """Let a page be a member of staff's, as after their sign-in."""
    user = User.objects.create_user(email=f"{role}@example.org", role=role)
    client = Client()
    client.force_login(user, settings.AUTHENTICATION_BACKENDS[0])
    name = settings.SESSION_COOKIE_NAME
    page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": origin}])
    return user
