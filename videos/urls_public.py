"""The page of a link and the bytes of its video."""

from django.urls import URLPattern, URLResolver, path

from videos import public_views

app_name = "watch"
urlpatterns: list[URLPattern | URLResolver] = [
    path("v/<str:token>", public_views.page, name="page"),
    path("v/<str:token>/play", public_views.play, name="play"),
    path("v/<str:token>/watch", public_views.watch, name="watch"),
    path("v/<str:token>/stop", public_views.stop, name="stop"),
    path("v/<str:token>/code", public_views.code, name="code"),
    path("v/<str:token>/report", public_views.report, name="report"),
    path("v/<str:token>/receipt", public_views.receipt, name="receipt"),
    path("watch/<str:link_name>/video.mp4", public_views.video, name="video"),
    path("watch/<str:link_name>/captions.vtt", public_views.captions, name="captions"),
]
