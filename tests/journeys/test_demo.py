"""The whole journey, walked by the command that a new user would try."""

import io
import json

import pytest
from django.core.management import call_command


@pytest.mark.django_db(transaction=True)
def test_the_demo_comes_to_its_end_and_every_count_adds_up() -> None:
    out = io.StringIO()
    call_command("demo", json=True, contacts=12, seed=11, stdout=out)
    told = json.loads(out.getvalue())
    counts = told["counts"]
    assert told["ok"] is True
    assert counts["import"] == {"imported": 12, "bad_rows": 3}
    assert sum(counts["forecast"][name] for name in ("allowed", "refused", "deferred")) == 12
    assert counts["send"]["personalised"] == counts["forecast"]["allowed"] + counts["send"].get(
        "deferred", 0
    )
    assert counts["withdraw"]["next_send_refused"] == 3
    assert counts["expire"]["certified"] >= 1
    assert counts["prove"] == {"proofs_hold": 3, "changed_proofs_refused": 3}
    assert counts["search"]["found"] == 0
    assert set(counts["verify"]["rows"]) == set("1234567")
