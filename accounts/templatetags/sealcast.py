"""What do all templates need that Django has not: navigation, pictures, states, units?"""

from collections.abc import Sequence
from typing import Any

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from config.lib import icons

register = template.Library()


@register.simple_tag
def nav_url(name: str) -> str:
    # A page that is not installed leaves no link behind, and never breaks the page that names it.
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


@register.simple_tag(takes_context=True)
def is_under(context: template.Context, url: str) -> bool:
    request = context.get("request")
    return bool(url) and request is not None and request.path.startswith(url)


@register.simple_tag
def icon(name: str) -> SafeString:
    return format_html(
        '<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="{}"/></svg>',
        icons.PATHS.get(name, icons.PATHS["dot"]),
    )


@register.filter
def look(state: object) -> icons.Look:
    return icons.look(str(state))


@register.filter
def at(values: Sequence[Any], index: int) -> Any:
    return values[index] if index < len(values) else ""


@register.filter
def percent_of(part: float | None, whole: float | None) -> int:
    return round(100 * (part or 0) / whole) if whole else 0


@register.filter
def tenth(percent: int) -> int:
    # A screen reader hears each tenth once, not every change.
    return percent // 10 * 10


@register.filter
def duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    whole = round(seconds)
    for unit_seconds, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if whole >= unit_seconds * 2:
            return f"{whole // unit_seconds} {unit}"
    return f"{whole} s"
