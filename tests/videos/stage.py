"""What do the tests of links and campaigns stand on? A person, a campaign, a sealed video."""

import hashlib
import io
import uuid
from datetime import UTC, datetime, timedelta

from accounts import audit, keys
from accounts.models import DataKey, Partner
from consent import contacts, ledger, purposes
from consent.models import Contact
from integrations import connections
from videos import links, vault
from videos.anonymisation import anonymise
from videos.models import Asset, Campaign, Extent, Link, Render, Script, SealedObject

# A Tuesday noon in Europe: no quiet hours stand in the way.
AT = datetime(2026, 6, 2, 10, 0, tzinfo=UTC)
HEAD = b"".join(hashlib.sha256(f"head {n}".encode()).digest() for n in range(4000))
TAIL = b"".join(hashlib.sha256(f"tail {n}".encode()).digest() for n in range(6000))
WHOLE = HEAD + TAIL
# What the button of a form adds to it.
TAP = {"gesture": "tap"}
TEXT = "Hello {{ name }}. Spring is here."
CAPTIONS = "WEBVTT\n\n00:00.000 --> 00:02.000\nHello Zoë, this is for you.\n"


def person(
    *,
    name: str = "Zoë Ångström",
    email: str = "zoe@example.org",
    phone: str = "+4915112345678",
    language: str = "en",
    partner: Partner | None = None,
    country: str = "DE",
    at: datetime = AT,
) -> Contact:
    purposes.ensure_defaults(at=AT - timedelta(days=1))
    return contacts.register(
        partner=partner,
        name=name,
        email=email,
        phone=phone,
        language=language,
        time_zone="Europe/Berlin",
        country=country,
        attributes={"company": "Nordlicht"},
        source="form",
        at=at,
        actor=audit.SYSTEM,
    )


def agreed(contact: Contact, *, channel: str = "email", at: datetime = AT) -> Contact:
    notice = purposes.notice(
        purpose=purposes.current("marketing", at), language="en", text="May we write?", at=at
    )
    for kind in ("given", "confirmed"):
        ledger.record(
            contact=contact,
            purpose_code="marketing",
            channel=channel,
            kind=kind,
            act="checkbox",
            source="form",
            at=at,
            actor=audit.Actor("recipient", str(contact.pk)),
            notice=notice,
            evidence={"ip": "192.0.2.7"},
        )
    return contact


def campaign(
    *, channel: str = "email", partner: Partner | None = None, state: str = "ready"
) -> Campaign:
    number = uuid.uuid4()
    return Campaign.objects.create(
        id=number,
        partner=partner,
        key=keys.create(scope=DataKey.Scope.CAMPAIGN, owner_id=number, at=AT),
        name="Spring",
        sender_name="Aurora Travel",
        purpose_code="marketing",
        channel=channel,
        state=state,
        created_at=AT,
    )


def rendered(made: Campaign, *, language: str = "en", tail: bytes = TAIL) -> Render:
    _, video = connections.ensure_local(at=AT)
    Script.objects.get_or_create(
        campaign=made, language=language, defaults={"text": TEXT, "updated_at": AT}
    )
    return Render.objects.create(
        campaign=made,
        language=language,
        script_sha256=anonymise(script_text=TEXT, language=language).sha256,
        connection=video,
        state=Render.State.DONE,
        tail=stored(made.key, tail),
        duration_ms=9600,
        created_at=AT,
    )


def stored(key: DataKey, data: bytes) -> SealedObject:
    return vault.store(key=key, data=io.BytesIO(data), at=AT)


def asset(contact: Contact, made: Campaign, *, head: bytes = HEAD, at: datetime = AT) -> Asset:
    render = Render.objects.filter(campaign=made).first() or rendered(made)
    assert render.tail is not None
    ends = at + timedelta(days=30)
    number = uuid.uuid4()
    key = keys.create(
        scope=DataKey.Scope.ASSET, owner_id=number, at=at, delete_at=ends, parent=contact.key
    )
    captions = keys.seal(
        key=key, plaintext=CAPTIONS.encode(), context=f"videos_asset.captions:{number}", at=at
    )
    row = Asset.objects.create(
        id=number,
        contact=contact,
        campaign=made,
        render=render,
        key=key,
        state=Asset.State.READY,
        size_bytes=len(head) + len(TAIL),
        content_sha256=hashlib.sha256(head + TAIL).hexdigest(),
        captions_sealed=captions,
        labelled_ai=True,
        mark_name=f"urn:c2pa:{number}",
        mark_read_at=at,
        created_at=at,
        delete_at=ends,
    )
    mine = stored(key, head)
    Extent.objects.create(asset=row, number=0, sealed_object=mine, size_bytes=len(head))
    assert render.tail is not None
    Extent.objects.create(asset=row, number=1, sealed_object=render.tail, size_bytes=len(TAIL))
    return row


def link(
    *, contact: Contact | None = None, plays_allowed: int = 3, at: datetime = AT
) -> tuple[Link, str]:
    who = contact or person()
    return links.mint(
        asset=asset(who, campaign(), at=at),
        contact=who,
        not_before=at,
        expires_at=at + timedelta(days=7),
        plays_allowed=plays_allowed,
        at=at,
    )
