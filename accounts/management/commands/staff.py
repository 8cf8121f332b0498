"""Take in a member of staff; print once the password and the second factor they begin with."""

import secrets
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts import people
from accounts.models import User
from config.lib import clock


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--role", required=True, choices=User.Role.values)
        parser.add_argument("--name", default="")

    @transaction.atomic
    def handle(self, *_args: Any, email: str, role: str, name: str, **_options: Any) -> None:
        now, password = clock.now(), secrets.token_urlsafe(15)
        try:
            user = people.create_staff(email=email, name=name, role=role, password=password, at=now)
        except people.AlreadyKnown:
            raise CommandError(
                "Somebody with this e-mail address works here already. Nothing was changed."
            ) from None
        factor = people.add_second_factor(user=user, at=now)
        self.stdout.write(
            "Hand these over in person; they are not shown again.\n"
            f"  password        {password}\n"
            f"  authenticator   {factor.totp_secret}\n"
            f"  recovery codes  {' '.join(factor.recovery_codes)}"
        )
