"""Contacts, imports and consent, for marketers."""

from django.urls import URLPattern, URLResolver, path

from consent import form_views, import_views, views

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
    path("forms/", form_views.form_list, name="forms"),
    path("forms/new/", form_views.form_new, name="form_new"),
    path("forms/<uuid:form_id>/", form_views.form_page, name="form"),
    path("forms/<uuid:form_id>/edit/", form_views.form_edit, name="form_edit"),
    path("forms/<uuid:form_id>/preview/", form_views.form_preview, name="form_preview"),
    path("forms/<uuid:form_id>/publish/", form_views.form_publish, name="form_publish"),
    path("forms/<uuid:form_id>/close/", form_views.form_close, name="form_close"),
    path("contacts/<uuid:contact_id>", views.contact_page, name="contact"),
    path("contacts/<uuid:contact_id>/ask", views.contact_ask, name="ask"),
]
