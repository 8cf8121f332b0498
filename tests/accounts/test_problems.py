"""Is every refusal of the API one shape, with a page that says what to do?"""

import json
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from accounts import api, problems
from accounts.api_views import PublicView
from config import urls
from config.lib import ids
from tests.accounts.staff import caller

pytestmark = pytest.mark.django_db
MEMBERS = {"type", "title", "status", "detail", "instance", "request_id"}


@pytest.fixture(autouse=True)
def _no_limits_from_before() -> None:
    cache.clear()


def answer(error: Exception) -> tuple[int, dict[str, object], str]:
    request = Request(APIRequestFactory().get("/api/v1/contacts"))
    response = problems.handle(error, {"request": request})
    assert response is not None
    return response.status_code, response.data, str(response.get("WWW-Authenticate", ""))


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (exceptions.ParseError("JSON parse error: ana@example.org"), 400, "malformed"),
        (exceptions.ValidationError({"name": ["bad"]}), 400, "invalid"),
        (exceptions.NotAuthenticated(), 401, "not-signed-in"),
        (exceptions.AuthenticationFailed(), 401, "not-signed-in"),
        (exceptions.PermissionDenied(), 403, "not-allowed"),
        (PermissionDenied("campaign.send"), 403, "not-allowed"),
        (exceptions.NotFound(), 404, "not-found"),
        (Http404("No Contact matches ana@example.org"), 404, "not-found"),
        (ids.NotAnId("con"), 404, "not-found"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method-not-allowed"),
        (exceptions.NotAcceptable(), 406, "not-acceptable"),
        (problems.Conflict("It was revoked.", code="revoked"), 409, "conflict"),
        (exceptions.UnsupportedMediaType("text/csv"), 415, "unsupported-media-type"),
        (exceptions.Throttled(wait=5), 429, "too-many-requests"),
    ],
)
def test_each_refusal_has_its_status_and_kind(error: Exception, status: int, kind: str) -> None:
    seen, body, _ = answer(error)
    assert (seen, body["status"], body["type"]) == (status, status, f"/api/v1/problems/#{kind}")
    assert set(body) >= MEMBERS
    assert body["instance"] == "/api/v1/contacts"
    assert "ana@example.org" not in json.dumps(body)


def test_an_exception_that_is_no_refusal_is_left_to_django() -> None:
    request = Request(APIRequestFactory().get("/x"))
    assert problems.handle(ZeroDivisionError(), {"request": request}) is None


def test_a_missing_scope_is_named() -> None:
    status, body, header = answer(problems.ScopeMissing(["messages.write"]))
    assert status == 403
    assert body["required_scopes"] == ["messages.write"]
    assert 'scope="messages.write"' in header
    assert 'error="insufficient_scope"' in header


def test_a_conflict_says_why_to_a_machine() -> None:
    _, body, _ = answer(problems.Conflict("The contact withdrew.", code="withdrawn"))
    assert (body["reason"], body["detail"]) == ("withdrawn", "The contact withdrew.")


class Inner(api.StrictSerializer):
    email = serializers.EmailField()


class Outer(api.StrictSerializer):
    name = serializers.CharField(max_length=3)
    people = Inner(many=True)


def test_each_fault_has_a_pointer_to_its_place() -> None:
    body = Outer(data={"name": "long name", "people": [{"email": "a@b.example"}, {"email": "x"}]})
    body.is_valid()
    _, told, _ = answer(exceptions.ValidationError(body.errors))
    errors = told["errors"]
    assert isinstance(errors, list)
    assert [(error["pointer"], error["code"]) for error in errors] == [
        ("/name", "max_length"),
        ("/people/1/email", "invalid"),
    ]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "/api/v1/nothing-here", 404),
        ("get", "/api/v2/me", 404),
        ("delete", "/api/v1/me", 405),
        ("post", "/api/v1/openapi.json", 405),
    ],
)
def test_refusals_before_a_view_have_the_same_shape(method: str, path: str, status: int) -> None:
    response = getattr(caller(), method)(path)
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert set(response.json()) >= MEMBERS


def test_what_is_asked_for_in_another_form_is_refused_in_the_same_shape() -> None:
    response = caller().get("/api/v1/me", headers={"Accept": "text/html"})
    assert response.status_code == 406
    assert set(json.loads(response.content)) >= MEMBERS


class Echo(PublicView):
    def post(self, request: Request) -> None:
        json.dumps(request.data)
        raise ZeroDivisionError("ana@example.org")


def forbidden(_request: HttpRequest) -> HttpResponse:
    raise PermissionDenied("ana@example.org")


@pytest.fixture
def _with_faulty_views(monkeypatch: pytest.MonkeyPatch, settings: object) -> Iterator[None]:
    class Routes:
        urlpatterns = [
            path("api/v1/echo", Echo.as_view()),
            path("api/v1/forbidden", forbidden),
            path("forbidden", forbidden),
        ]
        handler400, handler403 = urls.handler400, urls.handler403
        handler404, handler500 = urls.handler404, urls.handler500

    settings.ROOT_URLCONF = Routes  # type: ignore[attr-defined]
    yield


def post(body: str, kind: str = "application/json") -> HttpResponse:
    client = Client(raise_request_exception=False)
    response: HttpResponse = client.post("/api/v1/echo", body, content_type=kind)  # type: ignore[assignment]
    return response


@pytest.mark.usefixtures("_with_faulty_views")
def test_a_fault_of_ours_has_the_same_shape_and_no_details() -> None:
    response = post("{}")
    body = json.loads(response.content)
    assert (response.status_code, body["type"]) == (500, "/api/v1/problems/#server-error")
    assert b"ana@example.org" not in response.content
    assert body["request_id"].startswith("req_")


@pytest.mark.usefixtures("_with_faulty_views")
@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ("{", "application/json", 400),
        ("\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "application/json", 400),
        ("a=b", "application/x-www-form-urlencoded", 415),
        ("x" * (3 << 20), "application/json", 400),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(body: str, kind: str, status: int) -> None:
    response = post(body, kind)
    assert response.status_code == status
    assert set(json.loads(response.content)) >= MEMBERS


@pytest.mark.usefixtures("_with_faulty_views")
def test_a_page_is_refused_with_a_page_and_the_api_with_a_problem() -> None:
    client = Client()
    page, problem = client.get("/forbidden"), client.get("/api/v1/forbidden")
    assert (page.status_code, problem.status_code) == (403, 403)
    assert page["Content-Type"].startswith("text/html")
    assert problem["Content-Type"] == "application/problem+json"
    for response in (page, problem):
        assert b"ana@example.org" not in response.content


def test_each_kind_has_its_line_on_the_page_of_refusals() -> None:
    page = Client().get("/api/v1/problems/").content.decode()
    for code, kind in problems.CATALOGUE.items():
        assert f'id="{code}"' in page
        assert kind.title in page
