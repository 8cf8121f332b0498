"""Is a token renewed once, kept before it is used, and given up only when it is dead?"""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection

from accounts.audit import SYSTEM
from accounts.models import TrailLeaf
from integrations import connections, oauth, tokens
from integrations.models import Connection, OAuthGrant
from tests.integrations import dance as dances
from tests.integrations.dance import Clock, Dance
from tests.simulators.base import Answer

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["hubspot", "salesforce", "zoho"])
def dance(request: pytest.FixtureRequest) -> Iterator[Dance]:
    with dances.dancing(request.param) as found:
        found.connect()
        yield found


@pytest.fixture
def salesforce() -> Iterator[Dance]:
    with dances.dancing("salesforce") as found:
        found.connect()
        yield found


def api(dance: Dance, clock: Clock) -> str:
    verdict, _ = tokens.call(
        connection_id=dance.pk, purpose="test", method="GET", path="/any", now=clock
    )
    return verdict.cause


def refreshes(dance: Dance) -> int:
    return dance.vendor.tally["refreshed"]


def unavailable(dance: Dance, clock: Clock, refused: int | None = None) -> str:
    with pytest.raises(tokens.TokenUnavailable) as failed:
        tokens.access(connection_id=dance.pk, purpose="test", now=clock, refused=refused)
    return failed.value.outcome


def test_a_fresh_token_is_used_as_it_is(dance: Dance) -> None:
    assert api(dance, Clock()) == "ok"
    assert refreshes(dance) == 0
    assert TrailLeaf.objects.filter(action="integrations.token.used").count() == 1


def test_an_ended_token_is_renewed_and_the_use_succeeds(dance: Dance) -> None:
    clock = Clock(dance.vendor)
    clock.move(7300)
    assert api(dance, clock) == "ok"
    assert (refreshes(dance), dance.grant().generation) == (1, 2)
    assert dance.grant().lease_until is None
    assert TrailLeaf.objects.filter(action="integrations.token.refreshed").count() == 1


def test_a_token_is_renewed_before_it_ends_where_the_end_is_told() -> None:
    with dances.dancing("hubspot") as hubspot:
        hubspot.connect()
        clock = Clock()
        clock.move(1800 - 59)
        tokens.access(connection_id=hubspot.pk, purpose="test", now=clock)
        assert refreshes(hubspot) == 1


def test_the_new_token_is_stored_before_it_is_used_and_the_old_kept(salesforce: Dance) -> None:
    before = salesforce.held()
    tokens.access(connection_id=salesforce.pk, purpose="test", refused=1)
    after = salesforce.held()
    assert after["refresh"] == salesforce.vendor.families[0].refresh != before["refresh"]
    assert after["previous"] == before["refresh"]
    assert api(salesforce, Clock()) == "ok"
    assert salesforce.held() == {**after, "previous": ""}


def test_a_rotation_that_the_vendor_lost_is_survived(salesforce: Dance) -> None:
    salesforce.vendor.loses_rotation = True
    tokens.access(connection_id=salesforce.pk, purpose="test", refused=1)
    assert salesforce.held()["refresh"] == "r-lost"
    tokens.access(connection_id=salesforce.pk, purpose="test", refused=2)
    assert salesforce.held()["refresh"] == salesforce.vendor.families[0].refresh
    assert not salesforce.vendor.families[0].revoked


def test_a_dead_token_needs_a_person_and_resumes_after_them(dance: Dance) -> None:
    dance.vendor.end_all()
    with pytest.raises(tokens.NotConnected):
        tokens.access(connection_id=dance.pk, purpose="test", refused=1)
    row = dance.row()
    assert row.state == "reconnect_needed"
    assert "Press Reconnect" in row.problem
    assert list(connections.usable(kind="crm")) == []
    page = dance.client.get("/connections/").content.decode()
    assert "Reconnect needed" in page
    dance.connect()
    assert list(connections.usable(kind="crm")) == [dance.row()]
    assert api(dance, Clock()) == "ok"


def test_a_wrong_secret_is_not_the_persons_fault(dance: Dance) -> None:
    dance.vendor.secret = "changed-at-the-vendor"
    with pytest.raises(tokens.NotConnected):
        tokens.access(connection_id=dance.pk, purpose="test", refused=1)
    assert "app's id or secret" in dance.row().problem


@pytest.mark.parametrize(
    "answer",
    [
        Answer(500, b'{"error":"invalid_grant"}'),
        Answer(503, b"<h1>Down for maintenance</h1>", "text/html"),
        Answer(429, b'{"error":"invalid_grant"}'),
        Answer(200, b"<html>Sign in to the hotel's network</html>", "text/html"),
        Answer(200, b'{"access_token": 7}'),
        Answer(200, b'{"access_token":"a\\r\\nHost: evil.example"}'),
        Answer(200, b"[" * 100_000),
        Answer(302, location="https://evil.example/token"),
        Answer(400, b'{"error":"invalid_request"}'),
    ],
)
def test_what_may_mend_itself_keeps_the_connection(salesforce: Dance, answer: Answer) -> None:
    salesforce.vendor.plant("/token", answer)
    before, clock = salesforce.held(), Clock()
    assert unavailable(salesforce, clock, 1) == "transient"
    assert (salesforce.row().state, salesforce.held()) == ("active", before)
    clock.move(tokens.BACKOFF_SECONDS[0])
    tokens.access(connection_id=salesforce.pk, purpose="test", now=clock, refused=1)
    assert refreshes(salesforce) == 1
    assert salesforce.grant().failures == 0


def test_a_vendor_in_trouble_is_asked_less_and_less(salesforce: Dance) -> None:
    clock, pauses = Clock(), []
    for _ in range(7):
        salesforce.vendor.plant("/token", Answer(503))
        unavailable(salesforce, clock, 1)
        pause = salesforce.grant().retry_at
        assert pause is not None
        pauses.append(int((pause - clock.at).total_seconds()))
        unavailable(salesforce, clock, 1)
        clock.at = pause
    assert pauses == [5, 15, 60, 180, 600, 600, 600]
    assert len(salesforce.vendor.planted) == 0


def test_while_it_must_wait_a_token_that_still_lives_is_used() -> None:
    with dances.dancing("hubspot") as hubspot:
        hubspot.connect()
        clock = Clock()
        clock.move(1800 - 30)
        OAuthGrant.objects.update(retry_at=clock.at + timedelta(seconds=5))
        assert tokens.access(connection_id=hubspot.pk, purpose="test", now=clock).generation == 1


def test_a_turn_that_somebody_died_with_is_taken_when_it_ends(salesforce: Dance) -> None:
    clock = Clock()
    assert tokens._take_turn(salesforce.grant(), clock.at)
    assert tokens._take_turn(salesforce.grant(), clock.at) is None
    clock.move(tokens.LEASE_SECONDS)
    tokens.access(connection_id=salesforce.pk, purpose="test", now=clock, refused=1)
    assert refreshes(salesforce) == 1


def test_an_answer_that_comes_late_does_not_undo_a_newer_one(salesforce: Dance) -> None:
    stale = salesforce.grant()
    tokens.access(connection_id=salesforce.pk, purpose="test", refused=1)
    after = salesforce.held()
    late = {"access_token": "late", "refresh_token": "late"}
    assert tokens._store(stale, {"refresh": "x"}, late, Clock().at) is False
    assert salesforce.held() == after


def test_another_organisation_in_a_renewal_stops_the_connection(salesforce: Dance) -> None:
    salesforce.vendor.organisation = "00D5g000009zZzZEAU"  # type: ignore[attr-defined]
    with pytest.raises(tokens.NotConnected):
        tokens.access(connection_id=salesforce.pk, purpose="test", refused=1)
    assert "another account" in salesforce.row().problem
    leaf = TrailLeaf.objects.get(action="integrations.token.refused")
    assert leaf.details["code"] == "account_changed"


def test_another_host_in_a_renewal_stops_the_connection(salesforce: Dance) -> None:
    salesforce.vendor.instance_url = "https://other.my.salesforce.com"  # type: ignore[attr-defined]
    with pytest.raises(tokens.NotConnected):
        tokens.access(connection_id=salesforce.pk, purpose="test", refused=1)
    assert salesforce.row().state == "reconnect_needed"


def test_a_refusal_that_no_token_mends_is_not_asked_for_ever(salesforce: Dance) -> None:
    never = b'[{"message":"This session is not valid for use with the REST API",'
    never += b'"errorCode":"INVALID_SESSION_ID"}]'
    salesforce.vendor.plant("/any", Answer(401, never))
    assert api(salesforce, Clock()) == "forbidden"
    for _ in range(2):
        salesforce.vendor.plant("/any", salesforce.vendor.api_expired())
    assert api(salesforce, Clock()) == "expired"
    assert refreshes(salesforce) == 1


def test_a_connection_that_is_off_gives_no_token(salesforce: Dance) -> None:
    connections.switch(connection=salesforce.row(), on=False, at=Clock().at, actor=SYSTEM)
    with pytest.raises(tokens.NotConnected):
        tokens.access(connection_id=salesforce.pk, purpose="test")


def test_tokens_that_do_not_open_are_a_refusal(salesforce: Dance) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE integrations_oauthgrant SET tokens_sealed ="
            " (SELECT client_sealed FROM integrations_oauthgrant)"
        )
    with pytest.raises(tokens.NotConnected):
        tokens.access(connection_id=salesforce.pk, purpose="test")


def test_tokens_that_come_after_a_disconnection_are_ended(salesforce: Dance) -> None:
    stale = salesforce.grant()
    lease = tokens._take_turn(stale, Clock().at)
    assert lease
    salesforce.vendor.plant(salesforce.vendor.revoke_path, Answer(503))
    oauth.disconnect(grant=salesforce.grant(), at=Clock().at, actor=SYSTEM)
    tokens._renew(stale, lease, Clock())
    assert salesforce.vendor.families[0].revoked
    assert salesforce.row().state == "not_connected"


@pytest.mark.django_db(transaction=True)
def test_four_threads_at_one_expiry_renew_once(salesforce: Dance) -> None:
    salesforce.vendor.latency_seconds = 0.1
    got: list[object] = []

    def ask() -> None:
        try:
            token = tokens.access(connection_id=salesforce.pk, purpose="test", refused=1)
            got.append(token.generation)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert (got, refreshes(salesforce)) == ([2, 2, 2, 2], 1)
    assert Connection.objects.get(pk=salesforce.pk).state == "active"
