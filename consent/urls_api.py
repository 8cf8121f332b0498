"""The API of contacts and consent."""

from django.urls import URLPattern, URLResolver, path

from consent import api, consents_api

app_name = "consent_api"
urlpatterns: list[URLPattern | URLResolver] = [
    path("contacts", api.ContactsView.as_view(), name="contacts"),
    path("contacts/<str:contact_name>", api.ContactView.as_view(), name="contact"),
    path(
        "contacts/<str:contact_name>/consent-record",
        consents_api.RecordView.as_view(),
        name="record",
    ),
    path("consents", consents_api.ConsentsView.as_view(), name="consents"),
    path("consents/forms", consents_api.FormsView.as_view(), name="forms"),
    path("consents/withdraw", api.WithdrawalView.as_view(), name="withdraw"),
]
