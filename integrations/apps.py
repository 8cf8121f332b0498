"""Connections to other systems."""

from django.apps import AppConfig

from integrations import providers, vendors


class IntegrationsConfig(AppConfig):
    name = "integrations"
    verbose_name = "Connections to other systems"

    def ready(self) -> None:
        providers.require_facts(elsewhere=vendors.TABLE)
        vendors.require_facts()
