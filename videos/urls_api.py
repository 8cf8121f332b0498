"""The API of campaigns, messages and links."""

from django.urls import URLPattern, URLResolver, path

from videos import api, campaign_api, upload_api

app_name = "videos_api"
urlpatterns: list[URLPattern | URLResolver] = [
    path("campaigns", campaign_api.CampaignsView.as_view(), name="campaigns"),
    path("campaigns/<str:campaign_name>", campaign_api.CampaignView.as_view(), name="campaign"),
    path(
        "campaigns/<str:campaign_name>/content",
        campaign_api.ContentView.as_view(),
        name="content",
    ),
    path(
        "campaigns/<str:campaign_name>/video",
        upload_api.UploadView.as_view(),
        name="upload",
    ),
    path("messages", api.MessagesView.as_view(), name="messages"),
    path("messages/<str:message_name>", api.MessageView.as_view(), name="message"),
    path("links/<str:link_name>/revoke", api.RevocationView.as_view(), name="revoke"),
]
