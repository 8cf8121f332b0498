"""Print the sign-in code that a person of the demo would read off their phone now."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from retention import welcome


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", nargs="?", default="officer@sealcast.example")

    def handle(self, *_args: Any, email: str, **_options: Any) -> None:
        code = welcome.one_time_code(email=email)
        if code is None:
            raise CommandError("Only the people of the demo have codes here. Nothing was changed.")
        self.stdout.write(code)
