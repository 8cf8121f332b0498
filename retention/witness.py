"""Was the trail cut at its end, or put back to an older state? Its head, noted beside the database.

A chain shows what was changed within it; that its newest blocks are gone shows only to someone
who saw them. Each check leaves the head it saw in a file, and looks for it the next time.
"""

from pathlib import Path

from django.conf import settings

from accounts.models import TrailSeal

FOLDER = "witness"


def fault() -> str:
    """Say what is wrong with the trail's end since the last look; empty if nothing is."""
    first = TrailSeal.objects.order_by("number").first()
    seen = (
        _file(first).read_text(encoding="utf-8").split() if first and _file(first).exists() else []
    )
    if not seen:
        return ""
    there = TrailSeal.objects.filter(number=int(seen[0])).values_list("seal_hash", flat=True)
    if there.first() == seen[1]:
        return ""
    return f"block {seen[0]}: was seen by an earlier check, and is gone or another one now"


def note_head() -> None:
    """Leave the newest block's number and hash for the next look."""
    first, head = TrailSeal.objects.order_by("number").first(), TrailSeal.objects.last()
    if first is None or head is None:
        return
    _file(first).parent.mkdir(mode=0o700, exist_ok=True)
    draft = _file(first).with_suffix(".new")
    draft.write_text(f"{head.number} {head.seal_hash}\n", encoding="utf-8")
    draft.replace(_file(first))


def _file(first: TrailSeal) -> Path:
    # One home may have served another database: each trail is known by its first block.
    return Path(settings.HOME) / FOLDER / first.seal_hash[:32]
