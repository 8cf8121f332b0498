"""Salesforce as it answers: an instance and an organisation in each answer, tokens that rotate."""

from tests.simulators.base import Answer, Asked, Family, Simulator, json_answer

REFUSALS = {
    "dead": (400, "invalid_grant", "expired access/refresh token"),
    "client": (401, "invalid_client", "invalid client credentials"),
    "grant_type": (400, "unsupported_grant_type", "grant type not supported"),
}


class Salesforce(Simulator):
    name = "Salesforce"
    authorize_path, token_path = "/services/oauth2/authorize", "/services/oauth2/token"
    revoke_path = "/services/oauth2/revoke"
    login_hosts = ("login.salesforce.com", "test.salesforce.com", "acme.my.salesforce.com")
    # The organisation's session time: no answer says it.
    expires_seconds = 7200
    rotates = True
    instance_url = "https://acme.my.salesforce.com"
    organisation = "00D5g000004cAbCEAU"

    def token_answer(self, family: Family, access: str) -> dict[str, object]:
        return {
            "access_token": access,
            "signature": "c2lnbmF0dXJl",
            "scope": family.scope,
            "instance_url": self.instance_url,
            "id": f"https://login.salesforce.com/id/{self.organisation}/0055g00000AbCdEAAV",
            "token_type": "Bearer",
            "issued_at": "1753166400000",
        }

    def refusal(self, reason: str) -> Answer:
        status, error, words = REFUSALS[reason]
        return json_answer(status, {"error": error, "error_description": words})

    def api(self, asked: Asked, family: Family) -> Answer:
        return json_answer(200, {"DailyApiRequests": {"Max": 15000, "Remaining": 14998}})

    def api_expired(self) -> Answer:
        found = {"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}
        return json_answer(401, [found])
