"""What does it cost to check one token, and to authorise one range, beside one indexed SELECT?

`make bench-tokens CALLS=2000 ROUNDS=7`. The three take turns, call by call, on one connection to
PostgreSQL, in a table of LINKS links; medians of each round, and how far the rounds lie apart.
Then the whole page of a wrong and of each kind of dead token, taking turns as well.
"""

import os
import statistics
import time
from collections.abc import Callable
from datetime import timedelta

from benchmarks import ground

ground.prepare()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402  Django must be set up first
from django.test import Client  # noqa: E402

from accounts import audit, keys  # noqa: E402
from config.lib import clock  # noqa: E402
from tests.videos import stage  # noqa: E402
from videos import links, playback  # noqa: E402
from videos.models import Link, MissCount  # noqa: E402

# Nothing is collected here: plain names of static files, as in the tests.
PLAIN = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
settings.STORAGES = {**settings.STORAGES, "staticfiles": PLAIN}
settings.SECURE_SSL_REDIRECT = False

CALLS = int(os.environ.get("CALLS", "2000"))
ROUNDS = int(os.environ.get("ROUNDS", "7"))
LINKS = int(os.environ.get("LINKS", "100000"))
GOAL = 2.0
AT = stage.AT
SOON = AT + timedelta(minutes=5)
NOW = clock.now()
PEER = "SELECT asset_id, expires_at FROM videos_link WHERE token_index = %s"
FILL = """INSERT INTO videos_link (id, token_index, asset_id, contact_id, created_at, not_before,
    expires_at, plays_allowed, plays)
    SELECT gen_random_uuid(), encode(sha256(i::text::bytea), 'hex'), %s, %s, now(), now(), now(),
    1, 0 FROM generate_series(1, %s) i"""
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


def refused(token: str) -> Act:
    client = Client()

    def ask() -> None:
        MissCount.objects.update(misses=0)
        if client.get(f"/v/{token}", headers={"Host": "localhost"}).status_code != 404:
            raise AssertionError("a dead link opened")

    return ask


def dead() -> dict[str, Act]:
    tokens = {"wrong": links.new_token()}
    for number, name in enumerate(("revoked", "expired", "not yet", "erased")):
        who = stage.person(email=f"d{number}@example.org", phone=f"+4915112345{number:03d}")
        link, tokens[name] = stage.link(contact=who, at=NOW)
        rows = Link.objects.filter(pk=link.pk)
        if name == "revoked":
            links.revoke(link=link, at=NOW, actor=audit.SYSTEM)
        elif name == "erased":
            keys.destroy(key=who.key, at=NOW)
        else:
            shift = timedelta(days=-30 if name == "expired" else 30)
            rows.update(not_before=NOW + shift, expires_at=NOW + shift + timedelta(days=1))
    return {name: refused(token) for name, token in tokens.items()}


def main() -> None:
    link, token = stage.link()
    with connection.cursor() as cursor:
        cursor.execute(FILL, [link.asset_id, link.contact_id, LINKS])
    ways = dead()
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
    pages = rounds(ways, calls=CALLS // 10)
    middles = {name: statistics.median(each) for name, each in pages.items()}
    for name, each in pages.items():
        spread = f"{min(each):.0f} to {max(each):.0f}"
        print(f"page of a dead link: {name:<9} {middles[name]:6.0f} us ({spread})")
    apart = max(middles.values()) / min(middles.values()) - 1
    print(f"dead pages lie {apart:.1%} apart")


if __name__ == "__main__":
    main()
