"""What is a language called? Its tag is for machines."""

from django.utils.translation import get_language_info


def name(tag: str) -> str:
    """Return the English name of a BCP-47 tag, or that of its language alone, or the bare tag."""
    for known in (tag.lower(), tag.partition("-")[0].lower()):
        try:
            return str(get_language_info(known)["name"])
        except KeyError:
            continue
    return tag
