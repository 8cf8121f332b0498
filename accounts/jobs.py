"""What does the house do by itself? Answer the canary, seal the trail, tidy what has ended."""

from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command

from accounts import audit
from accounts import pulse as canary
from config.lib import clock


def pulse(pulse_id: int) -> None:
    now = clock.now()
    canary.answer(pulse_id=pulse_id, at=now)
    audit.seal(at=now)


def seal_trail() -> None:
    audit.seal(at=clock.now())


def tidy() -> None:
    SessionStore.clear_expired()
    call_command("oidc_cleartokens", verbosity=0)
