"""Are connections made once, tested truthfully, and out of use when they are off?"""

import pickle

import pytest
from django.db import transaction

from accounts import keys
from accounts.audit import SYSTEM
from accounts.models import TrailLeaf
from config.lib import keyring
from integrations import connections
from integrations.models import Connection
from tests.accounts.staff import NOON

pytestmark = pytest.mark.django_db


def secret_of(row: Connection) -> str:
    credentials = Connection.objects.get(pk=row.pk).credentials_sealed
    assert isinstance(credentials, dict)
    return str(credentials["webhook_secret"])


def test_the_two_local_connections_are_made_once() -> None:
    first = connections.ensure_local(at=NOON)
    assert connections.ensure_local(at=NOON) == first
    assert [row.provider for row in first] == ["sandbox", "local"]
    assert Connection.objects.count() == 2
    assert TrailLeaf.objects.filter(action="integrations.connection.added").count() == 2


def test_they_need_no_account_and_call_no_host() -> None:
    for row in connections.ensure_local(at=NOON):
        assert (row.auth_kind, row.hosts, row.state) == ("none", [], "active")


def test_a_connection_is_found_by_the_secret_of_its_webhook() -> None:
    sandbox, _ = connections.ensure_local(at=NOON)
    secret = secret_of(sandbox)
    assert len(secret) == 43
    assert connections.by_webhook(secret=secret) == sandbox
    assert connections.by_webhook(secret=secret[:-1]) is None
    assert connections.by_webhook(secret="") is None


def test_the_secret_is_not_in_the_row_in_clear() -> None:
    sandbox, _ = connections.ensure_local(at=NOON)
    secret = secret_of(sandbox)
    with transaction.get_connection().cursor() as cursor:
        cursor.execute("SELECT * FROM integrations_connection")
        stored = b"|".join(
            bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
            for row in cursor.fetchall()
            for value in row
        )
    assert secret.encode() not in stored


def test_a_test_that_passes_says_so() -> None:
    for row in connections.ensure_local(at=NOON):
        checked = connections.check(connection=row, at=NOON)
        assert (checked.problem, checked.tested_at) == ("", NOON)
    leaves = TrailLeaf.objects.filter(action="integrations.connection.tested")
    assert [leaf.details["passed"] for leaf in leaves] == [True, True]


@pytest.mark.parametrize("kind", ["messaging", "video", "crm"])
def test_a_provider_that_this_version_lacks_is_told(kind: str) -> None:
    row = Connection.objects.create(
        kind=kind, provider="unheard-of", label="Old", auth_kind="key", created_at=NOON
    )
    checked = connections.check(connection=row, at=NOON)
    assert "no adapter" in checked.problem
    assert Connection.objects.get(pk=row.pk).problem == checked.problem


def test_a_connection_that_is_off_is_not_usable_and_still_hears() -> None:
    sandbox, video = connections.ensure_local(at=NOON)
    secret = secret_of(sandbox)
    connections.switch(connection=sandbox, on=False, at=NOON, actor=SYSTEM)
    assert list(connections.usable(kind="messaging")) == []
    assert list(connections.usable(kind="video")) == [video]
    assert connections.by_webhook(secret=secret) == sandbox
    connections.switch(connection=sandbox, on=True, at=NOON, actor=SYSTEM)
    assert list(connections.usable(kind="messaging")) == [sandbox]


def test_set_up_does_not_switch_a_connection_on_again() -> None:
    sandbox, _ = connections.ensure_local(at=NOON)
    connections.switch(connection=sandbox, on=False, at=NOON, actor=SYSTEM)
    connections.ensure_local(at=NOON)
    assert list(connections.usable(kind="messaging")) == []


def overwrite(row: Connection, stored: bytes) -> None:
    with transaction.get_connection().cursor() as cursor:
        cursor.execute(
            "UPDATE integrations_connection SET credentials_sealed = %s WHERE provider = %s",
            [stored, row.provider],
        )


def test_credentials_that_were_changed_read_as_none() -> None:
    sandbox, _ = connections.ensure_local(at=NOON)
    sealed = keys.seal_secret(plaintext=b'{"webhook_secret": "x"}', context="another.column")
    overwrite(sandbox, sealed)
    assert Connection.objects.get(pk=sandbox.pk).credentials_sealed is None


def test_a_pickle_in_the_column_is_not_loaded() -> None:
    sandbox, _ = connections.ensure_local(at=NOON)
    overwrite(sandbox, pickle.dumps({"webhook_secret": "planted"}))
    with pytest.raises(keyring.RootKeyMissing):
        Connection.objects.get(pk=sandbox.pk)
