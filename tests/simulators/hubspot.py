"""HubSpot as it answers: tokens of 2026-03, one refresh token for good, errors with a category."""

from tests.simulators.base import Answer, Asked, Family, Simulator, json_answer

DEAD = "refresh token is invalid, expired or revoked"
REFUSALS = {
    "dead": (
        400,
        "invalid_grant",
        "BAD_REFRESH_TOKEN",
        "refresh token is invalid, expired or revoked",
    ),
    "client": (401, "invalid_client", "BAD_CLIENT_SECRET", "missing or invalid client secret"),
    "grant_type": (400, "unsupported_grant_type", "BAD_GRANT_TYPE", "grant type is not supported"),
}


class HubSpot(Simulator):
    name = "HubSpot"
    authorize_path, token_path = "/oauth/authorize", "/oauth/2026-03/token"
    revoke_path = "/oauth/2026-03/token/revoke"
    login_hosts, token_hosts = ("app.hubspot.com",), ("api.hubapi.com",)
    expires_seconds = 1800
    hub_id = 4_242_424

    def token_answer(self, family: Family, access: str) -> dict[str, object]:
        return {
            "token_type": "bearer",
            "token_use": "access_token",
            "access_token": access,
            "refresh_token": family.refresh,
            "expires_in": self.expires_seconds,
            "hub_id": self.hub_id,
            "user_id": 9,
            "scopes": family.scope.split(),
        }

    def refusal(self, reason: str) -> Answer:
        status, error, code, words = REFUSALS[reason]
        found = {"error": error, "error_description": words, "status": code, "message": words}
        return json_answer(status, found)

    def api(self, asked: Asked, family: Family) -> Answer:
        return json_answer(200, {"name": "email", "label": "Email", "type": "string"})

    def api_expired(self) -> Answer:
        found = {"status": "error", "message": "The OAuth token expired.", "correlationId": "0"}
        return json_answer(401, {**found, "category": "EXPIRED_AUTHENTICATION"})
