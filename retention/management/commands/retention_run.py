"""Plan a run of the policies, show what it would erase, and execute it when told to."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Count

from config.lib import clock
from retention import holds, policies, runs


class Command(BaseCommand):
    help = "Plan a run of the policies; with --execute, erase what it planned."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--execute", action="store_true", help="erase, not only plan")

    def handle(self, **options: Any) -> None:
        now = clock.now()
        policies.ensure_defaults(at=now)
        holds.keep_new_keys(at=now)
        run = runs.plan(at=now, trigger="command")
        if options["execute"]:
            try:
                run = runs.execute(run=run, at=now)
            except runs.RunRefused as refused:
                raise CommandError(str(refused)) from None
        rows = run.items.values("record_class", "state").annotate(count=Count("pk"))
        counts = [dict(row) for row in rows.order_by("record_class", "state")]
        answer = {"run": str(run.pk), "state": run.state, "plan": run.plan_sha256, "items": counts}
        self.stdout.write(json.dumps(answer, indent=1))
