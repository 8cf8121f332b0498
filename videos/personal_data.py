"""What does this storey hold of people, and how does it go? Videos, links and plays."""

import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import DateTimeField, Exists, F, Max, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from accounts import audit, keys
from config.lib.inventory import DEFAULT_DAYS, TECHNICAL, Column, Declarations, Due
from consent.models import Contact
from videos import links, vault
from videos.models import Asset, CodeSent, Device, Extent, Link, Play, Recipient, Render

STAFF = Column("staff", "legitimate interest", "with the row", personal=True)
PSEUDONYM = Column("pseudonym", "legal obligation", "keep", personal=True)
PRESENTER = Column("likeness", "consent", "keep", personal=True)
VIDEO = Column("media", "consent", "asset", personal=True)
SHARED = Column("media", "contract", "campaign_media", personal=False)
LINK = Column("access", "legitimate interest", "link", personal=True)
PLAY = Column("use", "legitimate interest", "play", personal=True)
KEY = Column("key", "legal obligation", "keep", personal=False)
EGRESS = Column("evidence", "legal obligation", "egress", personal=False)
GONE = Asset.State.DELETED


def _as(column: Column, names: str) -> dict[str, Column]:
    return dict.fromkeys(names.split(), column)


DECLARATIONS: Declarations = {
    "videos.campaign": {
        **_as(TECHNICAL, "id partner name sender_name purpose_code channel default_language"),
        **_as(TECHNICAL, "audience link_ttl_hours plays_allowed state created_at started_at"),
        **_as(TECHNICAL, "finished_at worked_at content content_declared content_dismissed"),
        **_as(TECHNICAL, "devices_allowed step_up"),
        # A code of the house's own; the name behind it is sealed in its release.
        "presenter_code": PRESENTER,
        "key": KEY,
        "created_by": STAFF,
    },
    # Its text was searched for people before it was kept.
    "videos.script": _as(TECHNICAL, "id campaign language text updated_at"),
    "videos.sealedobject": {
        **_as(TECHNICAL, "id name state size_bytes sealed_bytes created_at deleted_at"),
        **_as(KEY, "key sha256"),
    },
    "videos.render": {
        **_as(TECHNICAL, "id campaign language script_sha256 connection state vendor_job_id"),
        **_as(TECHNICAL, "vendor_jobs attempts claimed_at stepped_at problem created_at"),
        **_as(TECHNICAL, "finished_at made_by"),
        "presenter_code": PRESENTER,
        **_as(SHARED, "base tail captions slots_ms duration_ms"),
    },
    "videos.egressmanifest": _as(
        EGRESS,
        "id render vendor endpoint region agreement_id attestation_id slots size_bytes"
        " body_sha256 body detectors nonce at",
    ),
    "videos.deletionreceipt": _as(
        EGRESS,
        "id render manifest deleted_at delete_status answer_sha256 observed_absent observed_at"
        " residual_days request_sha256 is_soft",
    ),
    "videos.processoragreement": {
        **_as(EGRESS, "id connection reference document_sha256 clauses sub_processors region"),
        **_as(EGRESS, "signed_on expires_on residual_days created_at ended_at"),
        "recorded_by": STAFF,
    },
    "videos.vendorattestation": {
        **_as(EGRESS, "id connection holds means at"),
        "staff_id": STAFF,
    },
    "videos.incident": _as(EGRESS, "id kind object_type object_id opened_at closed_at"),
    "videos.asset": {
        **_as(TECHNICAL, "id campaign render state created_at delete_at deleted_at attempts"),
        **_as(TECHNICAL, "problem labelled_ai mark_name mark_read_at"),
        **_as(VIDEO, "size_bytes content_sha256 captions_sealed"),
        "contact": PSEUDONYM,
        "key": KEY,
    },
    "videos.extent": _as(VIDEO, "id asset number sealed_object size_bytes"),
    "videos.link": _as(
        LINK,
        "id token_index asset contact message created_at not_before expires_at revoked_at"
        " plays_allowed plays",
    ),
    "videos.device": _as(LINK, "id link created_at admitted_at proved_at"),
    "videos.codesent": _as(LINK, "id device message code_index asked_at expires_at tries used_at"),
    # A part of the network is one of 65,536: thousands of networks share it.
    "videos.misscount": _as(TECHNICAL, "part minute misses"),
    "videos.play": _as(PLAY, "id link device at expires_at"),
    "videos.recipient": {
        **_as(TECHNICAL, "id campaign state request_index attempts"),
        **_as(TECHNICAL, "created_at claimed_at settled_at"),
        **_as(PSEUDONYM, "contact message reason_code"),
    },
}


def export(*, contact_id: uuid.UUID, at: datetime) -> dict[str, object]:
    """Return a person's videos with what is said in them, their links, plays and outcomes."""
    assets = Asset.objects.filter(contact_id=contact_id).order_by("created_at")
    owned = Link.objects.filter(contact_id=contact_id).order_by("created_at")
    plays = Play.objects.filter(link__contact_id=contact_id).order_by("at")
    devices = Device.objects.filter(link__contact_id=contact_id).order_by("pk")
    codes = CodeSent.objects.filter(device__link__contact_id=contact_id).order_by("asked_at")
    outcomes = Recipient.objects.filter(contact_id=contact_id).order_by("created_at")
    return {
        "videos": [
            _video(row, at) for row in assets.select_related("campaign", "render", "key__parent")
        ],
        "links": [_link(row) for row in owned],
        "plays": [{"at": _text(played_at)} for played_at in plays.values_list("at", flat=True)],
        "devices": [_device(row) for row in devices],
        "codes": [_code(row) for row in codes],
        "campaigns": [
            {"campaign": row.campaign.name, "outcome": row.state, "reason": row.reason_code}
            for row in outcomes.select_related("campaign")
        ],
    }


@transaction.atomic
def erase(*, contact_id: uuid.UUID, at: datetime) -> dict[str, int]:
    """Make a person's videos unreadable, end their links, and forget what they played.

    Rows without content stay as evidence, under a random id.
    Law: GDPR Art. 17(1).
    """
    assets = Asset.objects.select_for_update(of=("self",)).filter(contact_id=contact_id)
    erased = [_erase_asset(asset, at) for asset in assets.exclude(state=GONE)]
    contact = Contact.objects.get(pk=contact_id)
    ended = links.revoke_all(contact=contact, at=at, actor=audit.SYSTEM)
    plays, _ = Play.objects.filter(link__contact_id=contact_id).delete()
    CodeSent.objects.filter(device__link__contact_id=contact_id).delete()
    Device.objects.filter(link__contact_id=contact_id).delete()
    return {"videos": len(erased), "links": ended, "plays": plays, "objects": sum(erased)}


def due(*, at: datetime, days: Mapping[str, int]) -> Iterator[Due]:
    """Yield videos, shared media, links and plays past their label."""
    yield from _due_assets(at, days["asset"])
    yield from _due_media(at, timedelta(days=days["campaign_media"]))
    yield from _due_links(at, timedelta(days=days["link"]))
    kept = timedelta(days=days["play"])
    plays = Play.objects.filter(at__lte=at - kept).order_by("pk")
    for pk, contact_id, played_at in plays.values_list("pk", "link__contact_id", "at").iterator():
        yield Due("play", str(pk), contact_id, played_at + kept)


@transaction.atomic
def erase_record(*, record_class: str, object_id: str, at: datetime) -> None:
    """Erase one video, one render's shared media, one link with its plays, or one play."""
    if record_class == "asset":
        held = Asset.objects.select_for_update(of=("self",)).exclude(state=GONE)
        for asset in held.filter(pk=object_id):
            _erase_asset(asset, at)
    elif record_class == "campaign_media":
        for render in Render.objects.select_for_update(of=("self",)).filter(pk=object_id):
            _erase_media(render, at)
    elif record_class == "link":
        Play.objects.filter(link_id=object_id).delete()
        CodeSent.objects.filter(device__link_id=object_id).delete()
        Device.objects.filter(link_id=object_id).delete()
        Link.objects.filter(pk=object_id).delete()
    elif record_class == "play":
        Play.objects.filter(pk=object_id).delete()


def _erase_asset(asset: Asset, at: datetime) -> int:
    """Destroy a video's key, then its own bytes; return how many objects go."""
    if asset.key is not None:
        keys.destroy(key=asset.key, at=at)
    extents = Extent.objects.filter(asset=asset).select_related("sealed_object")
    own = [row.sealed_object for row in extents if row.sealed_object.key_id == asset.key_id]
    extents.delete()
    for sealed_object in own:
        vault.remove(sealed_object=sealed_object, at=at)
    asset.state, asset.deleted_at, asset.captions_sealed = GONE, at, None
    asset.content_sha256, asset.size_bytes = "", 0
    asset.save()
    audit.record(
        action="videos.asset.deleted",
        at=at,
        actor=audit.SYSTEM,
        subject_id=asset.contact_id,
        object_type="videos.asset",
        object_id=str(asset.pk),
        details={"objects": len(own)},
    )
    return len(own)


def _erase_media(render: Render, at: datetime) -> None:
    """Remove what all videos of a render shared; with the campaign's last, its key."""
    parts = [part for part in (render.base, render.tail) if part is not None]
    render.base = render.tail = None
    render.captions = ""
    render.save(update_fields=["base", "tail", "captions"])
    for part in parts:
        vault.remove(sealed_object=part, at=at)
    still = Q(base__isnull=False) | Q(tail__isnull=False)
    if not Render.objects.filter(still, campaign=render.campaign_id).exists():
        keys.destroy(key=render.campaign.key, at=at)
    audit.record(
        action="videos.media.deleted",
        at=at,
        actor=audit.SYSTEM,
        object_type="videos.render",
        object_id=str(render.pk),
        details={"objects": len(parts)},
    )


def _due_assets(at: datetime, kept_days: int) -> Iterator[Due]:
    # A video ends with its key at the latest; a shorter label, counted from its last link, wins.
    last_link = Link.objects.filter(asset=OuterRef("pk")).order_by().values("asset")
    ends = Coalesce(
        Subquery(last_link.annotate(last=Max("expires_at")).values("last")),
        F("delete_at") - timedelta(days=DEFAULT_DAYS["asset"]),
        output_field=DateTimeField(),
    )
    kept = timedelta(days=kept_days)
    rows = Asset.objects.exclude(state=GONE).annotate(ends_at=ends).order_by("delete_at", "pk")
    past = rows.filter(Q(delete_at__lte=at) | Q(ends_at__lte=at - kept))
    columns = ("pk", "contact_id", "delete_at", "ends_at")
    for pk, contact_id, delete_at, ends_at in past.values_list(*columns).iterator():
        yield Due("asset", str(pk), contact_id, min(delete_at, ends_at + kept))


def _due_media(at: datetime, kept: timedelta) -> Iterator[Due]:
    in_use = Asset.objects.filter(render=OuterRef("pk")).exclude(state=GONE)
    held = Render.objects.filter(Q(base__isnull=False) | Q(tail__isnull=False))
    past = held.filter(~Exists(in_use), campaign__finished_at__lte=at - kept)
    for pk, ended_at in past.order_by("pk").values_list("pk", "campaign__finished_at").iterator():
        if ended_at is not None:
            yield Due("campaign_media", str(pk), None, ended_at + kept)


def _due_links(at: datetime, kept: timedelta) -> Iterator[Due]:
    ended = Link.objects.annotate(ended_at=Coalesce("revoked_at", "expires_at"))
    past = ended.filter(ended_at__lte=at - kept).order_by("pk")
    for pk, contact_id, ended_at in past.values_list("pk", "contact_id", "ended_at").iterator():
        yield Due("link", str(pk), contact_id, ended_at + kept)


def _video(asset: Asset, at: datetime) -> dict[str, object]:
    return {
        "id": asset.public_id,
        "campaign": asset.campaign.name,
        "sender": asset.campaign.sender_name,
        "language": asset.render.language,
        "state": asset.state,
        "made_at": _text(asset.created_at),
        "delete_at": _text(asset.delete_at),
        "captions": _captions(asset, at),
    }


def _captions(asset: Asset, at: datetime) -> str | None:
    if asset.key is None or asset.captions_sealed is None:
        return None
    context, sealed = f"videos_asset.captions:{asset.pk}", bytes(asset.captions_sealed)
    try:
        return keys.unseal(key=asset.key, sealed=sealed, context=context, at=at).decode()
    except keys.KeyRefused:
        return None


def _link(link: Link) -> dict[str, object]:
    return {
        "id": link.public_id,
        "opens_at": _text(link.not_before),
        "expires_at": _text(link.expires_at),
        "revoked_at": _text(link.revoked_at),
        "plays": link.plays,
        "plays_allowed": link.plays_allowed,
    }


def _device(row: Device) -> dict[str, object]:
    return {
        "first_seen_at": _text(row.created_at),
        "admitted_at": _text(row.admitted_at),
        "proved_at": _text(row.proved_at),
    }


def _code(row: CodeSent) -> dict[str, object]:
    return {"asked_at": _text(row.asked_at), "used_at": _text(row.used_at), "tries": row.tries}


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
