"""Who works here and who calls, in the tests? People and partners of nobody."""

import base64
import itertools
from datetime import UTC, datetime

from django.core.cache import cache
from django.test import Client

from accounts import partners, people
from accounts.audit import SYSTEM
from accounts.models import Partner, User
from config.lib import clock

NOON = datetime(2026, 10, 7, 12, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"
_numbers = itertools.count(1)


def member(role: str, *, second_factor: bool = True) -> User:
    """Take in a member of staff; each call another person."""
    user = people.create_staff(
        email=f"{role}{next(_numbers)}@staff.example",
        name=role.title(),
        role=role,
        password=PASSWORD,
        at=NOON,
    )
    if second_factor:
        people.add_second_factor(user=user, at=NOON)
    return user


def browser(role: str = "") -> Client:
    """Return a browser in which somebody of the role is signed in, or nobody."""
    client = Client(raise_request_exception=False)
    if role:
        client.force_login(member(role))
    return client


def partner(name: str = "Charlie") -> Partner:
    return partners.create(name=name, at=clock.now(), actor=SYSTEM)


def basic(client_id: str, secret: str) -> dict[str, str]:
    words = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return {"Authorization": f"Basic {words}"}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def token_of(client_id: str, secret: str) -> str:
    """Fetch an access token from the endpoint, as a partner does."""
    answer = Client().post(
        "/identity/o/api/token",
        {"grant_type": "client_credentials"},
        headers=basic(client_id, secret),
    )
    return str(answer.json()["access_token"])


def caller(*scopes: str, of: Partner | None = None) -> Client:
    """Return a partner's machine with a token for these scopes."""
    cache.clear()
    client_id, secret = partners.issue_client(
        partner=of or partner(),
        scopes=scopes or partners.SCOPES,
        at=clock.now(),
        actor=SYSTEM,
    )
    token = token_of(client_id, secret)
    return Client(raise_request_exception=False, headers=bearer(token))
