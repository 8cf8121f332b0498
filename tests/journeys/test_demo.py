"""The whole journey, walked by the command that a new user would try."""

import io
import json

import pytest
from django.core.management import call_command

from config.lib import clock
from consent import receipts, records
from consent.models import ConsentState, Contact
from tests.consent.test_records import faults


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
    assert counts["watch"]["marks_read"] == counts["watch"]["watched"]
    assert counts["show_whose"]["opened_by_code"] == counts["agree"]["contracts"] == 1
    assert counts["agree"]["refused_for"][0] == "no_agreement"
    assert set(counts["verify"]["rows"]) == set("1234567")
    assert counts["permissions"]["kinds_given"] == 5
    assert counts["evidence"] == {"claims": 2, "turned_into_consent": 1, "refused_rows": 1}
    assert counts["choices"]["acts_in_receipt"] == counts["choices"]["acts_in_record"]
    assert counts["come_back"] == {"suppression_survived": True}
    assert counts["judge_again"]["judged_again"] >= 12
    papers_fit()


def papers_fit() -> None:
    """Hold the receipt and the record of everybody who ever acted against their schemas."""
    at = clock.now()
    people = Contact.objects.filter(pk__in=ConsentState.objects.values("contact_id"))
    assert people.count() > 12
    for person in people:
        assert faults("consent-record", records.export(contact=person, at=at)) == []
        assert faults("consent-receipt", receipts.receipt(contact=person, at=at)) == []
