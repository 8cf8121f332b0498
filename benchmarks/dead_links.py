"""Does the time of an answer tell a wrong link from a dead one, or one kind of dead from another?

`make bench-dead-links CALLS=2000 LINKS=20000 SEED=1`. Each kind has a twin of the same kind. All
are asked in a new random order each turn, on one connection to PostgreSQL, first the look-up alone
and then the whole page. What two twins lie apart is the noise; the kinds should lie no further.
The tenth percentile is compared: what a patient listener hears, with the busy moments left out.
"""

import os
import random
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from itertools import combinations

from benchmarks import ground

ground.prepare()

from django.conf import settings
from django.db import connection
from django.test import Client

from accounts import audit, keys
from config.lib import clock
from tests.videos import stage
from videos import links
from videos.models import Link, MissCount

# Nothing is collected here: plain names of static files, as in the tests.
PLAIN = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
settings.STORAGES = {**settings.STORAGES, "staticfiles": PLAIN}
settings.SECURE_SSL_REDIRECT = False

CALLS = int(os.environ.get("CALLS", "2000"))
LINKS = int(os.environ.get("LINKS", "20000"))
SEED = int(os.environ.get("SEED", "1"))
NOW = clock.now()
KINDS = ("wrong", "revoked", "expired", "not yet", "erased")
Act = Callable[[], object]


def dead(kind: str, number: int) -> str:
    """Return a token of a kind that opens nothing."""
    if kind == "wrong":
        return links.new_token()
    who = stage.person(email=f"d{number}@example.org", phone=f"+4915112345{number:03d}")
    link, token = stage.link(contact=who, at=NOW)
    if kind == "revoked":
        links.revoke(link=link, at=NOW, actor=audit.SYSTEM)
    elif kind == "erased":
        keys.destroy(key=who.key, at=NOW)
    else:
        shift = NOW + timedelta(days=-30 if kind == "expired" else 30)
        rows = Link.objects.filter(pk=link.pk)
        rows.update(not_before=shift, expires_at=shift + timedelta(days=1))
    return token


def looked_up(token: str) -> Act:
    def ask() -> None:
        try:
            links.look_up(token=token, at=NOW)
        except links.NotWatchable:
            return
        raise AssertionError("a dead link opened")

    return ask


def page(token: str) -> Act:
    client = Client()

    def ask() -> None:
        if client.get(f"/v/{token}", headers={"Host": "localhost"}).status_code != 404:
            raise AssertionError("a dead link opened")

    return ask


def tenths(acts: dict[str, Act], calls: int) -> dict[str, float]:
    """Return the tenth percentile of each act in microseconds, asked in random order."""
    order = list(acts)
    taken: dict[str, list[float]] = {name: [] for name in acts}
    dice = random.Random(SEED)
    for turn in range(calls + calls // 10):
        dice.shuffle(order)
        MissCount.objects.update(misses=0)
        for name in order:
            began = time.perf_counter()
            acts[name]()
            if turn >= calls // 10:
                taken[name].append(time.perf_counter() - began)
    return {name: statistics.quantiles(each, n=10)[0] * 1e6 for name, each in taken.items()}


def told(what: str, ways: dict[str, Act], calls: int) -> None:
    found = tenths(ways, calls)
    print(f"{what}, tenth percentile of {calls:,} calls in random order")
    for kind in KINDS:
        print(f"  {kind:<9} {found[kind]:8.1f} us   its twin {found[f'{kind} twin']:8.1f} us")
    noise = max(abs(found[kind] - found[f"{kind} twin"]) for kind in KINDS)
    middles = [(found[kind] + found[f"{kind} twin"]) / 2 for kind in KINDS]
    apart = max(abs(one - other) for one, other in combinations(middles, 2))
    from_wrong = max(abs(middles[0] - one) for one in middles[1:])
    print(f"  kinds lie at most {apart:.1f} us apart, dead from wrong {from_wrong:.1f} us")
    print(f"  twins of one kind lie at most {noise:.1f} us apart")


def main() -> None:
    link, _ = stage.link()
    with connection.cursor() as cursor:
        cursor.execute(ground.FILL_LINKS, [link.asset_id, link.contact_id, LINKS])
    names = [f"{kind}{twin}" for kind in KINDS for twin in ("", " twin")]
    tokens = {name: dead(name.removesuffix(" twin"), number) for number, name in enumerate(names)}
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    print(f"{LINKS:,} links, seed {SEED}")
    told("look-up", {name: looked_up(token) for name, token in tokens.items()}, CALLS)
    told("page", {name: page(token) for name, token in tokens.items()}, CALLS // 4)


if __name__ == "__main__":
    main()
