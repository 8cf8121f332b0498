"""Sign-up, confirmation and stop, for a person without an account."""

from django.urls import URLPattern, URLResolver, path

from consent import one_click_views, public_views, sign_up_views, signal_views

app_name = "join"
urlpatterns: list[URLPattern | URLResolver] = [
    path("join/asked", sign_up_views.asked, name="asked"),
    path("join/confirmed", public_views.confirmed, name="confirmed"),
    path("join/confirmed/<str:token>", public_views.confirmed, name="confirmed"),
    path("join/confirm/<str:token>", public_views.confirm, name="confirm"),
    path("join/one-click/<str:token>", one_click_views.one_click_stop, name="one_click"),
    path(".well-known/gpc.json", signal_views.gpc, name="gpc"),
    path("join/f/<slug:slug>", sign_up_views.hosted, name="hosted"),
    path("join/f/<slug:slug>/embed", sign_up_views.embedded, name="embed"),
    path("join/f/<slug:slug>/embed/asked", sign_up_views.embed_asked, name="embed_asked"),
    path("join/<slug:code>", sign_up_views.join, name="join"),
]
