"""Is a film ordered by the token of whoever signed in, renewed once and no more?"""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from integrations import tokens
from integrations.models import Connection
from integrations.video import providers, wire
from integrations.video.base import ProviderError, VideoProvider
from tests.integrations import dance as dances
from tests.integrations.video.accounts import VENDORS, body
from tests.simulators import heygen
from tests.simulators.studios import StudioSimulator

HELD = {"template_id": heygen.TEMPLATE, "api_key": "left over"}


@pytest.fixture
def simulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[StudioSimulator]:
    with VENDORS["heygen"][0]() as vendor:
        vendor.opened_by = ("authorization", "Bearer t1")  # type: ignore[misc]
        monkeypatch.setitem(wire.STAND_INS, "heygen", vendor.origin)
        yield vendor


def adapter(**changes: str) -> VideoProvider:
    row = Connection(
        pk=uuid.UUID(int=7),
        provider="heygen",
        auth_kind="oauth_code",
        credentials_sealed={**HELD, **changes},
    )
    return providers.provider_for(row)


def renewing(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """Let the first token be refused and the one after it be taken."""
    asked: list[int | None] = []

    def access(*, connection_id: uuid.UUID, purpose: str, refused: int | None) -> tokens.Token:
        assert (connection_id, purpose) == (uuid.UUID(int=7), "ai_video")
        asked.append(refused)
        generation = 0 if refused is None else refused + 1
        return tokens.Token(
            f"Bearer t{generation}", "api.heygen.com", generation, "heygen", is_proven=True
        )

    monkeypatch.setattr(tokens, "access", access)
    return asked


def test_a_refused_token_is_renewed_once_and_orders_once(
    simulator: StudioSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = renewing(monkeypatch)
    assert adapter().create(body=body()) == "job-1"
    assert asked == [None, 0]
    assert len(simulator.jobs) == 1
    assert all("X-Api-Key" not in call.headers for call in simulator.calls)


def test_what_is_refused_twice_waits_for_a_person(
    simulator: StudioSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewing(monkeypatch)
    simulator.opened_by = ("authorization", "Bearer other")  # type: ignore[misc]
    with pytest.raises(ProviderError) as failed:
        adapter().create(body=body())
    assert (failed.value.outcome, len(simulator.calls)) == ("transient", 2)


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (tokens.NotConnected("x"), "reconnect_needed"),
        (tokens.TokenUnavailable("unknown", "x"), "no_token"),
    ],
)
def test_without_a_token_nothing_leaves(
    simulator: StudioSimulator, monkeypatch: pytest.MonkeyPatch, problem: Exception, code: str
) -> None:
    def access(**_: Any) -> tokens.Token:
        raise problem

    monkeypatch.setattr(tokens, "access", access)
    with pytest.raises(ProviderError, match=f"transient: {code}"):
        adapter().create(body=body())
    assert not simulator.calls


def test_without_a_template_nothing_leaves(
    simulator: StudioSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = renewing(monkeypatch)
    with pytest.raises(ProviderError, match="credentials_unreadable"):
        adapter(template_id="").create(body=body())
    assert not asked


@pytest.mark.django_db
def test_who_signed_in_enters_the_template_and_gets_a_webhook() -> None:
    with dances.dancing("heygen") as dance:
        row = dance.connect()
        assert (row.kind, row.state) == ("video", "active")
        page = dance.client.get("/connections/").content.decode()
        assert f"/connections/{row.pk}/keys/" in page
        form = {"template_id": "tpl-9", "variable": "", "signing_secret": "s", "api_key": ""}
        dance.client.post(f"/connections/{row.pk}/keys/", form)
        row = dance.row()
    assert isinstance(row.credentials_sealed, dict)
    assert row.credentials_sealed["template_id"] == "tpl-9"
    assert {"api.heygen.com", "api2.heygen.com", "files.heygen.ai"} <= set(row.hosts)
    assert row.webhook_index
