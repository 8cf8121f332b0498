"""Contacts, imports and consent, for marketers."""

from django.urls import URLPattern, URLResolver, path

from consent import import_views, views

app_name = "consent"
urlpatterns: list[URLPattern | URLResolver] = [
    path("contacts/", views.contact_list, name="contacts"),
    path("contacts/search", views.contact_search, name="search"),
    path("contacts/evidence/", import_views.evidence_list, name="evidence"),
    path("contacts/imports/", import_views.import_list, name="imports"),
    path("contacts/imports/<uuid:batch_id>", import_views.import_page, name="import"),
    path(
        "contacts/imports/<uuid:batch_id>/progress",
        import_views.import_progress,
        name="import_progress",
    ),
    path(
        "contacts/imports/<uuid:batch_id>/commit", import_views.import_commit, name="import_commit"
    ),
    path(
        "contacts/imports/<uuid:batch_id>/discard",
        import_views.import_discard,
        name="import_discard",
    ),
    path(
        "contacts/imports/<uuid:batch_id>/problems.csv",
        import_views.import_problems,
        name="import_problems",
    ),
    path("contacts/<uuid:contact_id>", views.contact_page, name="contact"),
    path("contacts/<uuid:contact_id>/ask", views.contact_ask, name="ask"),
]
