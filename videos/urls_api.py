"""The API of messages and links."""

from django.urls import URLPattern, URLResolver, path

from videos import api

app_name = "videos_api"
urlpatterns: list[URLPattern | URLResolver] = [
    path("campaigns", api.CampaignsView.as_view(), name="campaigns"),
    path("messages", api.MessagesView.as_view(), name="messages"),
    path("messages/<str:message_name>", api.MessageView.as_view(), name="message"),
    path("links/<str:link_name>/revoke", api.RevocationView.as_view(), name="revoke"),
]
