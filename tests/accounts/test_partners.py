"""Are partners let in with what they need, by a secret nobody else holds, and out at once?"""

from datetime import timedelta

import pytest
from allauth.idp.oidc.models import Client, Token
from django.contrib.auth.hashers import identify_hasher

from accounts import partners
from accounts.audit import SYSTEM
from accounts.models import Partner, PartnerClient, TrailLeaf
from tests.accounts.staff import NOON, partner, token_of

pytestmark = pytest.mark.django_db


def issue(of: Partner, *scopes: str) -> tuple[str, str]:
    return partners.issue_client(
        partner=of, scopes=scopes or ("contacts.read",), at=NOON, actor=SYSTEM
    )


def test_a_partner_is_made_and_stands_in_the_trail() -> None:
    made = partners.create(name="  Charlie Ltd ", at=NOON, actor=SYSTEM)
    assert made.name == "Charlie Ltd"
    leaf = TrailLeaf.objects.get(action="accounts.partner.created")
    assert leaf.object_id == str(made.pk)


@pytest.mark.parametrize("name", ["", "   ", "x" * 121, "a\nb", "a\x00b", "a\u202eb"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(partners.NotAPartner):
        partners.create(name=name, at=NOON, actor=SYSTEM)
    assert not Partner.objects.exists()


def test_a_client_may_ask_for_tokens_by_its_secret_and_in_no_other_way() -> None:
    client_id, secret = issue(partner(), "contacts.read", "links.write")
    client = Client.objects.get(pk=client_id)
    assert client.get_grant_types() == ["client_credentials"]
    assert (client.get_response_types(), client.get_redirect_uris()) == ([], [])
    assert client.type == "confidential"
    assert client.get_scopes() == client.get_default_scopes() == ["contacts.read", "links.write"]
    assert client.owner is None
    assert client.check_secret(secret)


def test_the_secret_is_kept_as_a_hash_only() -> None:
    client_id, secret = issue(partner())
    assert len(secret) == 43
    stored = Client.objects.get(pk=client_id).secret
    assert secret not in stored
    assert identify_hasher(stored).verify(secret, stored)
    assert secret not in str([leaf.details for leaf in TrailLeaf.objects.all()])


def test_the_row_of_a_client_names_no_business() -> None:
    made = partner("Charlie Ltd")
    assert Client.objects.get(pk=issue(made)[0]).name == made.public_id


@pytest.mark.parametrize("scopes", [(), ("admin",), ("contacts.read", "everything")])
def test_a_scope_that_is_none_is_refused(scopes: tuple[str, ...]) -> None:
    made = partner()
    with pytest.raises(partners.UnknownScope):
        partners.issue_client(partner=made, scopes=scopes, at=NOON, actor=SYSTEM)
    assert not Client.objects.exists()


def test_a_token_is_kept_as_a_keyed_hash_only() -> None:
    token = token_of(*issue(partner()))
    assert token not in str(list(Token.objects.values()))
    assert len(Token.objects.get().hash) == 64


def test_a_revoked_client_stays_named_and_opens_nothing() -> None:
    client_id, secret = issue(partner())
    token_of(client_id, secret)
    assert partners.revoke_client(client_id=client_id, at=NOON, actor=SYSTEM)
    assert partners.by_client(client_id=client_id) is None
    assert not Token.objects.valid().exists()
    client = Client.objects.get(pk=client_id)
    assert not client.check_secret(secret)
    assert client.get_grant_types() == []
    assert PartnerClient.objects.get(pk=client_id).revoked_at == NOON


def test_a_client_is_revoked_once() -> None:
    client_id, _ = issue(partner())
    assert partners.revoke_client(client_id=client_id, at=NOON, actor=SYSTEM)
    assert not partners.revoke_client(client_id=client_id, at=NOON, actor=SYSTEM)
    assert TrailLeaf.objects.filter(action="accounts.client.revoked").count() == 1


def test_a_partner_shut_out_takes_all_its_clients_along_and_no_others() -> None:
    charlie, dora = partner("Charlie"), partner("Dora")
    theirs, others = issue(charlie)[0], issue(dora)[0]
    partners.switch(partner=charlie, on=False, at=NOON, actor=SYSTEM)
    assert partners.by_client(client_id=theirs) is None
    assert partners.by_client(client_id=others) == dora
    partners.switch(partner=charlie, on=True, at=NOON, actor=SYSTEM)
    assert partners.by_client(client_id=theirs) == charlie


def test_a_use_is_noted_to_the_minute() -> None:
    client_id, _ = issue(partner())
    row = PartnerClient.objects.get(pk=client_id)
    for seconds, noted in ((0, 0), (30, 0), (61, 61)):
        at = NOON + timedelta(seconds=seconds)
        partners.note_use(client_id=client_id, at=at)
        row.refresh_from_db()
        assert row.last_used_at == NOON + timedelta(seconds=noted)
