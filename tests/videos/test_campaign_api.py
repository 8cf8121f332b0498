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
from tests.videos.test_presenters import ANNA
from videos.models import Campaign, Recipient, Script

pytestmark = pytest.mark.django_db
HEALTH = "Hello {{ name }}. Your diabetes check-up is due."


@pytest.fixture
def ours() -> Partner:
    connections.ensure_local(at=clock.now())
    return partner("Ours")


@pytest.fixture
def machine(ours: Partner) -> Client:
    return caller("messages.write", "messages.read", of=ours)


@pytest.fixture
def made(ours: Partner) -> Campaign:
    now = clock.now()
    stage.agreed(stage.person(partner=ours, at=now), at=now)
    found = stage.campaign(partner=ours)
    Script.objects.create(campaign=found, language="en", text=HEALTH, updated_at=now)
    return found


def address(made: Campaign) -> str:
    return f"/api/v1/campaigns/{made.public_id}"


def put(machine: Client, made: Campaign, **body: object) -> Any:
    data = json.dumps(body)
    return machine.post(f"{address(made)}/content", data, content_type="application/json")


def test_a_campaign_tells_what_it_speaks_of_and_whom_that_leaves(
    machine: Client, made: Campaign
) -> None:
    told = machine.get(address(made)).json()
    assert (told["content"], told["presenter"]) == (["health"], "drawn")
    assert (told["reachable"], told["reachable_plain"]) == (0, 1)
    spoken = told["spoken"][0]
    assert spoken["words"] == [{"language": "en", "word": "diabetes", "line": 1, "column": 24}]
    assert "GDPR Art. 9" in spoken["rules"][0]["source"]
    listed = machine.get("/api/v1/campaigns").json()["items"][0]
    assert listed["content"] == ["health"]


def test_a_partner_adds_and_takes_out(machine: Client, made: Campaign) -> None:
    told = put(machine, made, declare=["phi"]).json()
    assert told["content"] == ["health", "phi"]
    out = [{"content": "health", "reason": "no_person"}]
    told = put(machine, made, take_back=["phi"], dismiss=out).json()
    assert (told["content"], told["reachable"]) == ([], 1)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"declare": ["weather"]}, "content"),
        ({"declare": ["phi"], "dismiss": [{"content": "health", "reason": "no"}]}, "reason"),
        ({"declare": ["phi"], "take_back": ["union"]}, "content"),
        ({"remove": ["health"]}, "remove"),
    ],
)
def test_what_makes_no_sense_is_named_and_nothing_is_done(
    machine: Client, made: Campaign, body: dict[str, object], field: str
) -> None:
    answer = put(machine, made, **body)
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{field}"]
    assert Campaign.objects.get().content_declared == []


def test_nothing_is_taken_out_once_sending_has_begun(machine: Client, made: Campaign) -> None:
    put(machine, made, declare=["phi"])
    Campaign.objects.update(state="sending", started_at=stage.AT)
    answer = put(machine, made, take_back=["phi"])
    assert (answer.status_code, answer.json()["reason"]) == (409, "campaign_not_editable")
    assert "Sending has begun" in answer.json()["detail"]


def test_a_presenter_without_a_release_is_told_and_sends_nothing(
    machine: Client, made: Campaign
) -> None:
    Campaign.objects.update(presenter_code=ANNA)
    told = machine.get(address(made)).json()
    assert told["presenter_refusals"] == [
        {
            "language": "en",
            "code": "presenter_not_released",
            "text": "This presenter has signed no release that is in force",
        }
    ]
    who = Contact.objects.get()
    body = json.dumps({"campaign": made.public_id, "contact": who.public_id})
    answer = machine.post("/api/v1/messages", body, content_type="application/json")
    assert (answer.status_code, answer.json()["reason"]) == (409, "presenter_not_released")
    assert "signed no release" in answer.json()["detail"]
    assert not Recipient.objects.exists()


def test_the_campaign_of_another_is_not_there(made: Campaign) -> None:
    other = caller("messages.write", "messages.read", of=partner("Other"))
    assert other.get(address(made)).status_code == 404
    assert put(other, made, declare=["phi"]).status_code == 404
    assert Campaign.objects.get().content_declared == []
