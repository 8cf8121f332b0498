"""Which languages can a script be written in, and what are they called?"""

from config.lib import languages

NAMES = {
    "en": "English",
    "ar": "Arabic",
    "zh": "Chinese",
    "nl": "Dutch",
    "fr": "French",
    "de": "German",
    "hi": "Hindi",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "pl": "Polish",
    "pt": "Portuguese",
    "es": "Spanish",
    "tr": "Turkish",
}
CHOICES = list(NAMES.items())


def name(tag: str) -> str:
    """Return what a language is called: its own name, its parent's, or the bare tag."""
    found = NAMES.get(tag) or NAMES.get(tag.partition("-")[0])
    return found or languages.name(tag)
