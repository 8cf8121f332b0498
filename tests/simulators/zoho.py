"""Zoho as it answers: a data centre in the callback, errors with 200, a header of its own."""

from tests.simulators.base import Answer, Asked, Family, Simulator, json_answer

CENTRE = "in"
REFUSALS = {"dead": "invalid_code", "client": "invalid_client", "grant_type": "invalid_request"}


class Zoho(Simulator):
    name = "Zoho CRM"
    authorize_path, token_path = "/oauth/v2/auth", "/oauth/v2/token"
    revoke_path = "/oauth/v2/revoke/token"
    login_hosts = ("accounts.zoho.com", "accounts.zoho.in", "accounts.zoho.eu")
    scope_joint = ","
    accounts_server = f"https://accounts.zoho.{CENTRE}"
    api_domain = f"https://www.zohoapis.{CENTRE}"

    def told_back(self, asked: Asked) -> dict[str, str]:
        return {"location": CENTRE, "accounts-server": self.accounts_server}

    def token_answer(self, family: Family, access: str) -> dict[str, object]:
        return {
            "access_token": access,
            "api_domain": self.api_domain,
            "token_type": "Bearer",
            "expires_in": self.expires_seconds,
        }

    def token(self, asked: Asked) -> Answer:
        # A code and a refresh token are known in one data centre only.
        if f"https://{asked.host}" != self.accounts_server:
            return self.refusal("dead")
        return super().token(asked)

    def refusal(self, reason: str) -> Answer:
        return json_answer(200, {"error": REFUSALS[reason]})

    def revoked(self, *, known: bool) -> Answer:
        found = {"status": "success"} if known else {"error": "invalid_token"}
        return json_answer(200 if known else 400, found)

    def bearer(self, asked: Asked) -> str:
        kind, _, token = asked.headers.get("Authorization", "").partition(" ")
        return token if kind == "Zoho-oauthtoken" else ""

    def api(self, asked: Asked, family: Family) -> Answer:
        return json_answer(200, {"fields": [{"api_name": "Email", "data_type": "email"}]})

    def api_expired(self) -> Answer:
        found = {"code": "INVALID_TOKEN", "message": "invalid oauth token", "details": {}}
        return json_answer(401, {**found, "status": "error"})
