"""Which stand-ins answer in the demo, and what opens an account at one? Nothing that is secret.

They are programs of the tests (`tests/simulators`) that `SEALCAST_SIMULATORS=1 make run` starts on
this machine. No page may let one pass for the vendor.
"""

from django.conf import settings

# Made once for the demo: what belongs to it stands in tests/simulators/sendgrid.py, open to all.
VERIFICATION_KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAESGDw4OY/9oN/p2cCXM5FCLj6T1"
    "LGjNjPX07GlBo4YtgL7kDfieU8qhHl0m2FRDgdiRBII41GaxtaPGupyrTZWg=="
)
KEY, SIGNING_SECRET = "key-of-nobody", "signing-of-nobody"
NUMBER = "+14155550199"
TEMPLATE = {"whatsapp_template": "video_ready", "question_template": "please_confirm"}
# What a stand-in takes, by the name of the field.
KEYS: dict[str, dict[str, str]] = {
    "twilio": {
        "account_sid": f"AC{'0' * 32}",
        "auth_token": "12345",
        "sender": NUMBER,
        "whatsapp_sender": NUMBER,
        **TEMPLATE,
    },
    "wati": {"token": "wati-token", **TEMPLATE},
    "gupshup": {
        "api_key": "gupshup-key",
        "app_id": "app-1",
        "app_name": "Demo",
        "source": NUMBER,
        **TEMPLATE,
    },
    "sendgrid": {
        "api_key": "SG.key-of-nobody",
        "sender": "news@example.org",
        "verification_key": VERIFICATION_KEY,
    },
    "heygen": {"api_key": KEY, "template_id": "tpl-1", "signing_secret": SIGNING_SECRET},
    "synthesia": {"api_key": KEY, "template_id": "tpl-1", "signing_secret": SIGNING_SECRET},
    "tavus": {"api_key": KEY, "replica_id": "r-of-nobody"},
    "did": {
        "api_key": f"nobody:{KEY}",
        "source_url": "https://example.org/presenter.jpg",
        "voice_id": "en-US-JennyNeural",
    },
}


def answers(*, provider: str) -> bool:
    """Say whether a stand-in answers for a provider."""
    return provider in settings.SIMULATORS


def reaches_us(*, provider: str) -> bool:
    """Say whether what a provider posts can arrive: its stand-in is on this very machine."""
    return settings.PUBLIC_URL.startswith("https://") or answers(provider=provider)


def keys(*, provider: str) -> dict[str, str]:
    """Return what opens the stand-in of a provider; nothing where the provider itself answers."""
    return KEYS.get(provider, {}) if answers(provider=provider) else {}


def page(*, provider: str, title: str) -> dict[str, str]:
    """Return the stand-in's own page, and the words about it; nothing where there is none."""
    if not answers(provider=provider):
        return {}
    words = f"A stand-in on this machine answers instead of {title}; nothing reaches {title}."
    filled = " Its keys are filled in where an account is added; they open nothing else."
    return {
        "address": f"{settings.SIMULATORS[provider]}/",
        "link": f"Page of the stand-in of {title}",
        "words": f"{words}{filled if provider in KEYS else ''}",
    }
