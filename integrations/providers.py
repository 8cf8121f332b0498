"""What is true of each provider that is connected by OAuth: addresses, scopes, ways of its own?

Facts in `unconfirmed` stand in no public source that could be read whole: an installation corrects
them in the file that SEALCAST_PROVIDER_FACTS names, without a release.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings


class UnknownProvider(LookupError):
    """No provider of that name is connected by OAuth."""


class UnknownFact(LookupError):
    """The file of facts names what may not be set there."""


@dataclass(frozen=True)
class Scope:
    """One permission: its name at the provider, and what it lets us do, in plain words."""

    code: str
    words: str


@dataclass(frozen=True)
class Provider:
    """One provider's side of the dance. `{host}` in an address is the pinned login host."""

    slug: str
    name: str
    authorize: str
    token: str
    revoke: str
    scopes: tuple[Scope, ...]
    # Where a person signs in; the first is the default. A suffix allows one label and no more.
    login_hosts: tuple[str, ...]
    # Where codes and tokens are exchanged, when that is another host than the login's.
    token_hosts: tuple[str, ...] = ()
    login_suffixes: tuple[str, ...] = ()
    # Where the API answers: fixed hosts, or one that the token's answer names, by its suffix.
    api_hosts: tuple[str, ...] = ()
    api_suffixes: tuple[str, ...] = ()
    # Zoho: a data centre's own API host for each of its accounts servers.
    data_centres: Mapping[str, str] = field(default_factory=dict)
    scope_joint: str = " "
    authorize_extra: Mapping[str, str] = field(default_factory=dict)
    pkce: bool = True
    revoke_by_basic: bool = False
    header: str = "Bearer"
    # A call that names nobody and shows that the token works.
    test_path: str = ""
    # Where the API says whose account it is, if no answer with tokens does.
    account_path: str = ""
    # Where the app is registered, for whoever has to do it.
    app_help: str = ""
    # Of which kind a connection to it is.
    kind: str = "crm"
    # Whether the app may connect by itself too, at an instance's own host, as a user it is given.
    as_app: bool = False
    # Its name in the file of corrections, where the provider has another table there too.
    facts: str = ""
    unconfirmed: tuple[str, ...] = ()

    @property
    def scope_codes(self) -> list[str]:
        return [scope.code for scope in self.scopes]


ZOHO_CENTRES = {
    "accounts.zoho.com": "www.zohoapis.com",
    "accounts.zoho.eu": "www.zohoapis.eu",
    "accounts.zoho.in": "www.zohoapis.in",
    "accounts.zoho.com.au": "www.zohoapis.com.au",
    "accounts.zoho.com.cn": "www.zohoapis.com.cn",
    "accounts.zoho.jp": "www.zohoapis.jp",
    "accounts.zoho.sa": "www.zohoapis.sa",
    "accounts.zohocloud.ca": "www.zohoapis.ca",
}

HUBSPOT = Provider(
    slug="hubspot",
    name="HubSpot",
    authorize="https://app.hubspot.com/oauth/authorize",
    # v1 of these is switched off on 2027-02-16.
    token="https://api.hubapi.com/oauth/2026-03/token",  # noqa: S106  an address
    revoke="https://api.hubapi.com/oauth/2026-03/token/revoke",
    scopes=(
        Scope("oauth", "See which HubSpot account it is."),
        Scope("crm.objects.contacts.read", "Read contacts and the names of their fields."),
        Scope("communication_preferences.read", "Read who opted out of which messages."),
        Scope(
            "communication_preferences.statuses.batch.read",
            "Read which types of messages people unsubscribed from.",
        ),
        Scope("crm.objects.contacts.write", "Erase whom you erase here; note what was sent."),
        Scope(
            "communication_preferences.statuses.batch.write",
            "Unsubscribe whoever stopped here.",
        ),
    ),
    login_hosts=("app.hubspot.com",),
    token_hosts=("api.hubapi.com",),
    api_hosts=("api.hubapi.com",),
    test_path="/crm/v3/properties/contacts/email",
    app_help="With HubSpot's command line: create a project with an app that signs in by OAuth. An "
    "older public app goes on working.",
    unconfirmed=("test_path", "scopes", "pkce"),
)

SALESFORCE = Provider(
    slug="salesforce",
    name="Salesforce",
    authorize="https://{host}/services/oauth2/authorize",
    token="https://{host}/services/oauth2/token",  # noqa: S106  an address
    revoke="https://{host}/services/oauth2/revoke",
    scopes=(
        Scope(
            "api",
            "Use the API as the person who allows it. Salesforce has no narrower permission: "
            "sign in as an integration user who may read contacts, mark there who stopped or is to "
            "be forgotten, and do nothing else.",
        ),
        Scope("refresh_token", "Stay connected until you disconnect."),
    ),
    login_hosts=("login.salesforce.com", "test.salesforce.com"),
    login_suffixes=(".my.salesforce.com", ".sandbox.my.salesforce.com"),
    api_suffixes=(".my.salesforce.com", ".sandbox.my.salesforce.com"),
    authorize_extra={"prompt": "consent"},
    as_app=True,
    test_path="/services/data/v62.0/limits",
    app_help="In Salesforce, under Setup: create an External Client App with OAuth, and require "
    "PKCE and the rotation of refresh tokens.",
    unconfirmed=("test_path", "api_suffixes", "authorize_extra"),
)

ZOHO = Provider(
    slug="zoho",
    name="Zoho CRM",
    authorize="https://{host}/oauth/v2/auth",
    token="https://{host}/oauth/v2/token",  # noqa: S106  an address
    revoke="https://{host}/oauth/v2/revoke/token",
    scopes=(
        Scope("ZohoCRM.modules.contacts.READ", "Read contacts."),
        Scope("ZohoCRM.org.READ", "See which Zoho organisation it is."),
        Scope("ZohoCRM.settings.fields.READ", "Read the names of a contact's fields."),
        Scope("ZohoCRM.coql.READ", "Ask for contacts by their ids, where there are very many."),
        Scope("ZohoCRM.modules.contacts.UPDATE", "Mark whoever stopped here as opted out."),
        Scope("ZohoCRM.modules.contacts.DELETE", "Delete whom you erase here."),
        Scope("ZohoCRM.modules.notes.CREATE", "Note what was sent."),
        Scope("ZohoCRM.notifications.CREATE", "Be told at once when a contact changes."),
        Scope("ZohoCRM.notifications.DELETE", "End that when you disconnect."),
    ),
    login_hosts=tuple(ZOHO_CENTRES),
    data_centres=ZOHO_CENTRES,
    scope_joint=",",
    authorize_extra={"access_type": "offline", "prompt": "consent"},
    revoke_by_basic=True,
    header="Zoho-oauthtoken",
    test_path="/crm/v8/settings/fields?module=Contacts",
    account_path="/crm/v8/org",
    app_help="In the Zoho API console: create a server-based application.",
    unconfirmed=("test_path", "account_path", "scopes", "pkce", "data_centres", "login_hosts"),
)

HEYGEN = Provider(
    slug="heygen",
    name="HeyGen",
    authorize="https://app.heygen.com/oauth/authorize",
    token="https://api2.heygen.com/v1/oauth/token",  # noqa: S106  an address
    revoke="https://api2.heygen.com/v1/oauth/revoke",
    scopes=(
        Scope(
            "openid",
            "Order and delete films as the person who allows it. HeyGen has no narrower "
            "permission: sign in as a member who does nothing else.",
        ),
    ),
    login_hosts=("app.heygen.com",),
    token_hosts=("api2.heygen.com",),
    api_hosts=("api.heygen.com",),
    test_path="/v3/videos?limit=1",
    app_help="At HeyGen, in the developer settings: register an app for OAuth.",
    kind="video",
    facts="heygen_sign_in",
    unconfirmed=("test_path", "scopes"),
)

TABLE = {row.slug: row for row in (HUBSPOT, SALESFORCE, ZOHO, HEYGEN)}


@dataclass(frozen=True)
class Senders:
    """What networks ask of whoever sends text messages into a country over a provider."""

    # Its name in the file of corrections.
    slug: str
    # By country, or country and kind of number: which entries of the connection have to be there.
    demands: Mapping[str, tuple[str, ...]]
    # How each entry looks, as a regular expression.
    shapes: Mapping[str, str]
    unconfirmed: tuple[str, ...] = ()


TOLL_FREE, SHORT_CODE = "toll_free", "short_code"
SENDERS = {
    "twilio": Senders(
        slug="twilio_senders",
        demands={
            # A2P 10DLC: a brand and a campaign; a toll-free number is verified instead. A short
            # code is let out with its programme approved.
            "US": ("us_brand", "us_campaign"),
            f"US:{TOLL_FREE}": ("us_toll_free",),
            f"US:{SHORT_CODE}": (),
            # DLT, by the rules of TRAI: the principal entity and the template of the words.
            "IN": ("in_entity", "in_template"),
        },
        shapes={
            "us_brand": r"BN[0-9a-f]{32}",
            "us_campaign": r"(QE[0-9a-f]{32}|C[A-Z0-9]{6})",
            "us_toll_free": r"HH[0-9a-f]{32}",
            "in_entity": r"\d{10,25}",
            "in_template": r"\d{10,25}",
        },
        unconfirmed=("demands", "shapes"),
    )
}


def get(slug: str) -> Provider:
    """Return a provider, with this installation's corrections.

    :raises UnknownProvider: no such provider is connected by OAuth.
    :raises UnknownFact: the corrections name a fact that is confirmed, or none.
    """
    if slug not in TABLE:
        raise UnknownProvider(slug)
    row = TABLE[slug]
    facts = settings.PROVIDER_FACTS.get(row.facts or slug, {})
    if unknown := sorted(set(facts) - set(row.unconfirmed)):
        raise UnknownFact(f"{slug}: {', '.join(unknown)}")
    return replace(row, **{name: _fact(name, value) for name, value in facts.items()})


def senders(provider: str) -> Senders | None:
    """Return what is asked of senders over a provider, with this installation's corrections.

    :raises UnknownFact: the corrections name a fact that is none, or are unusable.
    """
    row = SENDERS.get(provider)
    if row is None:
        return None
    facts: dict[str, Any] = settings.PROVIDER_FACTS.get(row.slug, {})
    if unknown := sorted(set(facts) - set(row.unconfirmed)):
        raise UnknownFact(f"{row.slug}: {', '.join(unknown)}")
    try:
        # Country by country, and entry by entry: what is not named stays.
        demands = {code: tuple(names) for code, names in facts.get("demands", {}).items()}
        shapes = {
            name: re.compile(shape).pattern for name, shape in facts.get("shapes", {}).items()
        }
    except (AttributeError, TypeError, re.error):
        raise UnknownFact(row.slug) from None
    named = {name for names in demands.values() for name in names}
    if strange := sorted((named | set(shapes)) - set(row.shapes)):
        raise UnknownFact(f"{row.slug}: {', '.join(strange)}")
    return replace(row, demands={**row.demands, **demands}, shapes={**row.shapes, **shapes})


def require_facts(*, elsewhere: Collection[str] = ()) -> None:
    """Read every correction once, so that a wrong one stops the start and not a page.

    `elsewhere` are providers whose facts stand in another table.
    :raises UnknownProvider, UnknownFact: as `get`.
    """
    known = {row.facts or slug for slug, row in TABLE.items()}
    for slug in TABLE:
        get(slug)
    for provider, row in SENDERS.items():
        senders(provider)
        known.add(row.slug)
    for name in set(settings.PROVIDER_FACTS) - known - set(elsewhere):
        raise UnknownProvider(name)


def _fact(name: str, value: Any) -> Any:
    if name == "scopes":
        # In the file: the provider's name of each scope, and our words for it.
        return tuple(Scope(str(code), str(words)) for code, words in value.items())
    return tuple(value) if isinstance(value, list) else value


def is_login_host(*, provider: Provider, host: str) -> bool:
    """Say whether a person may be sent to this host to sign in to this provider."""
    return host in provider.login_hosts or _is_under(host, provider.login_suffixes)


def is_api_host(*, provider: Provider, host: str) -> bool:
    """Say whether this host may be called with this provider's token."""
    return host in provider.api_hosts or _is_under(host, provider.api_suffixes)


def host_of(url: str) -> str:
    """Return the host of a plain https address; the empty text of anything else.

    Names of hosts are compared letter by letter, so that what is odd (a port, a user, a dot at
    the end, capital or foreign letters) is no host at all.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return ""
    plain = parts.scheme == "https" and parts.netloc == host and host.isascii()
    return host if plain and not host.endswith(".") else ""


def _is_under(host: str, suffixes: tuple[str, ...]) -> bool:
    for suffix in suffixes:
        label = host.removesuffix(suffix)
        # "--" names a sandbox: acme--test.sandbox.my.salesforce.com.
        if label != host and label.replace("-", "").isalnum() and label.isascii():
            return not label.startswith("-") and not label.endswith("-")
    return False
