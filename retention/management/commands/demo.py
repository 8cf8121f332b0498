"""Walk the whole journey with generated people on the database this is pointed at, and count."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.lib import clock
from retention import walk, walk_consent, walk_end, walk_vendor

STEPS = (
    ("prepare", walk.prepare),
    ("import", walk.import_lists),
    ("consent", walk.ask_and_answer),
    ("permissions", walk_consent.permit),
    ("evidence", walk_consent.attach_evidence),
    ("forms", walk_consent.sign_up),
    ("choices", walk_consent.choose),
    ("stops", walk_consent.stop),
    ("scripts", walk.write_scripts),
    ("forecast", walk.forecast),
    ("agree", walk_vendor.agree),
    ("render", walk.render),
    ("send", walk.send),
    ("watch", walk.watch),
    ("show_whose", walk_vendor.show_whose),
    ("withdraw", walk.withdraw),
    ("told", walk_consent.tell),
    ("search", walk_end.search),
    ("expire", walk_end.expire),
    ("erase", walk_end.erase),
    ("come_back", walk_consent.come_back),
    ("retention", walk_end.run_policies),
    ("prove", walk_end.prove),
    ("judge_again", walk_consent.judge_again),
    ("verify", walk_end.check_promises),
)


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object and no more")
        parser.add_argument("--contacts", type=int, default=100)
        parser.add_argument("--seed", type=int, default=0, help="0: another one each time")

    def handle(self, *_args: Any, contacts: int, seed: int, **options: Any) -> None:
        now = clock.now()
        going = walk.Walk(
            at=walk.beginning(now),
            ends_at=now,
            count=contacts,
            seed=seed or int(now.timestamp()),
            say=_silent if options["json"] else self.stdout.write,
        )
        problem = self._take(going)
        told = {
            "ok": not problem,
            "problem": problem,
            "seed": going.seed,
            "contacts": going.count,
            "counts": going.counts,
            "seconds": going.seconds,
            "seconds_in_all": round(sum(going.seconds.values()), 2),
        }
        self.stdout.write(json.dumps(told, indent=2, ensure_ascii=False))
        if problem:
            raise CommandError(f"The journey did not come to its end: {problem}")

    def _take(self, going: walk.Walk) -> str:
        for name, act in STEPS:
            try:
                going.step(name, act)
            except walk.WentWrong as wrong:
                return f"{name}: {wrong}"
        return ""


def _silent(_line: str) -> None:
    return None
