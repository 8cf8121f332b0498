"""Ask an account at a provider whether it works; nothing is sent to anybody."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.lib import clock
from integrations import connections
from integrations.models import Connection


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("act", choices=["test"])
        parser.add_argument("name", help="a provider such as twilio, or the name of a connection")

    def handle(self, *_args: Any, name: str, **_options: Any) -> None:
        rows = Connection.objects.filter(provider=name) or Connection.objects.filter(label=name)
        if not rows:
            raise CommandError(f"There is no connection of {name}. Nothing was asked.")
        failed = 0
        for row in rows:
            connections.check(connection=row, at=clock.now())
            failed += bool(row.problem)
            self.stdout.write(f"{row.public_id}  {row.label}: {row.problem or 'answers'}")
        if failed:
            raise CommandError(f"{failed} of {len(rows)} do not answer as they should.")
