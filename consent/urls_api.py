"""The API of contacts and consent."""

from django.urls import URLPattern, URLResolver

app_name = "consent_api"
urlpatterns: list[URLPattern | URLResolver] = []
