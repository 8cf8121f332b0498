import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import Partner
from config.lib import clock
from consent.models import Contact
from integrations import connections
from tests.accounts.staff import caller, partner
from tests.videos import stage
from videos import delivery, links
from videos.models import Campaign, Link, Recipient

pytestmark = pytest.mark.django_db
MESSAGES = "/api/v1/messages"


@pytest.fixture
def ours() -> Partner:
    connections.ensure_local(at=clock.now())
    return partner("Ours")


@pytest.fixture
def machine(ours: Partner) -> Client:
    return caller("messages.write", "messages.read", "links.write", of=ours)


def ready(of: Partner) -> tuple[Campaign, Contact]:
    now = clock.now()
    who = stage.agreed(stage.person(partner=of, at=now), at=now)
    made = stage.campaign(partner=of)
    stage.asset(who, made, at=clock.now())
    return made, who


def post(machine: Client, body: dict[str, Any], **headers: str) -> Any:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    data = json.dumps(body)
    return machine.post(MESSAGES, data, content_type="application/json", headers=names)


def asked(made: Campaign, who: Contact) -> dict[str, str]:
    return {"campaign": made.public_id, "contact": who.public_id}


def sent(machine: Client, made: Campaign, who: Contact) -> dict[str, Any]:
    body = post(machine, asked(made, who)).json()
    delivery.work_one(recipient_id=Recipient.objects.get().pk, at=clock.now())
    delivery.dispatch(at=clock.now())
    answer: dict[str, Any] = machine.get(f"{MESSAGES}/{body['id']}").json()
    return answer


def test_a_message_is_taken_made_sent_and_told_of(ours: Partner, machine: Client) -> None:
    made, who = ready(ours)
    answer = post(machine, asked(made, who))
    assert (answer.status_code, answer.json()["state"]) == (202, "waiting")
    assert answer["Location"] == f"{MESSAGES}/{answer.json()['id']}"
    told = sent(machine, made, who)
    assert told["state"] == "sent"
    assert told["link"] == Link.objects.get().public_id
    assert told["sent_at"]


def test_a_person_who_may_not_be_written_to_is_refused_with_the_rule(
    ours: Partner, machine: Client
) -> None:
    made, _ = ready(ours)
    no = stage.person(partner=ours, name="No", email="no@example.org", phone="")
    told = sent(machine, made, no)
    assert told["state"] == "refused"
    assert told["reasons"][0]["code"] == "no_consent"
    assert "GDPR" in told["reasons"][0]["source"]
    assert told["link"] is None


def test_a_retry_is_the_same_message(ours: Partner, machine: Client) -> None:
    made, who = ready(ours)
    first = post(machine, asked(made, who), Idempotency_Key="order-7")
    again = post(machine, asked(made, who), Idempotency_Key="order-7")
    assert first.json()["id"] == again.json()["id"]
    assert again["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first
    assert Recipient.objects.count() == 1


def test_a_key_with_another_body_is_refused(ours: Partner, machine: Client) -> None:
    made, who = ready(ours)
    other = stage.person(partner=ours, name="Ana", email="ana@example.org", phone="")
    post(machine, asked(made, who), Idempotency_Key="order-7")
    answer = post(machine, asked(made, other), Idempotency_Key="order-7")
    assert (answer.status_code, answer.json()["reason"]) == (409, "idempotency_key_reused")
    assert Recipient.objects.count() == 1


def test_a_campaign_without_its_video_sends_nothing(ours: Partner, machine: Client) -> None:
    made, who = ready(ours)
    Campaign.objects.filter(pk=made.pk).update(state="draft")
    answer = post(machine, asked(made, who))
    assert (answer.status_code, answer.json()["reason"]) == (409, "campaign_not_ready")
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("field", ["campaign", "contact"])
@pytest.mark.parametrize("value", ["", "nothing", "cmp_" + "0" * 32, "con_" + "0" * 32])
def test_an_unknown_id_is_named_by_its_field(
    ours: Partner, machine: Client, field: str, value: str
) -> None:
    made, who = ready(ours)
    answer = post(machine, {**asked(made, who), field: value})
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{field}"]
    assert not Recipient.objects.exists()


def test_an_unknown_field_is_refused(ours: Partner, machine: Client) -> None:
    made, who = ready(ours)
    answer = post(machine, {**asked(made, who), "name": "Zoë"})
    assert answer.status_code == 400
    assert "Zoë" not in answer.content.decode()


def test_nobody_sees_or_sends_what_is_anothers(ours: Partner, machine: Client) -> None:
    made, who = ready(ours)
    told = sent(machine, made, who)
    theirs = caller("messages.write", "messages.read", "links.write", of=partner("Theirs"))
    assert theirs.get(f"{MESSAGES}/{told['id']}").status_code == 404
    assert theirs.post(f"/api/v1/links/{told['link']}/revoke").status_code == 404
    assert post(theirs, asked(made, who)).status_code == 400
    assert theirs.get("/api/v1/campaigns").json()["items"] == []
    assert Link.objects.get().revoked_at is None


def test_a_link_is_revoked_once_and_for_all(ours: Partner, machine: Client) -> None:
    made, who = ready(ours)
    told = sent(machine, made, who)
    address = f"/api/v1/links/{told['link']}/revoke"
    first, again = machine.post(address), machine.post(address)
    assert first.status_code == 200
    assert first.json() == again.json()
    assert not links.is_live(link=links.with_keys().get(), at=clock.now())


def test_campaigns_are_listed_page_by_page(ours: Partner, machine: Client) -> None:
    numbers = {stage.campaign(partner=ours).public_id for _ in range(3)}
    stage.campaign()
    first = machine.get("/api/v1/campaigns?limit=2").json()
    rest = machine.get(f"/api/v1/campaigns?limit=2&after={first['next']}").json()
    assert {row["id"] for row in [*first["items"], *rest["items"]]} == numbers
    assert rest["next"] is None


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", MESSAGES),
        ("get", f"{MESSAGES}/msg_{'0' * 32}"),
        ("post", f"/api/v1/links/lnk_{'0' * 32}/revoke"),
        ("get", "/api/v1/campaigns"),
    ],
)
def test_a_client_without_the_scope_is_told_which(method: str, path: str) -> None:
    answer = getattr(caller("contacts.read"), method)(path)
    assert answer.status_code == 403
    assert answer.json()["required_scopes"]


@pytest.mark.parametrize("limit", ["0", "101", "x", "²", "-1", "1e9"])
def test_a_limit_out_of_range_is_refused(machine: Client, limit: str) -> None:
    assert machine.get("/api/v1/campaigns", {"limit": limit}).status_code == 400


def test_a_key_that_is_too_long_is_refused(ours: Partner, machine: Client) -> None:
    made, who = ready(ours)
    answer = post(machine, asked(made, who), Idempotency_Key="k" * 65)
    assert answer.status_code == 400
