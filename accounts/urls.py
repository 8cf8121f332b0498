"""The home page, the health of the house, API clients, and where partners fetch their tokens."""

from django.urls import path

from accounts import api, api_views, partner_views, views

app_name = "accounts"
urlpatterns = [
    path("", views.home, name="home"),
    path("limits/", views.limits, name="limits"),
    path("livez", views.livez, name="livez"),
    path("readyz", views.readyz, name="readyz"),
    path("partners/", partner_views.partner_list, name="partners"),
    path("partners/<uuid:partner_id>/", partner_views.partner_page, name="partner"),
    path("partners/<uuid:partner_id>/switch/", partner_views.partner_switch, name="partner_switch"),
    path("partners/clients/<str:client_id>/revoke/", partner_views.client_revoke, name="revoke"),
    # Of allauth's OpenID provider these two doors only: no user ever signs in by it.
    path(api.TOKEN_URL.lstrip("/"), api_views.TokenView.as_view(), name="token"),
    path("identity/o/api/revoke", api_views.RevokeView.as_view(), name="token_revoke"),
]
