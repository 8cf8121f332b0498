"""The API of contacts and consent."""

from django.urls import URLPattern, URLResolver, path

from consent import api

app_name = "consent_api"
urlpatterns: list[URLPattern | URLResolver] = [
    path("contacts", api.ContactsView.as_view(), name="contacts"),
    path("contacts/<str:contact_name>", api.ContactView.as_view(), name="contact"),
    path("consents", api.ConsentsView.as_view(), name="consents"),
    path("consents/withdraw", api.WithdrawalView.as_view(), name="withdraw"),
]
