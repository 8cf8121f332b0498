import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import Partner, TrailLeaf
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


def patch(machine: Client, made: Campaign, **body: object) -> Any:
    data = json.dumps(body)
    return machine.patch(address(made), data, content_type="application/json")


def test_a_partner_says_who_opens_a_link(machine: Client, made: Campaign) -> None:
    Script.objects.update(text="Hello {{ name }}. Spring is here.")
    told = patch(machine, made, devices_allowed=2, step_up="beyond").json()
    assert (told["devices_allowed"], told["step_up"]) == (2, "beyond")
    told = patch(machine, made, devices_allowed=3).json()
    assert (told["devices_allowed"], told["step_up"]) == (3, "beyond")
    listed = machine.get("/api/v1/campaigns").json()["items"][0]
    assert (listed["devices_allowed"], listed["step_up"]) == (3, "beyond")
    assert TrailLeaf.objects.filter(action="videos.campaign.devices_changed").count() == 2


def test_words_about_health_ask_for_a_code_whatever_is_chosen(
    machine: Client, made: Campaign
) -> None:
    assert patch(machine, made, step_up="never").json()["step_up"] == "always"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"devices_allowed": 0}, "devices_allowed"),
        ({"devices_allowed": 21}, "devices_allowed"),
        ({"devices_allowed": "many"}, "devices_allowed"),
        ({"step_up": "sometimes"}, "step_up"),
        ({"plays_allowed": 3}, "plays_allowed"),
    ],
)
def test_a_policy_that_is_none_is_named(
    machine: Client, made: Campaign, body: dict[str, object], field: str
) -> None:
    answer = patch(machine, made, **body)
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{field}"]
    assert Campaign.objects.get().devices_allowed == 5


def test_who_opens_a_link_is_settled_once_sending_has_begun(
    machine: Client, made: Campaign, ours: Partner
) -> None:
    reader = caller("messages.read", of=ours)
    assert patch(reader, made, devices_allowed=2).status_code == 403
    Campaign.objects.update(state="sending", started_at=stage.AT)
    answer = patch(machine, made, devices_allowed=2)
    assert (answer.status_code, answer.json()["reason"]) == (409, "campaign_not_editable")


def test_the_description_of_the_api_tells_of_it(machine: Client) -> None:
    described = machine.get("/api/v1/openapi.json").json()
    operation = described["paths"]["/api/v1/campaigns/{campaign_name}"]["patch"]
    assert operation["operationId"] == "campaigns_devices"
    shown = described["components"]["schemas"]["CampaignOut"]["properties"]
    assert {"devices_allowed", "step_up"} <= set(shown)
