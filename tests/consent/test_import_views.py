import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from consent import import_views, jobs, purposes
from consent.models import Contact, ImportBatch
from tests.accounts.staff import browser
from tests.consent.people import NOON

pytestmark = pytest.mark.django_db
PAGE = "/contacts/imports/"
GOOD = b"name,email,consent\nAna,ana@example.org,yes\nBo,bo@example.org,\n"
BAD = GOOD + b"=1+1,no-mail,maybe\n"


@pytest.fixture
def client() -> Client:
    purposes.ensure_defaults(at=NOON)
    return browser("marketer")


def upload(client: Client, file: bytes) -> ImportBatch:
    form = {"file": SimpleUploadedFile("people.csv", file), "source": "crm"}
    answer = client.post(PAGE, form)
    assert answer.status_code == 302
    return ImportBatch.objects.get()


def test_upload_check_import_by_a_job(client: Client) -> None:
    batch = upload(client, BAD)
    shown = client.get(f"{PAGE}{batch.pk}").content.decode()
    assert "Import 2 people" in shown
    assert "This is not an e-mail address." in shown
    assert "no-mail" not in shown
    client.post(f"{PAGE}{batch.pk}/commit")
    assert "Importing" in client.get(f"{PAGE}{batch.pk}").content.decode()
    assert Contact.objects.count() == 0
    assert jobs.work_on_import(str(batch.pk)) == "committed"
    assert Contact.objects.count() == 2
    assert "Imported." in client.get(f"{PAGE}{batch.pk}").content.decode()


def test_a_big_list_is_checked_by_a_job_with_progress(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_views, "CHECKED_AT_ONCE_BYTES", 10)
    batch = upload(client, GOOD)
    assert batch.state == "checking"
    part = client.get(f"{PAGE}{batch.pk}/progress")
    assert "hx-get" in part.content.decode()
    assert "HX-Refresh" not in part.headers
    assert jobs.work_on_import(str(batch.pk)) == "checked"
    assert client.get(f"{PAGE}{batch.pk}/progress").headers["HX-Refresh"] == "true"


def test_a_file_that_cannot_be_read_says_so_beside_the_field(client: Client) -> None:
    form = {"file": SimpleUploadedFile("x.csv", b"name,email\nJ\xfcrgen,j@x.org\n"), "source": "a"}
    answer = client.post(PAGE, form)
    assert answer.status_code == 422
    assert "not written in UTF-8" in answer.content.decode()
    assert ImportBatch.objects.count() == 0


def test_without_a_file_nothing_happens(client: Client) -> None:
    assert client.post(PAGE, {"source": "crm"}).status_code == 422


def test_putting_a_list_away_destroys_it(client: Client) -> None:
    batch = upload(client, GOOD)
    client.post(f"{PAGE}{batch.pk}/discard")
    batch.refresh_from_db()
    assert (batch.state, batch.rows_sealed) == ("discarded", None)
    client.post(f"{PAGE}{batch.pk}/commit")
    assert jobs.work_on_import(str(batch.pk)) == "discarded"
    assert Contact.objects.count() == 0


def test_the_problems_as_a_file_run_no_formula(client: Client) -> None:
    batch = upload(client, b"name,email\nAna,=cmd|x\n")
    answer = client.get(f"{PAGE}{batch.pk}/problems.csv")
    lines = answer.content.decode().splitlines()
    assert lines[0] == "row,column,value,problem"
    assert lines[1].startswith("2,email,'=")


@pytest.mark.parametrize("role", ["auditor", ""])
def test_others_may_not_import(role: str) -> None:
    form = {"file": SimpleUploadedFile("people.csv", GOOD), "source": "crm"}
    assert browser(role).post(PAGE, form).status_code in {302, 403}
    assert ImportBatch.objects.count() == 0


def test_looking_changes_nothing(client: Client) -> None:
    batch = upload(client, GOOD)
    before = ImportBatch.objects.values().get()
    for page in (PAGE, f"{PAGE}{batch.pk}", f"{PAGE}{batch.pk}/progress"):
        assert client.get(page).status_code == 200
    assert client.get(f"{PAGE}{batch.pk}/commit").status_code == 405
    assert ImportBatch.objects.values().get() == before
