"""Which accounts at AI vendors do the tests have? Of nobody, at stand-ins on this machine."""

from typing import Any

from config.lib import canonical
from integrations.models import Connection
from integrations.video import providers
from tests.simulators import did, heygen, synthesia, tavus
from tests.simulators.studios import KEY, StudioSimulator

SECRET, SIGNING = "s" * 43, "signing-secret"
COMMON = {"api_key": KEY, "webhook_secret": SECRET, "signing_secret": SIGNING}
VENDORS: dict[str, tuple[type[StudioSimulator], dict[str, str]]] = {
    "heygen": (heygen.HeyGenSimulator, {**COMMON, "template_id": heygen.TEMPLATE}),
    "synthesia": (synthesia.SynthesiaSimulator, {**COMMON, "template_id": "t-1"}),
    "tavus": (tavus.TavusSimulator, {**COMMON, "replica_id": "r1"}),
    "did": (
        did.DidSimulator,
        {
            **COMMON,
            "api_key": did.USER_AND_KEY,
            "source_url": "https://example.org/presenter.jpg",
            "voice_id": "en-US-JennyNeural",
        },
    ),
}
SIGNED = ("heygen", "synthesia")
WORDS = "This part is for everybody."


def body(*items: dict[str, Any]) -> bytes:
    """Return an anonymous request as the door makes it."""
    kept = list(items) or [{"slot": "s1", "ms": 3000}, {"speech": WORDS}]
    return canonical.encode({"language": "en", "width": 1280, "height": 720, "items": kept})


def adapter(name: str, **changes: str) -> Any:
    """Return the adapter of an account that is not in the database."""
    held = {**VENDORS[name][1], **changes}
    return providers.provider_for(Connection(provider=name, credentials_sealed=held))
