"""HeyGen's OAuth as it answers: no new refresh token with a refresh, errors of its own."""

from tests.simulators.base import Answer, Asked, Family, Simulator, json_answer

REFUSALS = {
    "dead": (400, "invalid_grant"),
    "client": (401, "invalid_client"),
    "grant_type": (400, "unsupported_grant_type"),
}


class HeyGenSignIn(Simulator):
    name = "HeyGen"
    authorize_path, token_path = "/oauth/authorize", "/v1/oauth/token"
    revoke_path = "/v1/oauth/revoke"
    login_hosts, token_hosts = ("app.heygen.com",), ("api2.heygen.com",)

    faults = {
        "429": (429, {"error": {"code": "rate_limit_exceeded", "message": "slow"}}),
        "403": (403, {"error": {"code": "forbidden", "message": "ana@example.org"}}),
        "400": (400, {"error": {"code": "validation_error", "message": "bad"}}),
        "200_with_error": (200, {"error": {"code": "unknown", "message": "bad"}}),
        "wrong_members": (200, {"data": {"id": 5}, "id": []}),
    }

    def token_answer(self, family: Family, access: str) -> dict[str, object]:
        return {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": self.expires_seconds,
            "scope": family.scope,
        }

    def refusal(self, reason: str) -> Answer:
        status, error = REFUSALS[reason]
        return json_answer(status, {"error": error, "error_description": "no"})

    def api(self, asked: Asked, family: Family) -> Answer:
        return json_answer(200, {"data": [], "has_more": False, "next_token": None})

    def api_expired(self) -> Answer:
        return json_answer(401, {"error": {"code": "unauthorized", "message": "no"}})
