"""Which accounts are opened by keys that somebody types in? Sealed, and not shown again."""

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from accounts import audit, keys
from integrations import prices as prices_
from integrations import providers, templates, trail, vendors
from integrations.connections import WEBHOOK
from integrations.messaging import wire
from integrations.models import Connection
from integrations.prices import BadPrices, Prices

SECRET_NAME = "webhook_secret"  # noqa: S105 the name of a member, not its value


@dataclass(frozen=True)
class Field:
    """One thing to type in: what it is called there, and whether it must stay hidden."""

    name: str
    label: str
    help: str = ""
    secret: bool = False
    required: bool = True
    switch: bool = False
    longest: int = 400
    # Under which words it is folded away with others; empty: it is always seen.
    folded: str = ""
    # Raises ValueError with words for whoever typed it.
    verify: Callable[[str], object] | None = None


@dataclass(frozen=True)
class KeyedProvider:
    """A provider whose account is opened by keys."""

    title: str
    auth_kind: str
    channels: tuple[str, ...]
    fields: tuple[Field, ...]
    note: str
    kind: str = Connection.Kind.MESSAGING
    # Whether it tells us anything by itself: without that it gets no address to post to.
    posts: bool = True
    # Whether it signs what it tells: a delivery is believed of such alone.
    signs: bool = True


def _folded(words: str, *fields: Field) -> tuple[Field, ...]:
    return tuple(replace(field, folded=words) for field in fields)


def _template(what: str, *, required: bool) -> tuple[Field, ...]:
    return _folded(
        "WhatsApp templates",
        Field("whatsapp_template", what, "Approved by Meta.", required=required),
        Field(
            "template_variables",
            "What its variables hold, in order",
            "link, text or subject, with commas between; link if left empty.",
            required=False,
        ),
        Field(
            "question_template",
            f"{what} that asks for consent",
            "Approved by Meta. Without it nobody is asked by WhatsApp but within a day of their "
            "own words.",
            required=False,
        ),
        Field(
            "question_variables",
            "What the variables of that one hold, in order",
            "As above; subject is “Please confirm: messages from …”.",
            required=False,
        ),
    )


def _vendor(title: str, fields: tuple[Field, ...], note: str) -> KeyedProvider:
    return KeyedProvider(
        title,
        Connection.AuthKind.KEY,
        ("render", "delete"),
        (Field("api_key", "API key", secret=True), *fields),
        f"{note} {NO_AGREEMENT}",
        Connection.Kind.VIDEO,
    )


def _like(name: str) -> Callable[[str], object]:
    def verify(typed: str) -> None:
        facts = providers.senders("twilio")
        if facts and not re.fullmatch(facts.shapes[name], typed):
            raise ValueError("This does not look like one. Copy it again.")

    return verify


SENDER = (
    Field("sender", "Address of the sender", "Such as news@example.org."),
    Field("sender_name", "Name of the sender", "As recipients see it.", required=False),
)
SIGNING = Field(
    "signing_secret",
    "Signing secret of the webhook",
    "Shown once, when the webhook address is entered there. Without it we ask instead.",
    secret=True,
    required=False,
)
VARIABLE = Field("variable", "Variable of the template", "script if left empty.", required=False)
NO_AGREEMENT = (
    "Nothing leaves for it before an officer has recorded an agreement in force. Films are made by "
    "the oldest connection in use: switch the studio on this machine off to have them made here."
)
WAKES = "It signs nothing that it posts to us: a post makes us ask, and is not believed."
PACE = Field(
    "per_second",
    "Messages a second",
    "What the vendor takes of this sender; a safe few if left empty.",
    required=False,
    verify=wire.pace_of,
)
PRICES = _folded(
    "Prices, so that a campaign tells its cost",
    Field(
        "price_per_segment",
        "Price of an SMS segment",
        "Such as 0.0079; to countries that are not listed below.",
        required=False,
        verify=lambda typed: prices_.read(by_prefix="", elsewhere=typed),
    ),
    Field(
        "prices",
        "Prices by the beginning of a number",
        "Such as +1 0.0079, +44 0.0463, +91 0.0832; the longest that fits counts.",
        required=False,
        longest=8000,
        verify=lambda typed: prices_.read(by_prefix=typed),
    ),
    Field("currency", "Currency of the prices", "Such as USD.", required=False, longest=3),
)
REGISTERED = _folded(
    "Registration of the sender in the United States and India",
    Field(
        "us_brand",
        "US: brand of A2P 10DLC",
        "Its SID, BN…: networks there take no texts from a sender that is not registered.",
        required=False,
        verify=_like("us_brand"),
    ),
    Field(
        "us_campaign",
        "US: campaign of A2P 10DLC",
        "Its SID, QE…, or the code that the registry gave it, C….",
        required=False,
        verify=_like("us_campaign"),
    ),
    Field(
        "us_toll_free",
        "US: verification of a toll-free number",
        "Its SID, HH…; where the sender is such a number.",
        required=False,
        verify=_like("us_toll_free"),
    ),
    Field(
        "in_entity",
        "India: principal entity id (DLT)",
        "Digits, from the operator's register.",
        required=False,
        verify=_like("in_entity"),
    ),
    Field(
        "in_template",
        "India: content template id (DLT)",
        "Digits; of a template whose words are those of your campaigns.",
        required=False,
        verify=_like("in_template"),
    ),
)
UNSIGNED = (
    "It signs nothing that it posts to us: a stop is taken at once, and what would allow more "
    "(a yes, a start, a delivery) is not believed."
)
PROVIDERS = {
    "twilio": KeyedProvider(
        "Twilio",
        Connection.AuthKind.KEY,
        ("sms", "whatsapp"),
        (
            Field("account_sid", "Account SID", "Begins with AC."),
            Field(
                "auth_token", "Auth token", "Also the key of what Twilio posts to us.", secret=True
            ),
            *_folded(
                "An API key or an OAuth app to send by",
                Field(
                    "key_sid",
                    "API key SID",
                    "Begins with SK; instead of the token.",
                    required=False,
                ),
                Field("key_secret", "API key secret", secret=True, required=False),
                Field(
                    "client_id",
                    "Client id of an OAuth app",
                    "Begins with OQ; instead of the API key. In Twilio's region US1 only.",
                    required=False,
                ),
                Field(
                    "client_secret", "Client secret of the OAuth app", secret=True, required=False
                ),
            ),
            Field("sender", "SMS sender", "A number, or a messaging service (MG).", required=False),
            Field("whatsapp_sender", "WhatsApp sender", "A number with +.", required=False),
            *_template("Content SID of the WhatsApp template", required=False),
            PACE,
            *PRICES,
            *REGISTERED,
            Field(
                "keep_nothing",
                "Twilio keeps neither words nor numbers",
                "ContentRetention=discard; Twilio must have enabled it for the account.",
                required=False,
                switch=True,
            ),
        ),
        "It signs what it posts to us.",
    ),
    "wati": KeyedProvider(
        "WATI",
        Connection.AuthKind.BEARER,
        ("whatsapp",),
        (
            Field("token", "Access token", "From API Docs in WATI's dashboard.", secret=True),
            Field("channel", "Channel", "Where the tenant has several.", required=False),
            *_template("Name of the template", required=True),
            PACE,
        ),
        f"{UNSIGNED} Choose the events Message Received, Template Message Failed and Session "
        "Message Failed.",
        signs=False,
    ),
    "gupshup": KeyedProvider(
        "Gupshup",
        Connection.AuthKind.KEY,
        ("whatsapp",),
        (
            Field("api_key", "API key", secret=True),
            Field("app_id", "App id"),
            Field("app_name", "App name"),
            Field("source", "WhatsApp sender", "The number of the app."),
            *_template("Id of the template", required=True),
            PACE,
        ),
        f"{UNSIGNED} Subscribe in version 2 to messages, failed messages and user events.",
        signs=False,
    ),
    "smtp": KeyedProvider(
        "E-mail (SMTP)",
        Connection.AuthKind.KEY,
        ("email",),
        (
            Field("host", "Mail server", "Its name alone, such as smtp.example.org."),
            Field("port", "Port", "587, or 465; TLS is required on both.", required=False),
            Field("username", "User"),
            Field("password", "Password", secret=True),
            *SENDER,
            *_folded(
                "DKIM, where the mail server does not sign",
                Field("dkim_domain", "DKIM domain", required=False),
                Field("dkim_selector", "DKIM selector", required=False),
                Field(
                    "dkim_key",
                    "DKIM private key",
                    "RSA, 2048 bits. Leave it empty where the mail server signs.",
                    secret=True,
                    required=False,
                    longest=8000,
                ),
            ),
            PACE,
        ),
        "TLS 1.3 is required and the certificate checked. A mail server reports no bounce to us "
        "after it took a letter: watch the sender's own mailbox.",
        posts=False,
    ),
    "sendgrid": KeyedProvider(
        "SendGrid",
        Connection.AuthKind.BEARER,
        ("email",),
        (
            Field("api_key", "API key", "With “Mail Send” and no more.", secret=True),
            *SENDER,
            Field("eu", "The account is in the EU", required=False, switch=True),
            Field(
                "verification_key",
                "Verification key of the event webhook",
                "Without it no event is believed.",
                required=False,
            ),
            PACE,
        ),
        "It signs what it posts to us. Turn on the signed event webhook: delivered, bounced, "
        "dropped, spam reports, unsubscribes.",
    ),
    "heygen": _vendor(
        "HeyGen",
        (Field("template_id", "Template id", "Without music."), VARIABLE, SIGNING),
        "It signs what it posts to us.",
    ),
    "synthesia": _vendor(
        "Synthesia",
        (
            Field("template_id", "Template id", "Without music."),
            VARIABLE,
            SIGNING,
            Field("test", "Test videos, with a watermark", required=False, switch=True),
        ),
        "It signs what it posts to us. Its backups may keep a deleted video for 90 days.",
    ),
    "tavus": _vendor("Tavus", (Field("replica_id", "Replica id", "Begins with r."),), WAKES),
    "did": _vendor(
        "D-ID",
        (
            Field("source_url", "Address of a picture of the presenter", "A public JPEG or PNG."),
            Field("voice_id", "Voice", "Of Microsoft, such as en-US-JennyNeural."),
        ),
        f"The key is a user and a password with a colon between. {WAKES}",
    ),
}


@transaction.atomic
def connect(
    *, provider: str, label: str, values: Mapping[str, str], at: datetime, actor: audit.Actor
) -> Connection:
    """Keep a new account, sealed, with a webhook address that nobody can guess.

    :raises KeyError: no such provider takes keys.
    """
    known = PROVIDERS[provider]
    secret = secrets.token_urlsafe(32) if known.posts else ""
    row = Connection.objects.create(
        kind=known.kind,
        provider=provider,
        label=label,
        auth_kind=_auth_kind(known, values),
        hosts=_hosts(provider, values),
        scopes=list(known.channels),
        credentials_sealed={**_known(provider, values), SECRET_NAME: secret},
        webhook_index=keys.token_index(kind=WEBHOOK, token=secret) if secret else None,
        created_at=at,
    )
    trail.note("connection.added", connection=row, at=at, actor=actor)
    _read_templates(row, at, actor)
    return row


@transaction.atomic
def change(
    *, connection: Connection, values: Mapping[str, str], at: datetime, actor: audit.Actor
) -> Connection:
    """Replace what was typed; a secret left empty stays, and so does the webhook address.

    An account that somebody signed in to gets its webhook address here.
    """
    row = Connection.objects.select_for_update().get(pk=connection.pk)
    held, known = _held(row), PROVIDERS[row.provider]
    kept = {field.name: held.get(field.name, "") for field in known.fields if field.secret}
    given = _known(row.provider, values)
    merged = {**kept, **{name: value for name, value in given.items() if value}}
    secret = held.get(SECRET_NAME) or (secrets.token_urlsafe(32) if known.posts else "")
    row.credentials_sealed = {**merged, SECRET_NAME: secret}
    row.webhook_index = keys.token_index(kind=WEBHOOK, token=secret) if secret else None
    pinned = row.hosts if row.auth_kind == Connection.AuthKind.OAUTH_CODE else []
    if row.auth_kind != Connection.AuthKind.OAUTH_CODE:
        row.auth_kind = _auth_kind(known, merged)
    row.problem, row.hosts = "", sorted({*pinned, *_hosts(row.provider, merged)})
    # Perhaps of another account: what was read of the one before says nothing of it.
    row.templates_read_at = None
    row.save(
        update_fields=[
            "auth_kind",
            "credentials_sealed",
            "webhook_index",
            "problem",
            "hosts",
            "templates_read_at",
        ]
    )
    trail.note("connection.keys_changed", connection=row, at=at, actor=actor)
    _read_templates(row, at, actor)
    return row


def shown(*, connection: Connection) -> dict[str, str]:
    """Return what may be shown again: everything but secrets."""
    held = _held(connection)
    fields = PROVIDERS[connection.provider].fields
    return {field.name: held.get(field.name, "") for field in fields if not field.secret}


def prices(*, connection: Connection) -> Prices:
    """Return what segments cost over a connection, as it was typed; nothing if nobody said."""
    held = _held(connection)
    try:
        return prices_.read(
            by_prefix=held.get("prices", ""),
            elsewhere=held.get("price_per_segment", ""),
            currency=held.get("currency", ""),
        )
    except BadPrices:
        # Typed before prices were verified: no price is better than a wrong one.
        return Prices()


def unheard(*, provider: str) -> str:
    """Say why a message over a provider never counts as delivered; empty if it can."""
    known = PROVIDERS.get(provider)
    if known is None or (known.posts and known.signs):
        return ""
    why = "reports no delivery" if not known.posts else "signs no report, so that none is believed"
    return f" {known.title} {why}: its messages stay “sent”."


def webhook_address(*, connection: Connection) -> str:
    """Return the address to enter at the provider; whoever has it can post to us."""
    secret = webhook_secret(connection=connection)
    return f"{settings.PUBLIC_URL}/hooks/{secret}/" if secret else ""


def webhook_secret(*, connection: Connection) -> str:
    """Return what stands in that address; empty if there is none."""
    return str(_held(connection).get(SECRET_NAME, ""))


def _read_templates(row: Connection, at: datetime, actor: audit.Actor) -> None:
    if "whatsapp" in row.scopes:
        templates.ask(connection=row, at=at, actor=actor, is_other_account=True)


def _auth_kind(known: KeyedProvider, values: Mapping[str, str]) -> str:
    # By what is typed: an app's id stands for a token an hour, in place of a key.
    return Connection.AuthKind.OAUTH_CLIENT if values.get("client_id") else known.auth_kind


def _hosts(provider: str, values: Mapping[str, str]) -> list[str]:
    if provider == "smtp":
        return [str(values.get("host") or "").strip().lower()]
    if provider == "sendgrid":
        place = "sendgrid_eu" if values.get("eu") else "sendgrid"
        return [urlsplit(wire.ORIGINS[place]).hostname or ""]
    if provider in vendors.TABLE:
        vendor = vendors.get(provider)
        return [urlsplit(vendor.origin).hostname or "", *vendor.download_hosts]
    origins = [wire.ORIGINS[name] for name in wire.ORIGINS if name.partition("_")[0] == provider]
    return [urlsplit(origin).hostname or "" for origin in origins]


def _known(provider: str, values: Mapping[str, str]) -> dict[str, str]:
    names = [field.name for field in PROVIDERS[provider].fields]
    return {name: str(values.get(name) or "").strip() for name in names}


def _held(connection: Connection) -> dict[str, str]:
    held = connection.credentials_sealed
    return held if isinstance(held, dict) else {}
