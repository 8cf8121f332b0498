"""Connections, webhooks and the sandbox phones."""

from django.urls import path

from integrations import crm_views, key_views, oauth_views, template_views, views, webhooks

app_name = "integrations"
urlpatterns = [
    path("connections/", views.connection_list, name="connections"),
    path("connections/<uuid:connection_id>/test/", views.connection_test, name="test"),
    path("connections/<uuid:connection_id>/switch/", views.connection_switch, name="switch"),
    path("connections/<slug:slug>/connect/", oauth_views.connect, name="oauth_connect"),
    path("connections/<slug:slug>/return/", oauth_views.callback, name="oauth_return"),
    path("connections/<slug:slug>/disconnect/", oauth_views.disconnect, name="oauth_disconnect"),
    path("connections/add/<slug:provider>/", key_views.connection_add, name="add"),
    path("connections/<uuid:connection_id>/keys/", key_views.connection_keys, name="keys"),
    path("connections/<uuid:connection_id>/fields/", crm_views.connection_fields, name="fields"),
    path("connections/<uuid:connection_id>/sync/", crm_views.connection_sync, name="sync"),
    path(
        "connections/<uuid:connection_id>/reading/",
        crm_views.connection_reading,
        name="reading",
    ),
    path(
        "connections/<uuid:connection_id>/templates/",
        template_views.template_list,
        name="templates",
    ),
    path(
        "connections/<uuid:connection_id>/templates/part/",
        template_views.template_part,
        name="template_part",
    ),
    path(
        "connections/<uuid:connection_id>/templates/refresh/",
        template_views.template_refresh,
        name="template_refresh",
    ),
    path("phones/", views.phone_list, name="phones"),
    path("phones/news/", views.phone_news, name="phone_news"),
    path("phones/reply/", views.phone_reply, name="phone_reply"),
    path("hooks/<str:secret>/", webhooks.receive, name="webhook"),
]
