"""The gate over a whole audience, against a plain INSERT ... SELECT and against the naive loop.

`make bench-gate PEOPLE=1000000 SEED=1 ROUNDS=5`. Side by side in one run, alternating; ratios of
medians, since seconds mean nothing on another machine.
"""

import os
import statistics
from datetime import UTC, datetime
from typing import Any

from benchmarks import ground

ground.prepare()

from django.db import connection

from consent import cases, facts, forecast, gate, purposes, rulebook
from consent.models import Contact, Place
from integrations import connections

PEOPLE = int(os.environ.get("PEOPLE", "1000000"))
SEED = int(os.environ.get("SEED", "1"))
ROUNDS = int(os.environ.get("ROUNDS", "5"))
NAIVE = 400
AT = datetime(2026, 10, 7, 15, 0, tzinfo=UTC)
CHANNEL, PURPOSE = "sms", "marketing"
# Half in a few large countries, the rest all over; unknown places among them.
SPOTS = [
    *[("US", state, "America/New_York") for state in ("NY", "FL", "TX", "CA", "WA", "")],
    *[("FR", "", "Europe/Paris"), ("DE", "", "Europe/Berlin"), ("GB", "", "Europe/London")],
    *[("ES", "", "Europe/Madrid"), ("IT", "", "Europe/Rome"), ("PL", "", "Europe/Warsaw")],
    *[("IN", "", "Asia/Kolkata"), ("BR", "", "America/Sao_Paulo"), ("AU", "", "Australia/Sydney")],
    *[("CA", "ON", "America/Toronto"), ("JP", "", "Asia/Tokyo"), ("", "", "")],
]


def fill() -> None:
    """Generate people, three acts each, stops, registers and messages, inside the database."""
    purposes.ensure_defaults(at=AT)
    places = [
        Place.objects.create(
            code=f"{country}|{region}|{country}||{zone}|",
            country=country,
            region=region,
            phone_country=country,
            time_zone=zone,
        ).pk
        for country, region, zone in SPOTS
    ]
    purpose = purposes.current(PURPOSE, AT).pk
    named: dict[str, Any] = {"n": PEOPLE, "places": places, "purpose": purpose, "at": AT}
    named["connection"] = connections.ensure_local(at=AT)[0].pk
    with connection.cursor() as cursor:
        cursor.execute("SELECT setseed(%s)", [SEED / 2**31])
        for statement in STATEMENTS:
            cursor.execute(statement, named)
        cursor.execute("VACUUM ANALYZE")


STATEMENTS = [
    """CREATE TEMP TABLE seeds AS SELECT i, gen_random_uuid() AS id, gen_random_uuid() AS key_id,
        random() AS r, random() AS s, random() AS t FROM generate_series(1, %(n)s) i""",
    """INSERT INTO accounts_datakey (id, scope, owner_id, root_key_id, wrapped, created_at,
        delete_at)
        SELECT key_id, 'person', id, 'bench', decode(repeat('ab', 64), 'hex'), %(at)s,
        CASE WHEN t < 0.01 THEN %(at)s ELSE %(at)s + interval '1 year' END FROM seeds""",
    """INSERT INTO consent_contact (id, key_id, place_id, phone_country, phone_zones, phone_regions,
        name_sealed, phone_sealed, email_stop_index, sms_stop_index, whatsapp_stop_index, language,
        time_zone, country, region, source, created_at, updated_at, restricted_at, phone_set_at,
        name_first_index, name_pair_index, name_middle_index, name_last_index)
        SELECT id, key_id, (%(places)s)[1 + (i %% array_length(%(places)s, 1))], '', '[]', '[]',
        decode(repeat('cd', 60), 'hex'), decode(repeat('ef', 44), 'hex'), '',
        CASE WHEN t < 0.98 THEN encode(sha256(id::text::bytea), 'hex') ELSE '' END, '', 'en', '',
        '', '', 'bench', %(at)s, %(at)s, CASE WHEN r < 0.005 THEN %(at)s END,
        CASE WHEN s < 0.02 THEN %(at)s - interval '90 days' END, '', '', '', '' FROM seeds""",
    """INSERT INTO consent_consentevent (id, number, contact_id, purpose_id, purpose_code, channel,
        kind, act, permission, provider_message_id, seller, locale, source, actor_kind, actor_id,
        evidence_sha256, at)
        SELECT gen_random_uuid(), n, id, %(purpose)s, 'marketing', 'sms',
        CASE n WHEN 1 THEN 'claimed' WHEN 2 THEN 'given' ELSE
        CASE WHEN r < 0.70 THEN 'confirmed' WHEN r < 0.85 THEN 'given' ELSE 'withdrawn' END END,
        'checkbox', CASE WHEN s < 0.5 THEN 'written' ELSE 'express' END, '', '', 'en', 'bench',
        'recipient', '', '', %(at)s - (s * 1500 || ' days')::interval + n * interval '1 minute'
        FROM seeds CROSS JOIN generate_series(1, 3) n""",
    """INSERT INTO consent_consentstate (contact_id, purpose_code, channel, state, event_id, at,
        permission, guarded, valid_until)
        SELECT contact_id, purpose_code, channel, kind, id, at,
        CASE WHEN kind = 'withdrawn' THEN '' ELSE permission END, false, NULL
        FROM consent_consentevent WHERE number = 3""",
    """INSERT INTO consent_suppression (address_index, channel, reason, created_at, lifted_by)
        SELECT encode(sha256(id::text::bytea), 'hex'), 'sms', 'bench', %(at)s, ''
        FROM seeds WHERE r >= 0.85 OR t < 0.02""",
    """INSERT INTO consent_registerentry (register, address_index, answer, checked_at,
        receipt_sha256)
        SELECT 'us.dnc', encode(sha256(id::text::bytea), 'hex'), 'listed', %(at)s, ''
        FROM seeds WHERE s BETWEEN 0.3 AND 0.4""",
    # One in ten had a message lately, one in a hundred as many as some places allow in a day; each
    # at an instant of its own, so that no two people wait equally long.
    """CREATE TEMP TABLE lately AS SELECT id AS contact_id, gen_random_uuid() AS one,
        gen_random_uuid() AS two, gen_random_uuid() AS message_id, n, t, random() AS u
        FROM seeds CROSS JOIN generate_series(1, 3) n
        WHERE r < 0.70 AND t BETWEEN 0.3 AND 0.4 AND (n = 1 OR t < 0.31)""",
    """INSERT INTO consent_decision (id, contact_id, purpose_code, channel, context_type, phase,
        verdict, reasons, inputs_sha256, packs_version, at)
        SELECT unnest(ARRAY[one, two]), contact_id, 'marketing', 'sms', 'bench',
        unnest(ARRAY['queue', 'hand_off']), 'allow', '[]', '', '', %(at)s FROM lately""",
    """INSERT INTO consent_message (id, contact_id, connection_id, decision_id,
        hand_off_decision_id, purpose_code, channel, context_type, content, idempotency_key, state,
        body_sha256, not_before, queued_at, claimed_at, sent_at, attempts, provider_message_id,
        problem)
        SELECT message_id, contact_id, %(connection)s, one, two, 'marketing', 'sms', 'bench', '[]',
        message_id::text, 'delivered', '', sent, sent, sent, sent, 1, '', ''
        FROM (SELECT *, %(at)s - (n * 5 + u * 4) * interval '1 hour' AS sent FROM lately) told""",
]
PLAIN = """INSERT INTO plain_rows SELECT c.id, 1 FROM consent_contact c
    JOIN consent_consentstate s ON s.contact_id = c.id AND s.purpose_code = 'marketing'
    AND s.channel = 'sms' WHERE s.state IN ('given', 'confirmed')
    AND c.erased_at IS NULL AND (s.valid_until IS NULL OR s.valid_until > %s)"""


def question() -> cases.Question:
    return cases.ask(subject=facts.Subject(purposes.current(PURPOSE, AT), CHANNEL), at=AT)


def plain() -> None:
    with cases.planned() as cursor:
        cursor.execute("CREATE TEMP TABLE plain_rows (id uuid, code bigint)")
        cursor.execute(PLAIN, [AT])
        cursor.execute("DROP TABLE plain_rows")


def set_wise() -> None:
    """Judge the audience and keep each person's case; decide each case once."""
    asked = question()
    sql, params = cases.statement(people=Contact.objects.all(), question=asked)
    with cases.planned() as cursor:
        cursor.execute(f"CREATE TEMP TABLE judged_rows AS {sql}", params)
        cursor.execute(
            "SELECT code, newest, oldest, count(*) FROM judged_rows GROUP BY code, newest, oldest"
        )
        found = {cases.Key(*key): people for *key, people in cursor.fetchall()}
        cursor.execute("DROP TABLE judged_rows")
    verdicts = forecast.decided(found, asked)
    alone = sum(found[key] for key, verdict in verdicts.items() if verdict is None)
    RESULT.update(cases=len({key.code for key in found}), groups=len(found), alone=alone)


def counted() -> None:
    found = forecast.counts(
        people=Contact.objects.all(), purpose_code=PURPOSE, channel=CHANNEL, at=AT
    )
    tally: dict[str, int] = {}
    for case in found:
        tally[case.verdict.verdict] = tally.get(case.verdict.verdict, 0) + case.people
    RESULT.update(tally=tally)


def naive() -> float:
    """Judge some people one by one, as a loop over the audience would; seconds for all of them."""
    ids = list(Contact.objects.order_by("pk").values_list("pk", flat=True)[:NAIVE])

    def loop() -> None:
        for pk in ids:
            contact = Contact.objects.select_related("key", "place").get(pk=pk)
            gate.judge(contact=contact, purpose_code=PURPOSE, channel=CHANNEL, at=AT)

    return ground.timed(loop) * PEOPLE / NAIVE


RESULT: dict[str, object] = {}


def main() -> None:
    print(f"filling: {PEOPLE:,} people, {3 * PEOPLE:,} events, seed {SEED}")
    print(f"filled in {ground.timed(fill):.0f} s; {len(rulebook.book().rules)} rules")
    before = ground.peak_mb()
    acts = {"plain": plain, "set-wise": set_wise, "counted": counted}
    seconds: dict[str, list[float]] = {name: [] for name in acts}
    for _ in range(ROUNDS):
        for name, act in acts.items():
            seconds[name].append(ground.timed(act))
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    for name, times in seconds.items():
        spread = f"{min(times):.2f}-{max(times):.2f}"
        ratio = medians["plain"] / medians[name]
        print(f"{name:9} {medians[name]:6.2f} s [{spread}]  {ratio:5.2f} x the plain statement")
    loop = naive()
    print(
        f"naive     {loop:6.0f} s (from {NAIVE})  set-wise is {loop / medians['set-wise']:,.0f} x"
    )
    print(
        f"{RESULT}; memory grew by {ground.peak_mb() - before:.0f} MB to {ground.peak_mb():.0f} MB"
    )


if __name__ == "__main__":
    main()
