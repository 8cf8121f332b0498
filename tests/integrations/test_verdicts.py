"""Are a vendor's words read for what they mean?"""

import pytest

from integrations import verdicts

SESSION = b'[{"errorCode":"INVALID_SESSION_ID"}]'
LIMIT = b'[{"errorCode":"REQUEST_LIMIT_EXCEEDED"}]'


def seen(where: str, provider: str, status: int, body: bytes) -> tuple[str, str]:
    judge = {"token": verdicts.of_token, "api": verdicts.of_api, "revoke": verdicts.of_revocation}
    found = judge[where](provider=provider, status=status, body=body)
    return found.outcome, found.cause


@pytest.mark.parametrize(
    ("where", "provider", "status", "body", "expected"),
    [
        ("token", "hubspot", 200, b'{"access_token":"a"}', ("done", "ok")),
        ("token", "hubspot", 400, b'{"status":"BAD_REFRESH_TOKEN"}', ("permanent", "dead")),
        ("token", "salesforce", 400, b'{"error":"inactive_user"}', ("permanent", "dead")),
        ("token", "salesforce", 401, b'{"error":"invalid_client"}', ("permanent", "client")),
        ("token", "zoho", 200, b'{"error":"invalid_code"}', ("permanent", "dead")),
        ("token", "zoho", 200, b'{"error":"invalid_client_secret"}', ("permanent", "client")),
        ("token", "zoho", 400, b'{"error":"Access Denied"}', ("transient", "busy")),
        ("token", "zoho", 200, b'{"error":"never heard of"}', ("unknown", "unreadable")),
        ("token", "zoho", 200, b'{"access_token":"a","error":"x"}', ("unknown", "unreadable")),
        ("token", "zoho", 200, b"", ("unknown", "unreadable")),
        ("token", "zoho", 200, b"null", ("unknown", "unreadable")),
        ("token", "zoho", 418, b"{}", ("permanent", "request")),
        ("token", "salesforce", 408, b"", ("transient", "down")),
        ("token", "salesforce", 502, b'{"error":"invalid_client"}', ("transient", "down")),
        ("api", "salesforce", 401, SESSION, ("permanent", "expired")),
        ("api", "salesforce", 403, LIMIT, ("transient", "busy")),
        ("api", "zoho", 401, b'{"code":"OAUTH_SCOPE_MISMATCH"}', ("permanent", "forbidden")),
        ("api", "hubspot", 401, b"not json", ("permanent", "expired")),
        ("api", "hubspot", 429, b"{}", ("transient", "busy")),
        ("revoke", "hubspot", 200, b"", ("done", "ok")),
        ("revoke", "zoho", 200, b'{"status":"success"}', ("done", "ok")),
        ("revoke", "zoho", 400, b'{"error":"invalid_token"}', ("permanent", "dead")),
        ("revoke", "zoho", 200, b'{"error":"some_fault"}', ("unknown", "unreadable")),
        ("revoke", "heygen", 200, b'{"error":{"code":"x"}}', ("unknown", "unreadable")),
        ("revoke", "salesforce", 503, b"", ("transient", "down")),
    ],
)  # fmt: skip
def test_an_answer_means(
    where: str, provider: str, status: int, body: bytes, expected: tuple[str, str]
) -> None:
    assert seen(where, provider, status, body) == expected


def test_a_vendors_word_becomes_a_code() -> None:
    found = verdicts.of_token(provider="zoho", status=400, body=b'{"error":"Access Denied"}')
    assert found.code == "Access_Denied"
