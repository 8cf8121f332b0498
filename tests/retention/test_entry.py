"""A consent of paper, entered with its proof; and a list of evidence, from upload to consent."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import TrailLeaf, User
from config.lib import clock
from consent import contacts, jobs
from consent.models import ConsentEvent, Contact, ImportBatch, Proof
from retention.views.entry import FIELDS
from tests.consent.people import act, person, rests_on
from tests.retention.test_views import signed_in, url

pytestmark = pytest.mark.django_db(transaction=True)
PDF = b"%PDF-1.7 signed by hand"
LIST = "address,purpose,channel,act,said_at,source,seller,notice,form_url\n"


def filled(**more: object) -> dict[str, object]:
    said = (clock.now() - timedelta(days=9)).strftime("%Y-%m-%dT%H:%M")
    file = SimpleUploadedFile("scan.pdf", PDF, content_type="application/pdf")
    said_words = {"act": "paper", "said_at": said, "proof": file, "note": "drawer 4"}
    return {"purpose": "marketing", "channel": "email", **said_words, **more}


def enter(client: Client, contact: Contact, permission: str = "express", **more: object) -> int:
    page = url("enter", contact.public_id) + f"?permission={permission}"
    return client.post(page, filled(**more)).status_code


def test_a_consent_is_entered_with_its_proof_and_shown_as_weaker() -> None:
    contact = person(clock.now() - timedelta(days=30))
    client = signed_in()
    assert client.get(url("enter", contact.public_id)).status_code == 200
    assert enter(client, contact) == 302
    event = ConsentEvent.objects.get()
    assert (event.kind, event.act, event.actor_kind) == ("given", "paper", "staff")
    assert event.proof is not None
    assert b"drawer 4" in rests_on(event)
    page = client.get(url("answer", contact.public_id)).content.decode()
    assert "entered by staff, which is weaker evidence" in page


def test_a_proof_is_opened_for_a_reason_that_stands_in_the_trail() -> None:
    contact = person(clock.now())
    client = signed_in()
    enter(client, contact)
    proof = url("proof", contact.public_id, Proof.objects.get().pk)
    assert b"Nothing was shown" in client.post(proof, {}, follow=True).content
    answer = client.post(proof, {"reason": "complaint"})
    assert (answer.content, answer["Content-Type"]) == (PDF, "application/pdf")
    assert answer["Content-Disposition"].startswith("attachment")
    assert TrailLeaf.objects.filter(action="accounts.plaintext.revealed").count() == 1
    other = url("proof", person(clock.now()).public_id, Proof.objects.get().pk)
    assert client.post(other, {"reason": "complaint"}).status_code == 404


@pytest.mark.parametrize(
    ("permission", "more"),
    [
        ("express", {"proof": SimpleUploadedFile("x.html", b"<html>", content_type="text/html")}),
        ("express", {"said_at": "2099-01-01T10:00"}),
        ("express", {"purpose": "permission_request"}),
        ("soft_opt_in", {"order": "4711", "product_class": "shoes", "opt_out_shown": "on"}),
        ("written", {"seller": "Acme", "number": "+33612340000"}),
    ],
)
def test_what_is_not_whole_is_refused_and_keeps_no_proof(
    permission: str, more: dict[str, object]
) -> None:
    contact = person(clock.now())
    assert enter(signed_in(), contact, permission, **more) == 422
    assert not Proof.objects.exists()
    assert not ConsentEvent.objects.exists()


def test_a_stronger_permission_is_entered_with_its_elements() -> None:
    contact = person(clock.now())
    sold = (clock.now() - timedelta(days=3)).strftime("%Y-%m-%dT%H:%M")
    told = {"order": "4711", "product_class": "shoes", "sold_at": sold}
    ticked = {"opt_out_shown": "on", "similar_goods": "on"}
    assert enter(signed_in(), contact, "soft_opt_in", **told, **ticked) == 302
    assert ConsentEvent.objects.get().permission == "soft_opt_in"


@pytest.mark.parametrize("permission", list(FIELDS))
def test_each_kind_of_permission_has_its_form(permission: str) -> None:
    contact = person(clock.now())
    page = signed_in().get(url("enter", contact.public_id), {"permission": permission})
    assert page.status_code == 200
    assert all(f'name="{name}"' in page.content.decode() for name in FIELDS[permission])


def test_an_auditor_enters_nothing() -> None:
    contact = person(clock.now())
    assert enter(signed_in(User.Role.AUDITOR), contact) == 403


@pytest.mark.parametrize("role", [User.Role.OFFICER, User.Role.MARKETER])
def test_a_list_of_evidence_turns_claims_into_consent(role: str) -> None:
    at = clock.now() - timedelta(days=400)
    contact = person(at)
    act(contact, "email", "claimed", at)
    address = contacts.opened(contact=contact, at=clock.now()).email
    said = (clock.now() - timedelta(days=30)).strftime("%Y-%m-%dT%H:%MZ")
    good = f"{address},marketing,email,checkbox,{said},shop,Acme,I agree.,https://example.org/f\n"
    bad = f"nobody@example.org,marketing,email,checkbox,{said},shop,,,\n"
    client = signed_in(role)
    file = SimpleUploadedFile("list.csv", (LIST + good + bad).encode())
    sent = client.post(reverse("consent:evidence"), {"file": file, "source": "shop"})
    page = client.get(sent["Location"]).content.decode()
    assert "Import 1 acts of consent" in page
    assert "seller" in page
    assert ConsentEvent.objects.filter(kind="given").count() == 0
    batch = ImportBatch.objects.get()
    assert (batch.kind, batch.new_rows, batch.bad_rows) == ("evidence", 1, 1)
    client.post(reverse("consent:import_commit", args=[batch.pk]))
    assert jobs.work_on_import(str(batch.pk)) == "committed"
    assert ConsentEvent.objects.get(kind="given").act == "checkbox"
    assert b"From" in client.get(reverse("consent:evidence")).content
    assert str(batch.pk) not in client.get(reverse("consent:imports")).content.decode()


def test_a_file_that_is_no_list_of_evidence_is_refused() -> None:
    file = SimpleUploadedFile("list.csv", b"name,email\nA,a@example.org\n")
    sent = signed_in().post(reverse("consent:evidence"), {"file": file, "source": "shop"})
    assert (sent.status_code, ImportBatch.objects.count()) == (422, 0)
