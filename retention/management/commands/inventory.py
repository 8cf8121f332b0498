"""Print the record of processing (GDPR Art. 30), made from what every app declares."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from retention import inventory, policies
from retention.models import Policy


class Command(BaseCommand):
    help = "Print the record of processing activities."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="as JSON, not as Markdown")

    def handle(self, **options: Any) -> None:
        if missing := inventory.undeclared():
            raise CommandError("Not declared: " + ", ".join(missing))
        rows = inventory.record_of_processing(days=policies.days())
        if options["json"]:
            self.stdout.write(json.dumps({"processing": rows, "policies": _policies()}, indent=1))
            return
        self.stdout.write(_markdown(rows))


def _policies() -> list[dict[str, object]]:
    fields = ("record_class", "title", "action", "period_days", "legal_source")
    return [dict(row) for row in Policy.objects.order_by("pk").values(*fields)]


def _markdown(rows: list[dict[str, Any]]) -> str:
    lines = ["# Record of processing (GDPR Art. 30)", ""]
    lines += ["| category | basis | kept | columns |", "|---|---|---|---|"]
    for row in rows:
        kept = f"{row['kept_days']} days" if row["kept_days"] else row["period"]
        columns = ", ".join(f"`{column}`" for column in row["columns"])
        lines.append(f"| {row['category']} | {row['basis']} | {kept} | {columns} |")
    lines += ["", "## Policies", "", "| class | then | days | source |", "|---|---|---|---|"]
    lines += [
        f"| {row['title']} | {row['action']} | {row['period_days']} | {row['legal_source']} |"
        for row in _policies()
    ]
    return "\n".join(lines)
