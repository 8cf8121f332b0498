"""Look at the law the house keeps: check the packs, list them, explain a case, judge the past."""

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.lib import clock
from consent import explanations, purposes, replays, rule_tests, rulebook
from consent.management import contact_argument, law_in_text
from consent.models import Channel
from consent.rule_format import CONTENT
from consent.rulebook import BadRule, Rule, Rulebook


class Command(BaseCommand):
    help = "Look at the law the house keeps."

    def add_arguments(self, parser: CommandParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        acts.add_parser("check", help="read every pack and run the tests of its rules")
        self._add_list(acts.add_parser("list", help="list the rules of a place on a day"))
        self._add_explain(acts.add_parser("explain", help="may we write to somebody, and why?"))
        self._add_replay(acts.add_parser("replay", help="judge past sends under another law"))

    def handle(self, **options: Any) -> None:
        try:
            getattr(self, f"_{options['act']}")(options)
        except BadRule as fault:
            raise CommandError(f"Nothing is sent on half a law: {fault}") from None

    def _add_list(self, parser: CommandParser) -> None:
        parser.add_argument("--place", help="a country, or a country and its state: US-FL")
        parser.add_argument("--on", type=date.fromisoformat, help="a day; today without it")
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def _add_explain(self, parser: CommandParser) -> None:
        contact_argument.add_arguments(parser)
        parser.add_argument("--purpose", default=purposes.MARKETING)
        parser.add_argument("--channel", choices=Channel.values, required=True)
        parser.add_argument("--at", type=_instant, help="2026-07-04T13:00, in UTC; now without it")
        parser.add_argument("--content", nargs="*", choices=sorted(CONTENT), default=[])
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def _add_replay(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--pack",
            required=True,
            help="a file, the name of a pack, `proposed`, or a date: the law as of that day",
        )
        parser.add_argument("--since", type=_instant, required=True)
        parser.add_argument("--until", type=_instant, help="now without it")
        parser.add_argument("--all", action="store_true", help="refusals too")
        parser.add_argument("--examples", type=int, default=replays.EXAMPLES_SHOWN)
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def _check(self, _options: dict[str, Any]) -> None:
        book = rulebook.book()
        failed = list(rule_tests.failures(book))
        for row in failed:
            self.stdout.write(f"{row.rule}: {row.test}\n    came to: {row.found}")
        tests = sum(len(rule.tests) for rule in book.rules)
        self.stdout.write(
            f"{len(book.rules)} rules of {len(book.countries)} countries, "
            f"{tests} tests, {len(failed)} failed; version {book.version[:16]}"
        )
        if failed:
            raise CommandError("Some rules do not say what was meant.")

    def _list(self, options: dict[str, Any]) -> None:
        book, on = rulebook.book(), options["on"] or clock.now().date()
        everywhere = frozenset(place for rule in book.rules for place in rule.where)
        places = book.places([options["place"]]) if options["place"] else everywhere
        found = [rule for rule in book.rules if rule.holds(places=places, on=on)]
        plain = {"on": on.isoformat(), "rules": [_plain(rule) for rule in found]}
        self._say(plain, law_in_text.rules(found), options)

    def _explain(self, options: dict[str, Any]) -> None:
        try:
            found = explanations.explain(
                contact=contact_argument.chosen(options),
                purpose_code=options["purpose"],
                channel=options["channel"],
                at=options["at"] or clock.now(),
                content=options["content"],
            )
        except purposes.UnknownPurpose:
            raise CommandError("There is no such purpose at that instant.") from None
        self._say(found.plain(), law_in_text.explained(found), options)

    def _replay(self, options: dict[str, Any]) -> None:
        now = clock.now()
        found = replays.replay(
            book=_book(options["pack"]),
            since=options["since"],
            until=options["until"] or now,
            at=now,
            refusals_too=options["all"],
            examples=options["examples"],
            heard=self._heard,
        )
        self._say(found.plain(), law_in_text.replayed(found), options)

    def _heard(self, done: int, total: int) -> None:
        # The figures go to standard output; how far it is must not stand among them.
        self.stderr.write(f"{done} of {total} judged again")

    def _say(self, plain: object, lines: Iterable[str], options: dict[str, Any]) -> None:
        text = json.dumps(plain, indent=1) if options["json"] else "\n".join(lines)
        self.stdout.write(text)


def _book(name: str) -> Rulebook:
    path = Path(name)
    try:
        return rulebook.with_pack(path) if path.suffix == ".toml" else replays.book_of(name)
    except replays.UnknownPack:
        known = ", ".join([replays.PROPOSED, *replays.pack_names()])
        raise CommandError(f"No such pack. There are: {known}; or a file, or a date.") from None


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _plain(rule: Rule) -> dict[str, object]:
    return {
        "id": rule.id,
        "kind": rule.kind,
        "where": sorted(rule.where),
        "valid_from": rule.valid_from.isoformat(),
        "valid_to": rule.valid_to.isoformat() if rule.valid_to else None,
        "source": rule.source,
        "source_url": rule.source_url,
        "text": rule.text,
    }
