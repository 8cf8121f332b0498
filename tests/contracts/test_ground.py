"""Does the ground that the tests stand on hold? Network, evidence, database."""

import os
import socket
from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, connection, transaction

from accounts import audit
from accounts.models import TrailLeaf
from tests import network

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
UPDATE = "UPDATE accounts_trailleaf SET action = 'x.y.z'"
DELETE = "DELETE FROM accounts_trailleaf"


def plant_leaf() -> None:
    audit.record(action="house.ground.tried", at=AT, actor=audit.SYSTEM)


# It meets the database so that it is asked on each engine.
@pytest.mark.django_db
def test_the_engine_is_the_one_that_was_asked_for() -> None:
    asked = os.environ.get("TEST_DATABASE", "sqlite")
    assert connection.vendor == {"postgres": "postgresql"}.get(asked, asked)


def test_a_name_is_not_even_looked_up() -> None:
    with pytest.raises(network.NetworkRefused):
        socket.getaddrinfo("example.com", 443)


def test_an_address_is_not_reached() -> None:
    with pytest.raises(network.NetworkRefused):
        socket.create_connection(("192.0.2.1", 443), timeout=1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", [1, 2])
def test_evidence_of_one_test_is_gone_in_the_next(turn: int) -> None:
    assert not TrailLeaf.objects.exists(), f"turn {turn}"
    plant_leaf()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", [UPDATE, DELETE, UPDATE])
def test_evidence_is_still_refused_after_a_flush(change: str) -> None:
    plant_leaf()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        connection.cursor().execute(change)
