"""The stand-alone checker folds acts as the ledger does; neither imports the other."""

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import verify_proof
from config.lib import canonical
from consent import standing
from consent.models import ConsentEvent
from tests.consent.people import NOON

DAYS = st.integers(0, 6)
ACT = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(ConsentEvent.Kind.values),
        "act": st.sampled_from(["checkbox", "paper", "staff", "import", "api"]),
        "actor_kind": st.sampled_from(["recipient", "staff", "partner"]),
        "permission": st.sampled_from(
            ["", "express", "written", "soft_opt_in", "implied_purchase"]
        ),
        "said": st.none() | DAYS,
        "until": st.none() | DAYS,
    }
)


def later(days: int | None) -> Any:
    return None if days is None else NOON + timedelta(days=days)


def events(acts: list[dict[str, Any]]) -> list[ConsentEvent]:
    return [
        ConsentEvent(
            number=number,
            kind=act["kind"],
            act=act["act"],
            actor_kind=act["actor_kind"],
            permission=act["permission"],
            at=later(number),
            said_at=later(min(act["said"], number) if act["said"] is not None else None),
            valid_until=later(act["until"]),
        )
        for number, act in enumerate(acts)
    ]


def as_told(event: ConsentEvent) -> dict[str, Any]:
    spelt = {"at": event.at, "said_at": event.said_at, "valid_until": event.valid_until}
    return {
        **{name: canonical.instant(at) if at else None for name, at in spelt.items()},
        "kind": event.kind,
        "act": event.act,
        "permission": event.permission,
        "by": {"kind": event.actor_kind},
        "purpose": {"basis": "consent"},
    }


@given(st.lists(ACT, max_size=6))
def test_both_folds_lead_to_one_standing(acts: list[dict[str, Any]]) -> None:
    folded = events(acts)
    ours = standing.fold(folded)
    theirs = None
    for event in folded:
        theirs = verify_proof.after(theirs, as_told(event))
    if ours is None or theirs is None:
        assert ours is None and theirs is None
        return
    until = canonical.instant(ours.valid_until) if ours.valid_until else None
    said = (ours.state, canonical.instant(ours.at), until, ours.permission)
    assert said == tuple(theirs[name] for name in ("state", "since", "until", "permission"))
