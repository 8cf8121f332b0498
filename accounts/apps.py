"""People, roles, partners, keys and the trail."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "People, keys and the trail"
