"""The API of messages and links."""

from django.urls import URLPattern, URLResolver

app_name = "videos_api"
urlpatterns: list[URLPattern | URLResolver] = []
