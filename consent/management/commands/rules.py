"""Look at the law the house keeps: check the packs, list them, explain a person's case."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from consent import rule_tests, rulebook
from consent.rulebook import BadRule


class Command(BaseCommand):
    help = "Look at the law the house keeps."

    def add_arguments(self, parser: CommandParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        acts.add_parser("check", help="read every pack and run the tests of its rules")

    def handle(self, **options: Any) -> None:
        getattr(self, f"_{options['act']}")(options)

    def _check(self, _options: dict[str, Any]) -> None:
        try:
            book = rulebook.book()
            failed = list(rule_tests.failures(book))
        except BadRule as fault:
            raise CommandError(f"Nothing is sent on half a law: {fault}") from None
        for row in failed:
            self.stdout.write(f"{row.rule}: {row.test}\n    came to: {row.found}")
        tests = sum(len(rule.tests) for rule in book.rules)
        self.stdout.write(
            f"{len(book.rules)} rules of {len(book.countries)} countries, "
            f"{tests} tests, {len(failed)} failed; version {book.version[:16]}"
        )
        if failed:
            raise CommandError("Some rules do not say what was meant.")
