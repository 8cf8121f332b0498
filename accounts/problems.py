"""How does the API say no? RFC 9457 for every refusal, with the same fields and a page for each.

Of a refusal its kind and number are logged, and nothing of what was sent: it may be personal.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.exceptions import ErrorDetail
from rest_framework.response import Response

from config.lib import ids, logs

log = logs.get(__name__)
CONTENT_TYPE = "application/problem+json"
CATALOGUE_URL = "/api/v1/problems/"
API_PREFIX = "/api/"


class Kind(NamedTuple):
    """One kind of refusal: what the caller sees, and what to do about it."""

    status: int
    title: str
    advice: str


CATALOGUE = {
    "invalid": Kind(
        400, "The request is not valid", "Look at `errors`: each names a field and says why."
    ),
    "malformed": Kind(400, "The body cannot be read", "Send JSON in UTF-8, at most 2 MB."),
    "not-signed-in": Kind(
        401,
        "A valid access token is needed",
        "Fetch a token from /identity/o/api/token and send it as `Authorization: Bearer`.",
    ),
    "not-allowed": Kind(
        403,
        "This client may not do that",
        "Ask for a client with the scopes in `required_scopes`.",
    ),
    "not-found": Kind(404, "There is nothing here", "Check the address and the id."),
    "method-not-allowed": Kind(
        405, "This address does not take that method", "See `Allow` for those it takes."
    ),
    "not-acceptable": Kind(406, "Only JSON is served", "Send `Accept: application/json`."),
    "conflict": Kind(409, "It cannot be done as things stand", "Read `detail`; then try again."),
    "unsupported-media-type": Kind(
        415, "Only JSON is taken", "Send `Content-Type: application/json`."
    ),
    "too-many-requests": Kind(429, "Too many requests", "Wait as many seconds as `Retry-After`."),
    "server-error": Kind(
        500,
        "Something went wrong on our side",
        "Try again; if it stays so, quote `request_id`.",
    ),
    "unavailable": Kind(503, "The service is sealed", "Try again later, or quote `request_id`."),
}
BY_STATUS = {kind.status: code for code, kind in CATALOGUE.items() if code != "malformed"}


class ScopeMissing(exceptions.PermissionDenied):
    """The token lacks a scope that this act needs; the answer names it."""

    def __init__(self, scopes: Sequence[str]) -> None:
        super().__init__(f"This act needs the scope {' '.join(scopes)}.")
        self.scopes = list(scopes)


class Conflict(exceptions.APIException):
    """The act is refused as things stand; `code` names the reason for a machine."""

    status_code = 409
    default_detail = "It cannot be done as things stand."
    default_code = "conflict"


def handle(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Answer an exception of an API view (Django REST framework's EXCEPTION_HANDLER)."""
    known = _known(error)
    if known is None:
        # Not ours to explain: Django logs it and asks `server_error` for the answer.
        return None
    request: HttpRequest = context["request"]
    response = Response(
        _body(known, request.path), status=known.status_code, content_type=CONTENT_TYPE
    )
    for name, value in _headers(known):
        response[name] = value
    return response


def problem(*, code: str, path: str, detail: str = "", **more: object) -> dict[str, object]:
    """Return the members of a problem; `code` is one of `CATALOGUE`."""
    kind = CATALOGUE[code]
    request_id = f"req_{uuid.uuid4().hex}"
    log.info("accounts.api.refused", status=kind.status, kind=code, request_id=request_id)
    return {
        "type": f"{CATALOGUE_URL}#{code}",
        "title": kind.title,
        "status": kind.status,
        "detail": detail or kind.advice,
        "instance": path,
        "request_id": request_id,
        **more,
    }


def answer(*, code: str, path: str) -> JsonResponse:
    """Return a problem outside of a view of the API."""
    body = problem(code=code, path=path)
    return JsonResponse(body, status=CATALOGUE[code].status, content_type=CONTENT_TYPE)


def _known(error: Exception) -> exceptions.APIException | None:
    if isinstance(error, Http404 | ids.NotAnId):
        return exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    return error if isinstance(error, exceptions.APIException) else None


def _body(error: exceptions.APIException, path: str) -> dict[str, object]:
    if isinstance(error, exceptions.ValidationError):
        return problem(code="invalid", path=path, errors=list(_errors(error.detail, "")))
    if isinstance(error, exceptions.ParseError):
        return problem(code="malformed", path=path)
    code = BY_STATUS.get(error.status_code, "invalid")
    if isinstance(error, ScopeMissing):
        detail = str(error.detail)
        return problem(code=code, path=path, detail=detail, required_scopes=error.scopes)
    if isinstance(error, Conflict):
        reason = error.get_codes()
        return problem(code=code, path=path, detail=str(error.detail), reason=reason)
    return problem(code=code, path=path)


def _errors(detail: object, pointer: str) -> Iterator[dict[str, str]]:
    """Walk what a serializer found, each with a JSON pointer (RFC 6901) to its place."""
    if isinstance(detail, Mapping):
        for name, part in detail.items():
            at = "" if name == "non_field_errors" else f"/{name}"
            yield from _errors(part, pointer + at)
    elif isinstance(detail, ErrorDetail):
        yield {"pointer": pointer, "code": detail.code or "invalid", "detail": str(detail)}
    elif isinstance(detail, Sequence):
        for number, part in enumerate(detail):
            inner = isinstance(part, Mapping)
            yield from _errors(part, f"{pointer}/{number}" if inner else pointer)


def _headers(error: exceptions.APIException) -> Iterator[tuple[str, str]]:
    if isinstance(error, exceptions.NotAuthenticated):
        yield "WWW-Authenticate", 'Bearer realm="sealcast"'
    elif isinstance(error, exceptions.AuthenticationFailed):
        yield "WWW-Authenticate", 'Bearer realm="sealcast", error="invalid_token"'
    elif isinstance(error, ScopeMissing):
        scope = " ".join(error.scopes)
        named = f'Bearer realm="sealcast", error="insufficient_scope", scope="{scope}"'
        yield "WWW-Authenticate", named
    elif isinstance(error, exceptions.Throttled):
        # Not on the stubs: the seconds, or None when they are not known.
        wait = getattr(error, "wait", None)
        yield "Retry-After", str(int(wait or 59) + 1)
