"""Retention and proof."""

import gc

from django.apps import AppConfig


class RetentionConfig(AppConfig):
    name = "retention"
    verbose_name = "Retention and proof"

    def ready(self) -> None:
        # The last of our apps. What is loaded by now stays as long as the process: to look through
        # it for garbage again and again was a twelfth of the work of sending a message.
        gc.freeze()
