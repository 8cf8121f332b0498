"""Make the demo's people, campaign and sign-ins, once; keep what is there."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.lib import clock
from retention import seeding


class Command(BaseCommand):
    help = __doc__ or ""

    def handle(self, *_args: Any, **_options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("SEALCAST_DEMO is off: a demo is not seeded. Nothing was changed.")
        made = seeding.seed(at=clock.now(), say=lambda line: self.stdout.write(f"  {line} ..."))
        self.stdout.write("The demo is ready." if made else "The demo is there; it was kept.")
