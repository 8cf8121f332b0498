"""The API: its description and who am I."""

from django.urls import path

from accounts import api_views, views

app_name = "api"
urlpatterns = [
    path("openapi.json", views.OpenApiView.as_view(), name="openapi"),
    path("docs/", views.api_docs, name="docs"),
    path("problems/", views.api_problems, name="problems"),
    path("me", api_views.MeView.as_view(), name="me"),
]
