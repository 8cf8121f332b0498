"""Sign-up, confirmation and stop, for a person without an account."""

from django.urls import URLPattern, URLResolver

app_name = "join"
urlpatterns: list[URLPattern | URLResolver] = []
