"""What does the description of the API say of refusals? That every operation has the same ones."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

from accounts import partners, problems
from accounts.api import TOKEN_URL

# Which refusals any operation can give; the rest is said where it is raised.
EVERYWHERE = ("invalid", "not-signed-in", "not-allowed", "not-found", "too-many-requests")
WRITES = ("unsupported-media-type",)
VERBS = {"get", "put", "post", "delete", "patch"}
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "request_id"],
    "properties": {
        "type": {"type": "string", "description": "Names the kind, and leads to its page."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "The path that was called."},
        "request_id": {"type": "string", "description": "Quote it when you ask for help."},
        "reason": {"type": "string", "description": "With 409: why, for a machine."},
        "required_scopes": {"type": "array", "items": {"type": "string"}},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer into the body."},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}


class PartnerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "accounts.api.PartnerAuthentication"
    name = "clientCredentials"

    def get_security_definition(self, auto_schema: object) -> dict[str, object]:
        return {
            "type": "oauth2",
            "flows": {
                "clientCredentials": {"tokenUrl": TOKEN_URL, "scopes": dict(partners.SCOPES)}
            },
        }


def describe_problems(
    result: dict[str, Any],
    generator: object,
    request: object,
    public: bool,  # noqa: FBT001 positional by the hook's contract
) -> dict[str, Any]:
    """Add the refusals to every operation (a hook of drf-spectacular)."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = PROBLEM
    for path in result["paths"].values():
        for verb, operation in path.items():
            if verb in VERBS:
                _describe(operation, (*EVERYWHERE, *(WRITES if verb != "get" else ())))
    return result


def _describe(operation: dict[str, Any], codes: tuple[str, ...]) -> None:
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    for code in codes:
        kind = problems.CATALOGUE[code]
        operation["responses"].setdefault(
            str(kind.status),
            {"description": kind.title, "content": {problems.CONTENT_TYPE: schema}},
        )
