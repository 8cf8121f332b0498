"""Check what lies in storage: re-read all of it, authenticate it, and say what is wrong.

`manage.py assets check` goes on where an earlier one was cut off; `--anew` begins again. How far it
has come is told on standard error, what came of it as JSON on standard output. Exit status 1 if
anything is altered, cut, missing, longer than it was, plain, or belongs to nothing.
"""

import json
import sys
import time
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.lib import clock
from videos import inspections
from videos.inspections import Walk

# How often the place is written down and told: what a crash costs.
EVERY_SECONDS = 1.0


class Command(BaseCommand):
    help = "Check what lies in storage."

    def add_arguments(self, parser: CommandParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        check = acts.add_parser("check", help="re-read and authenticate everything at rest")
        check.add_argument("--anew", action="store_true", help="forget one that was cut off")

    def handle(self, **options: Any) -> None:
        now, earlier = clock.now(), None if options["anew"] else inspections.kept()
        walk = earlier or inspections.begun(at=now)
        total, began, told = inspections.total(walk=walk), time.monotonic(), 0.0
        before = walk.objects
        for _ in inspections.inspect(walk=walk, at=now):
            if time.monotonic() - told >= EVERY_SECONDS:
                told = time.monotonic()
                inspections.keep(walk=walk)
                self._tell(walk, total, (walk.objects - before) / max(told - began, 0.001))
        inspections.keep(walk=walk)
        self.stdout.write(json.dumps(_summary(walk, resumed=earlier is not None), indent=1))
        if not walk.is_whole:
            sys.exit(1)

    def _tell(self, walk: Walk, total: int, rate: float) -> None:
        left = f", {max(0, total - walk.objects) / rate:.0f} s to go" if rate else ""
        self.stderr.write(
            f"{walk.objects} of {total} objects, {walk.size_bytes / 1e6:,.0f} MB, "
            f"{walk.files} files, {len(walk.faults)} faults{left}"
        )


def _summary(walk: Walk, *, resumed: bool) -> dict[str, object]:
    facts = asdict(walk)
    del facts["phase"], facts["after"]
    return {"is_whole": walk.is_whole, "resumed": resumed, **facts}
