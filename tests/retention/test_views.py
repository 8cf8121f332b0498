import json
import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ

from accounts import people as staff_people
from accounts.models import TrailLeaf, User
from config.lib import clock
from consent.models import Contact
from retention import footprint, jobs, runs, verification
from retention.models import (
    Certificate,
    Hold,
    Policy,
    Run,
    SubjectRequest,
    VerificationReport,
)
from retention.views import dashboard
from tests.retention import people, story
from videos import incidents

pytestmark = pytest.mark.django_db(transaction=True)
PAGES = [
    "dashboard",
    "incidents",
    "promises",
    "people",
    "policies",
    "runs",
    "holds",
    "requests",
    "certificates",
]
LISTS = ["accounts_trailleaf", "accounts_datakey", "consent_consentevent", "consent_decision"]
LISTS += ["consent_message", "videos_render", "videos_egressmanifest", "videos_incident"]
LISTS += ["retention_runitem", "retention_certificate", "videos_link", "accounts_trailseal"]


def signed_in(role: str = User.Role.OFFICER) -> Client:
    user = people.officer(role)
    staff_people.add_second_factor(user=user, at=people.AT)
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def asked_again(client: Client) -> Client:
    client.post(reverse("account_reauthenticate"), {"password": "a long password here"})
    return client


def url(name: str, *args: object) -> str:
    return reverse(f"console:{name}", args=args)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("full", [False, True])
def test_each_page_opens_empty_and_full(name: str, full: bool) -> None:
    if full:
        story.whole()
        verification.carry_out(report=verification.ask(at=story.AT, staff=None), at=story.AT)
    assert signed_in().get(url(name)).status_code == 200


@pytest.mark.parametrize("name", LISTS)
def test_each_list_of_evidence_opens_and_cannot_be_changed(name: str) -> None:
    story.whole()
    client = signed_in()
    page = client.get(reverse(f"admin:{name}_changelist"))
    assert page.status_code == 200
    assert client.get(f"/admin/{name.replace('_', '/')}/add/").status_code == 403


def test_the_trail_is_searched_by_a_whole_id() -> None:
    person, _ = story.whole()
    page = signed_in().get(reverse("admin:accounts_trailleaf_changelist"), {"q": str(person.pk)})
    assert page.status_code == 200


@pytest.mark.parametrize("role", [User.Role.MARKETER, None])
def test_the_console_is_for_those_who_may(role: str | None) -> None:
    client = signed_in(role) if role else Client()
    assert client.get(url("dashboard")).status_code in {302, 403}


def test_a_person_is_found_by_an_exact_address_sent_in_a_form() -> None:
    person, _ = story.whole()
    client = signed_in()
    for wanted in ("ZOE@example.org", "+49 151 12345678", person.public_id):
        answer = client.post(url("people"), {"wanted": wanted})
        assert answer["Location"] == url("person", person.public_id), wanted


def test_nobody_is_found_by_a_part() -> None:
    story.whole()
    answer = signed_in().post(url("people"), {"wanted": "zoe@example"})
    assert (answer.status_code, b"We know nobody" in answer.content) == (422, True)


def test_a_page_shows_a_person_masked_until_a_reason_is_given() -> None:
    person, _ = story.whole()
    client = signed_in()
    page = client.get(url("person", person.public_id)).content.decode()
    assert "zoe@example.org" not in page
    assert "Consent confirmed" in page
    shown = client.post(url("reveal", person.public_id), {"reason": "request"}).content.decode()
    assert "zoe@example.org" in shown
    assert TrailLeaf.objects.filter(action="accounts.plaintext.revealed").exists()


def test_an_auditor_reads_and_sees_no_personal_data() -> None:
    person, _ = story.whole()
    client = signed_in(User.Role.AUDITOR)
    page = client.get(url("person", person.public_id)).content.decode()
    assert "Z" + "*" not in page
    assert "Reveal" not in page
    for act in ("reveal", "withdraw", "hold", "erase", "prove"):
        assert client.post(url(act, person.public_id)).status_code == 403


def test_an_officer_withdraws_holds_and_releases() -> None:
    person, _ = story.whole()
    client = signed_in()
    client.post(url("withdraw", person.public_id))
    assert Contact.objects.get(pk=person.pk).stopped_at
    client.post(url("hold", person.public_id), {"reason": "regulator", "reference": "2026-1"})
    hold = Hold.objects.get()
    assert hold.reason == "regulator/2026-1"
    client.post(url("hold_release", hold.pk))
    hold.refresh_from_db()
    assert hold.released_at
    assert OrmQ.objects.exists()


def test_an_erasure_shows_what_goes_and_wants_the_number_typed() -> None:
    person, _ = story.whole()
    client = asked_again(signed_in())
    page = client.get(url("erase", person.public_id)).content.decode()
    assert "What goes, and what stays" in page
    wrong = client.post(url("erase", person.public_id), {"channel": "email", "number": "1"})
    assert (wrong.status_code, SubjectRequest.objects.count()) == (422, 0)
    number = footprint.records(footprint.of(contact=person, at=clock.now()))
    client.post(url("erase", person.public_id), {"channel": "email", "number": str(number)})
    request = SubjectRequest.objects.get()
    jobs.carry_out(str(request.pk))
    assert Contact.objects.get(pk=person.pk).erased_at
    page = client.get(url("person", person.public_id)).content.decode()
    assert "Erased person" in page
    answer = client.get(url("certificate", Certificate.objects.get().number))
    assert json.loads(answer.content)["document"]["scope"] == "person"


def test_a_proof_and_a_copy_are_downloads() -> None:
    person, _ = story.whole()
    client = signed_in()
    assert "reauthenticate" in client.get(url("export", person.public_id))["Location"]
    asked_again(client)
    proof = json.loads(client.post(url("prove", person.public_id)).content)
    assert proof["person"] == str(person.pk)
    assert client.get(url("export", person.public_id)).status_code == 200
    copy = json.loads(client.post(url("export", person.public_id)).content)
    assert "zoe@example.org" in json.dumps(copy["data"])


def test_a_policy_shows_its_effect_before_it_is_saved() -> None:
    people.house()
    client = signed_in()
    shown = client.post(url("policy", "play"), {"period_days": "7"})
    assert b"As it would be" in shown.content
    assert Policy.objects.get(pk="play").period_days == 30
    client.post(url("policy", "play"), {"period_days": "7", "save": "1"})
    assert Policy.objects.get(pk="play").period_days == 7


def test_a_policy_below_its_floor_is_refused_in_words() -> None:
    people.house()
    answer = signed_in().post(url("policy", "link"), {"period_days": "2", "save": "1"})
    assert (answer.status_code, b"shortest period" in answer.content) == (422, True)


def test_a_run_is_planned_and_executed() -> None:
    people.house()
    people.contact(at=clock.now() - timedelta(days=800))
    client = signed_in()
    client.post(url("run_plan"))
    run = Run.objects.get()
    assert client.get(url("run", run.pk)).status_code == 200
    client.post(url("run_execute", run.pk))
    jobs.execute(str(run.pk))
    run.refresh_from_db()
    assert run.state == "done"
    assert client.get(url("run", run.pk)).status_code == 200


def test_a_check_is_asked_for_and_shown_as_it_goes() -> None:
    client = signed_in()
    answer = client.post(url("verify"))
    report = VerificationReport.objects.get()
    assert answer["Location"] == url("report", report.pk)
    assert b"Checking the promises" in client.get(answer["Location"]).content
    jobs.verify(str(report.pk))
    assert b"All seven held" in client.get(answer["Location"]).content


def test_a_request_is_taken_and_closed() -> None:
    person, _ = story.whole()
    client = signed_in()
    client.post(url("ask", person.public_id), {"kind": "access"})
    row = SubjectRequest.objects.get()
    client.post(url("request_close", row.pk))
    row.refresh_from_db()
    assert row.state == "done"


def test_a_run_that_changed_since_its_plan_is_not_executed() -> None:
    people.house()
    old = clock.now() - timedelta(days=800)
    people.contact(at=old)
    run = runs.plan(at=clock.now(), trigger="officer")
    people.contact(number=2, at=old)
    answer = signed_in().post(url("run_execute", run.pk), follow=True)
    assert b"Nothing was erased" in answer.content


def test_an_incident_is_closed_by_who_looked_into_it() -> None:
    row = incidents.open_once(
        kind="vendor_copy_unknown",
        object_type="videos.render",
        object_id=uuid.uuid4(),
        at=people.AT,
    )
    client = signed_in()
    assert b"vendor copy unknown" in client.get(url("incidents")).content.lower()
    client.post(url("incident_close", row.pk))
    row.refresh_from_db()
    assert row.closed_at


def test_what_needs_attention_leads_to_pages_that_open() -> None:
    client = signed_in()
    for page in ("incidents", "requests", "runs", "unanswered", "renders", "holds", "schedules"):
        assert client.get(dashboard._address(page)).status_code == 200, page


@pytest.mark.parametrize("name", ["verify", "seal", "run_plan"])
def test_looking_changes_nothing(name: str) -> None:
    assert signed_in().get(url(name)).status_code == 405
