"""Does each person's video tell machines that AI made it? Signed last, read again where it lies."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache

from django.conf import settings

from config.lib import content_signer, provenance
from config.lib.content_signer import ContentSigner
from config.lib.provenance import NotMarked
from videos import vault
from videos.compositing import Composite
from videos.models import Render, SealedObject

__all__ = ["NotMarked", "read", "read_stored", "signed"]

NAME = "Sealcast"


def signed(*, composite: Composite, render: Render, at: datetime) -> Composite:
    """Put the signed manifest into the head of a finished video; nothing may change it after.

    It names who made what and when, and nothing of the person.
    :raises NotMarked: it cannot be signed, or everybody's part would not stay the same.
    Law: EU AI Act Art. 50(2); SB 942 (California), latent disclosure.
    """
    head = provenance.sign(
        head=composite.head, tail=composite.tail, manifest=manifest(render, at), signer=_signer()
    )
    return replace(composite, head=head)


def read_stored(*, head: SealedObject, tail: SealedObject | None, at: datetime) -> str:
    """Open a stored video's parts, check its mark over every byte, and return the mark's name.

    :raises NotMarked: there is none, it is another's, or a stored byte differs.
    """
    return _name_of([_part(one, at) for one in (head, tail) if one is not None])


def read(*, parts: Sequence[bytes]) -> str:
    """Check the mark of a video that was opened already, and return the mark's name.

    :raises NotMarked: as `read_stored`.
    """
    return _name_of([_held(part) for part in parts])


def _name_of(parts: Sequence[tuple[int, provenance.Read]]) -> str:
    mark = provenance.check(parts=parts, signer=_signer())
    if provenance.COMPOSITE not in mark.sources:
        raise NotMarked("the mark does not say that AI took part")
    return mark.name


def manifest(render: Render, at: datetime) -> dict[str, object]:
    """Return what a mark says: by whom it was made, then personalised here; nobody's name."""
    made: dict[str, object] = {"action": "c2pa.created", "digitalSourceType": _source_of(render)}
    if render.connection is not None:
        made["softwareAgent"] = {"name": render.connection.provider}
    personalised = {
        "action": "c2pa.edited",
        "digitalSourceType": provenance.COMPOSITE,
        "softwareAgent": {"name": NAME, "version": settings.VERSION},
        "when": at.replace(second=0, microsecond=0).isoformat(),
    }
    return {
        "claim_generator_info": [{"name": NAME, "version": settings.VERSION}],
        "format": provenance.FORMAT,
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [made, personalised]}}],
    }


def _source_of(render: Render) -> str:
    by_people = render.made_by == Render.MadeBy.HUMAN
    return provenance.CREATED if by_people else provenance.GENERATED


def _part(row: SealedObject, at: datetime) -> tuple[int, provenance.Read]:
    def read(start: int, end: int) -> bytes:
        return b"".join(vault.read_range(sealed_object=row, start=start, end=end, at=at))

    return row.size_bytes, read


def _held(data: bytes) -> tuple[int, provenance.Read]:
    return len(data), lambda start, end: data[start:end]


def _signer() -> ContentSigner:
    try:
        return _loaded()
    except content_signer.SignerUnavailable as problem:
        raise NotMarked(f"the content signer is {problem}") from None


@cache
def _loaded() -> ContentSigner:
    return content_signer.load(path=settings.CONTENT_SIGNER_FILE)
