"""Does the journey end as it must? Expiry, hold, certificates, erasure, proof, and the sweep."""

import json
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings

from accounts import keys
from accounts.models import DataKey
from consent import contacts
from consent.models import Contact
from retention import holds, proof, runs, subject_requests, sweep, verification, walk_phones
from retention.models import Certificate, Run, RunItem
from retention.walk import Walk, require
from videos.models import Asset

VERIFIER = Path(settings.BASE_DIR) / "verify_proof.py"


def expire(walk: Walk) -> dict[str, Any]:
    """Let the videos' time pass: their keys shut by themselves, with no worker running."""
    assets = _assets(walk)
    held = assets[-1]
    hold = holds.place(
        record_class="asset", object_id=held.pk, reason="complaint", at=walk.at, staff=None
    )
    last = max(asset.delete_at for asset in assets)
    walk.at = max(walk.at, last) + timedelta(hours=1)
    fresh = DataKey.objects.select_related("parent").in_bulk([asset.key_id for asset in assets])
    shut = [one for one in fresh.values() if not keys.opens(key=one, at=walk.at)]
    require(len(shut) == len(assets) - 1, "a key opened past its time, or the held one did not")
    run = _run(walk)
    states = Counter(run.items.values_list("state", flat=True))
    require(not states[RunItem.State.FAILED], "a record could not be erased")
    held.refresh_from_db()
    require(held.state == Asset.State.READY, "a held video was erased")
    holds.release(hold=hold, at=walk.at, staff=None)
    again = _run(walk)
    held.refresh_from_db()
    require(held.state == Asset.State.DELETED, "a released video was not erased")
    return {
        "expired": len(shut),
        "erased": states[RunItem.State.ERASED] + again.items.filter(state="erased").count(),
        "held": 1,
        "certified": Certificate.objects.filter(run__in=[run, again]).count(),
    }


def erase(walk: Walk) -> dict[str, Any]:
    """Erase one person on request, and see that nothing of theirs opens any more."""
    person = _assets(walk)[0].contact
    plain = contacts.opened(contact=person, at=walk.at)
    request = subject_requests.open_request(
        contact=person, kind="erasure", channel="email", at=walk.at
    )
    request = subject_requests.carry_out(request=request, at=walk.at)
    require(request.state == "done", "the erasure is not done")
    erased = Contact.objects.select_related("key").get(pk=person.pk)
    require(not keys.opens(key=erased.key, at=walk.at), "an erased person's key opens")
    left = sweep.sweep(values=[plain.email, plain.phone])
    require(not left.found, f"an erased address stands in {[hit.place for hit in left.found][:3]}")
    return {"erased_people": 1, "certificates_in_all": Certificate.objects.count()}


def run_policies(walk: Walk) -> dict[str, Any]:
    """Let the weeks until now pass, and run the policies as the scheduled job would."""
    walk.at = max(walk.at, walk.ends_at)
    run = _run(walk)
    states = Counter(run.items.values_list("state", flat=True))
    require(not states[RunItem.State.FAILED], "a record could not be erased")
    return {"erased": states[RunItem.State.ERASED], "held": states[RunItem.State.HELD]}


def prove(walk: Walk) -> dict[str, Any]:
    """Prove the chains of three people offline; a changed proof must fail."""
    people = [asset.contact for asset in _assets(walk)[:3]]
    held = failed = 0
    with TemporaryDirectory() as folder:
        path = Path(folder) / "proof.json"
        for person in people:
            path.write_text(json.dumps(proof.build(contact=person, at=walk.at)), encoding="utf-8")
            held += _verifier_accepts(path)
            path.write_text(path.read_text().replace('"allow"', '"refuse"', 1), encoding="utf-8")
            failed += not _verifier_accepts(path)
    require(held == len(people), "a proof did not hold")
    require(failed == len(people), "a changed proof was accepted")
    return {"proofs_hold": held, "changed_proofs_refused": failed}


def check_promises(walk: Walk) -> dict[str, Any]:
    """Check the seven promises on what is there now."""
    reports = verification.verify(at=walk.at)
    broken = [report.number for report in reports if not report.is_kept]
    require(not broken, f"promises broken: {broken}; see `manage.py verify`")
    return {
        "holds": not broken,
        "rows": {str(report.number): report.rows for report in reports},
    }


def search(walk: Walk) -> dict[str, Any]:
    """Search every table and file for every name, address and token of the walk."""
    campaign_ids = [campaign.pk for campaign in walk.campaigns.values()]
    names = [part for person in walk.people for part in (person.name, person.email, person.phone)]
    tokens = walk_phones.link_tokens(campaign_ids)
    swept = sweep.sweep(values=[*names, *tokens])
    places = sorted({hit.place for hit in swept.found})
    require(not swept.found, f"plain values stand in {places[:5]}")
    return {
        "values": len(names) + len(tokens),
        "cells": swept.cells,
        "files": swept.files,
        "bytes": swept.size_bytes,
        "found": len(swept.found),
    }


def _assets(walk: Walk) -> list[Asset]:
    rows = Asset.objects.filter(campaign__in=walk.campaigns.values()).exclude(key=None)
    return list(rows.select_related("contact__key", "key").order_by("created_at", "pk"))


def _run(walk: Walk) -> Run:
    run = runs.plan(at=walk.at, trigger="demo")
    if run.needs_confirmation:
        runs.confirm(run=run, at=walk.at, staff=None)
    return runs.execute(run=run, at=walk.at)


def _verifier_accepts(path: Path) -> bool:
    # -I: the verifier sees neither our modules nor our environment.
    command = [sys.executable, "-I", str(VERIFIER), str(path)]
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 fixed command
    return done.returncode == 0
