"""Write one person's whole chain to a file that `verify_proof.py` checks."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.lib import clock
from consent.management import contact_argument
from retention import proof


class Command(BaseCommand):
    help = "Write one person's whole chain to a file."

    def add_arguments(self, parser: CommandParser) -> None:
        contact_argument.add_arguments(parser)
        parser.add_argument("--out", type=Path, required=True, help="the file to write")

    def handle(self, **options: Any) -> None:
        document = proof.build(contact=contact_argument.chosen(options), at=clock.now())
        options["out"].write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
        self.stdout.write(
            f"Wrote {options['out']}. Check it: python verify_proof.py {options['out']}"
        )
