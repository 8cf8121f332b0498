"""Whom does somebody at the terminal mean? A person by id, or by an address that is asked for."""

import getpass
import sys
import uuid
from typing import Any

from django.core.management.base import CommandError, CommandParser

from accounts.models import Partner
from config.lib import ids
from consent import contacts
from consent.models import Contact


def add_arguments(parser: CommandParser) -> None:
    """Let a command name one person."""
    parser.add_argument("contact", nargs="?", help="con_... or the id of the row")
    # An address on the command line would stand in the list of processes.
    parser.add_argument("--email", action="store_true", help="ask for an e-mail address")
    parser.add_argument("--phone", action="store_true", help="ask for a phone number")


def chosen(options: dict[str, Any]) -> Contact:
    """Return the person that a command names.

    :raises CommandError: there is none, or more than one.
    """
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
