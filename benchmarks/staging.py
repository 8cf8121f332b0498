"""What does a campaign of a benchmark stand on? A base video that is there, and a faked wire.

Beside `benchmarks/ground.py`, since this needs Django, which that one sets up.
"""

from datetime import datetime
from typing import Protocol

from consent import outbox
from integrations.messaging.base import OutgoingMessage, Sent
from integrations.models import Connection
from integrations.video import studio
from videos import anonymisation, base_media
from videos.models import Campaign, Render


class Wire(Protocol):
    """The provider's side."""

    def send(self, message: OutgoingMessage) -> Sent: ...


class Taking:
    """A provider that takes every message and notes nothing, as a phone network would."""

    def send(self, message: OutgoingMessage) -> Sent:
        return Sent(message.message_id.hex)


def fake(wire: Wire) -> None:
    """Have every message of this process go to a wire; nothing else of the outbox is faked."""
    outbox.provider_for = lambda _connection: wire  # type: ignore[assignment, attr-defined, return-value]


def rendered(
    *, campaign: Campaign, video: Connection, request: studio.StudioRequest, text: str, at: datetime
) -> Render:
    """Produce a film that begins with a slot, seal it as a campaign's base, and call it done."""
    film = studio.produce(request=request)
    first = request.items[0]
    slot_ms = round(first.seconds * 1000) if isinstance(first, studio.Slot) else 0
    slots_ms, length_ms = [[0, slot_ms]], round(film.duration_seconds * 1000)
    delivery = base_media.Delivery(film.data, film.captions_vtt, slots_ms, length_ms)
    base, tail = base_media.seal(delivery=delivery, language="en", key=campaign.key, at=at)
    return Render.objects.create(
        campaign=campaign,
        language="en",
        script_sha256=anonymisation.anonymise(script_text=text, language="en").sha256,
        connection=video,
        state=Render.State.DONE,
        base=base,
        tail=tail,
        captions=film.captions_vtt,
        slots_ms=slots_ms,
        duration_ms=length_ms,
        created_at=at,
        finished_at=at,
    )
