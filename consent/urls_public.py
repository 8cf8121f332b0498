"""Sign-up, confirmation and stop, for a person without an account."""

from django.urls import URLPattern, URLResolver, path

from consent import public_views

app_name = "join"
urlpatterns: list[URLPattern | URLResolver] = [
    path("join/asked", public_views.asked, name="asked"),
    path("join/confirmed", public_views.confirmed, name="confirmed"),
    path("join/confirm/<str:token>", public_views.confirm, name="confirm"),
    path("join/<slug:code>", public_views.join, name="join"),
]
