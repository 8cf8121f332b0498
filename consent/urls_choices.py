"""A person's own choices, behind a link that is theirs."""

from django.urls import URLPattern, URLResolver, path

from consent import choice_views

app_name = "choices"
ONE = "choices/<str:token>"
urlpatterns: list[URLPattern | URLResolver] = [
    path(ONE, choice_views.page, name="page"),
    path(f"{ONE}/stop", choice_views.stop, name="stop"),
    path(f"{ONE}/allow", choice_views.allow, name="allow"),
    path(f"{ONE}/allow/<slug:purpose>/<slug:channel>", choice_views.allow, name="allow_one"),
    path(f"{ONE}/receipt", choice_views.receipt_page, name="receipt"),
    path(f"{ONE}/receipt.json", choice_views.receipt_file, name="receipt_file"),
]
