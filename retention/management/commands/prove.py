"""Write one person's whole chain to a file that `verify_proof.py` checks."""

import getpass
import json
import sys
import uuid
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Partner
from config.lib import clock, ids
from consent import contacts
from consent.models import Contact
from retention import proof


class Command(BaseCommand):
    help = "Write one person's whole chain to a file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("contact", nargs="?", help="con_... or the id of the row")
        # An address on the command line would stand in the list of processes.
        parser.add_argument("--email", action="store_true", help="ask for an e-mail address")
        parser.add_argument("--phone", action="store_true", help="ask for a phone number")
        parser.add_argument("--out", type=Path, required=True, help="the file to write")

    def handle(self, **options: Any) -> None:
        document = proof.build(contact=_contact(options), at=clock.now())
        options["out"].write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
        self.stdout.write(
            f"Wrote {options['out']}. Check it: python verify_proof.py {options['out']}"
        )


def _contact(options: dict[str, Any]) -> Contact:
    if options["email"] or options["phone"]:
        return _by_address("email" if options["email"] else "phone")
    text = options["contact"] or ""
    try:
        wanted = ids.parse("con", text) if text.startswith("con_") else uuid.UUID(text)
        return Contact.objects.get(pk=wanted)
    except (ids.NotAnId, ValueError):
        raise CommandError("Name a contact by con_..., or use --email or --phone.") from None
    except Contact.DoesNotExist:
        raise CommandError("There is no such contact.") from None


def _by_address(field: str) -> Contact:
    asked = getpass.getpass if sys.stdin.isatty() else _line
    value = asked(f"{field}: ").strip()
    realms: list[Partner | None] = [None, *Partner.objects.all()]
    try:
        found = [contacts.find(partner=partner, **{field: value}) for partner in realms]
    except contacts.NotAContact:
        raise CommandError("That is no such address.") from None
    known = [contact for contact in found if contact]
    if len(known) != 1:
        raise CommandError(f"{len(known)} contacts have this address; name one by con_...")
    return known[0]


def _line(_prompt: str) -> str:
    return sys.stdin.readline()
