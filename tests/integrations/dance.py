"""How does one dance in a test? A browser, a simulated vendor on loopback, and what comes back."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.conf import settings
from django.test import Client, override_settings

from accounts.models import TrailLeaf
from integrations import oauth, providers
from integrations.models import Connection, OAuthGrant
from tests.accounts.staff import browser
from tests.simulators import base
from tests.simulators.base import Simulator
from tests.simulators.heygen_sign_in import HeyGenSignIn
from tests.simulators.hubspot import HubSpot
from tests.simulators.salesforce import Salesforce
from tests.simulators.zoho import Zoho

VENDORS: dict[str, type[Simulator]] = {
    "heygen": HeyGenSignIn,
    "hubspot": HubSpot,
    "salesforce": Salesforce,
    "zoho": Zoho,
}
CLIENT_ID, SECRET = "app-1", "secret-of-app-1"
LINK = re.compile(r'href="(http://127\.0\.0\.1:\d+/[^"]+)"')


@dataclass
class Clock:
    """A clock that stands until it is moved: ours and the vendor's."""

    vendor: Simulator | None = None
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.at

    def move(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        if self.vendor:
            self.vendor.skip(seconds)


@dataclass
class Dance:
    """One vendor and one administrator's browser."""

    slug: str
    vendor: Simulator
    client: Client

    @property
    def home(self) -> str:
        return f"/connections/{self.slug}"

    def begin(self, client: Client | None = None, **more: str) -> str:
        """Fill in the form; return the address at the vendor."""
        form = {"client_id": CLIENT_ID, "client_secret": SECRET, **more}
        if self.slug == "salesforce":
            form.setdefault("login_host", "login.salesforce.com")
        page = (client or self.client).post(f"{self.home}/connect/", form).content.decode()
        found = LINK.search(page)
        assert found, page
        return found[1].replace("&amp;", "&")

    def pressed(self, decision: str = "allow") -> dict[str, str]:
        """Begin, press a button at the vendor, and return what comes back."""
        return told(base.press(self.begin(), decision))

    def back(self, params: object, *, client: Client | None = None, slug: str = "") -> Any:
        """Come back from the vendor with these parameters."""
        query = urlencode(params, doseq=True)  # type: ignore[arg-type]
        return (client or self.client).get(f"/connections/{slug or self.slug}/return/?{query}")

    def connect(self) -> Connection:
        self.back(self.pressed())
        return self.row()

    def row(self) -> Connection:
        return Connection.objects.get(pk=self.pk)

    def grant(self) -> OAuthGrant:
        return OAuthGrant.objects.select_related("connection").get(pk=self.pk)

    @property
    def pk(self) -> Any:
        return oauth.connection_id(provider=providers.get(self.slug))

    def held(self) -> dict[str, str]:
        found = self.grant().tokens_sealed
        assert isinstance(found, dict)
        return found


def told(location: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(location).query))


def reasons() -> list[object]:
    """Return why callbacks were refused, as the trail has it."""
    leaves = TrailLeaf.objects.filter(action="integrations.callback.refused").order_by("pk")
    return [leaf.details["reason"] for leaf in leaves]


@contextmanager
def dancing(slug: str) -> Iterator[Dance]:
    redirect = f"{settings.PUBLIC_URL}/connections/{slug}/return/"
    vendor = VENDORS[slug](client_id=CLIENT_ID, secret=SECRET, redirect_uri=redirect)
    with base.running(vendor) as address, override_settings(SIMULATORS={slug: address}):
        yield Dance(slug, vendor, browser("administrator"))
