"""What does it cost to check one token, and to authorise one range, beside one indexed SELECT?

`make bench-tokens CALLS=2000 ROUNDS=7`. The three take turns, call by call, on one connection to
PostgreSQL, in a table of LINKS links; medians of each round, and how far the rounds lie apart.
"""

import os
import statistics
import time
from collections.abc import Callable
from datetime import timedelta

from benchmarks import ground

ground.prepare()

from django.db import connection

from accounts import keys
from tests.videos import stage
from videos import links, playback
from videos.models import Link

CALLS = int(os.environ.get("CALLS", "2000"))
ROUNDS = int(os.environ.get("ROUNDS", "7"))
LINKS = int(os.environ.get("LINKS", "100000"))
GOAL = 2.0
AT = stage.AT
SOON = AT + timedelta(minutes=5)
PEER = "SELECT asset_id, expires_at FROM videos_link WHERE token_index = %s"
Act = Callable[[], object]


def microseconds(acts: dict[str, Act], calls: int) -> dict[str, float]:
    """Return the median of each act; they take turns, so that a busy moment hits all alike."""
    taken: dict[str, list[float]] = {name: [] for name in acts}
    for _ in range(calls):
        for name, act in acts.items():
            began = time.perf_counter()
            act()
            taken[name].append(time.perf_counter() - began)
    return {name: statistics.median(each) * 1e6 for name, each in taken.items()}


def rounds(acts: dict[str, Act], *, calls: int = CALLS) -> dict[str, list[float]]:
    microseconds(acts, calls)
    measured = [microseconds(acts, calls) for _ in range(ROUNDS)]
    return {name: [one[name] for one in measured] for name in acts}


def costs(link: Link, token: str) -> dict[str, Act]:
    session = playback.session_value(play=playback.start_play(link=link, at=SOON))
    index = keys.token_index(kind=links.KIND, token=token)

    def plain() -> object:
        with connection.cursor() as cursor:
            cursor.execute(PEER, [index])
            return cursor.fetchone()

    return {
        "one indexed SELECT": plain,
        "check one token": lambda: links.look_up(token=token, at=SOON),
        "authorise one range": lambda: playback.authorise(
            link_id=link.pk, session=session, at=SOON
        ),
    }


def main() -> None:
    link, token = stage.link()
    with connection.cursor() as cursor:
        cursor.execute(ground.FILL_LINKS, [link.asset_id, link.contact_id, LINKS])
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    print(f"{LINKS:,} links, {ROUNDS} rounds of {CALLS} calls each, taking turns")
    found = rounds(costs(link, token))
    peer = statistics.median(found["one indexed SELECT"])
    for name, each in found.items():
        middle = statistics.median(each)
        spread = f"{min(each):.0f} to {max(each):.0f}"
        print(f"{name:<20} {middle:6.0f} us ({spread})  {middle / peer:.2f}x")
    worst = max(statistics.median(each) for each in found.values()) / peer
    print(f"goal: at most {GOAL}x each: {'met' if worst <= GOAL else 'NOT met'} ({worst:.2f}x)")


if __name__ == "__main__":
    main()
