"""Check the seven promises on live data; exit status 1 if any is broken."""

import json
import sys
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.lib import clock
from retention import verification
from retention.verification import PromiseReport


class Command(BaseCommand):
    help = "Check the seven promises on live data."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object")
        parser.add_argument(
            "--promise",
            action="append",
            type=int,
            choices=verification.ALL,
            help="only this one; may be given again",
        )

    def handle(self, **options: Any) -> None:
        heard = None if options["json"] else self._say
        numbers = options["promise"] or verification.ALL
        reports = verification.verify(at=clock.now(), heard=heard, numbers=numbers)
        is_kept = all(report.is_kept for report in reports)
        if options["json"]:
            promises = [report.plain() for report in reports]
            self.stdout.write(json.dumps({"is_kept": is_kept, "promises": promises}, indent=1))
        else:
            self.stdout.write(self._sum(reports) if is_kept else "A PROMISE IS BROKEN.")
        if not is_kept:
            sys.exit(1)

    def _sum(self, reports: Sequence[PromiseReport]) -> str:
        if len(reports) == len(verification.ALL):
            return "ALL SEVEN HOLD."
        return f"LOOKED AT: {', '.join(str(report.number) for report in reports)}. HOLDS."

    def _say(self, report: PromiseReport) -> None:
        word = "kept  " if report.is_kept else "BROKEN"
        self.stdout.write(f"{word} {report.number} {report.title}: {report.rows} rows")
        for check in report.checks:
            self.stdout.write(f"       {check.rows:8d}  {check.what}")
            for violation in check.first:
                self.stdout.write(f"                 ! {violation}")
            if check.faults > len(check.first):
                self.stdout.write(f"                 ! and {check.faults - len(check.first)} more")
