"""Which address leads where? Apps are named by string only."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("accounts.urls")),
    path("", include("videos.urls_public")),
    path("", include("consent.urls_public")),
    path("", include("consent.urls_choices")),
    path("", include("videos.urls")),
    path("", include("consent.urls")),
    path("", include("integrations.urls")),
    path("accounts/", include("allauth.urls")),
    path("api/v1/", include("accounts.urls_api")),
    path("api/v1/", include("consent.urls_api")),
    path("api/v1/", include("videos.urls_api")),
    path("admin/", include("retention.urls")),
    path("admin/", admin.site.urls),
]

# Refusals outside of a view: the API answers with a problem, everything else with a page.
handler400 = "accounts.error_views.bad_request"
handler403 = "accounts.error_views.permission_denied"
handler404 = "accounts.error_views.page_not_found"
handler500 = "accounts.error_views.server_error"
