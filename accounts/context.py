"""What every template may know of the house."""

from django.conf import settings
from django.http import HttpRequest


def house(request: HttpRequest) -> dict[str, object]:
    return {"version": settings.VERSION, "demo": settings.DEMO}
