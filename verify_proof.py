#!/usr/bin/env python3
"""Does this proof hold? Checks one person's chain offline: no Django, no database, no network.

    python verify_proof.py proof.json [--key PUBLIC_KEY_HEX]

Needs Python 3.11 and `cryptography`. Compare the fingerprint it prints with the one you were given
by another way, or pass the public key itself with --key. Exit status 0 only if everything holds.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "sealcast-proof/2"
GENESIS = "0" * 64
HEAD = ("format", "made_at", "person", "key", "contents")
SECTIONS = (
    ("trail", "entries of the trail about this person"),
    ("related", "entries of the trail about the videos they are in"),
    ("seals", "signed blocks of the trail"),
    ("notices", "texts that were shown"),
    ("consent", "acts of consent"),
    ("decisions", "decisions of the gate"),
    ("messages", "messages"),
    ("elements", "elements of stronger permissions"),
    ("papers", "proofs of what was agreed elsewhere"),
    ("revocations", "stops"),
    ("propagations", "systems that are told of a stop"),
    ("confirmations", "confirmations of a stop"),
    ("reviews", "unsure answers"),
    ("renders", "renders at an AI vendor"),
    ("manifests", "manifests of what left for an AI vendor"),
    ("receipts", "receipts of the vendor's deletion"),
    ("agreements", "contracts with AI vendors"),
    ("attestations", "account settings that were seen"),
    ("releases", "releases of presenters"),
    ("incidents", "incidents about a copy"),
    ("assets", "videos of this person"),
    ("links", "links"),
    ("plays", "plays"),
    ("devices", "browsers"),
    ("codes", "codes to another address"),
    ("certificates", "certificates of deletion"),
)
# Where each row is told of in the trail: section, the id it is told by, the act, its time, and
# which of its values stand there under which name.
TOLD: tuple[tuple[list[str], dict[str, str]], ...] = tuple(
    (line.split()[:4], dict(pair.split("=") for pair in line.split()[4:]))
    for line in """
    revocations id consent.revocation.recorded effective_at means=means channels=channels
    revocations id consent.revocation.recorded effective_at scope_rule=rule
    propagations id consent.propagation.{state} done_at revocation_id=revocation
    propagations id consent.propagation.{state} done_at connection_id=connection
    reviews id consent.review.opened created_at channel=channel
    reviews id consent.review.decided decided_at state=state
    papers id consent.proof.kept created_at file_sha256=file media_type=media_type
    agreements id videos.agreement.recorded created_at clauses=clauses region=region
    agreements id videos.agreement.recorded created_at document_sha256=document
    agreements id videos.agreement.ended ended_at
    attestations connection_id videos.vendor.attested at holds=holds
    releases id consent.likeness.recorded created_at document_sha256=document
    releases id consent.likeness.recorded created_at presenter_code=presenter
    releases id consent.likeness.revoked revoked_at
    manifests id videos.egress.declared at body_sha256=body_sha256 vendor=vendor
    """.strip().splitlines()
)
# What must be true, or filled, of each kind of stronger permission.
ELEMENTS = {
    "WrittenConsent": "authorises_advertising authorises_automated not_a_condition seller"
    " agreement_id disclosure_id signed_at",
    "SoftOptIn": "opt_out_shown similar_goods product_class",
    "HealthAuthorisation": "says_right_to_revoke says_not_a_condition says_may_be_disclosed_again"
    " discloser recipient use expires_at",
    "ImpliedConsent": "relation happened_at",
}
MADE_OF = {
    "written": "WrittenConsent",
    "soft_opt_in": "SoftOptIn",
    "implied_purchase": "ImpliedConsent",
    "implied_inquiry": "ImpliedConsent",
    "hipaa_authorization": "HealthAuthorisation",
}
CLAUSES = set("abcdefgh")
HOUR, DAY, CODE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=10)
NO, YES = ("withdrawn", "refused"), ("given", "confirmed")
HANDED_OFF = ("sent", "delivered", "unknown", "handing_off")
OWN_ACTS = ("checkbox", "keyword", "button", "voice", "paper")
# Whoever tells it for the person cannot undo their no.
OTHERS = ("partner", "staff", "provider")
RANKS = {
    "implied_inquiry": 1,
    "implied_purchase": 1,
    "soft_opt_in": 1,
    "contract": 1,
    "express": 2,
    "explicit": 3,
    "hipaa_authorization": 3,
    "written": 4,
}
LONGEST_LIST = 10
# What a certificate says of another system's answer, as the trail has it.
ANSWER = ("connection", "receipt", "status", "reference", "problem")
MALFORMED = (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError)
Document = dict[str, Any]
Fault = str


class Malformed(ValueError):
    """The file is no proof at all."""


def canonical(value: object) -> bytes:
    """Return the one spelling of a fact: sorted keys, no spaces, UTF-8."""
    refuse_floats(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def refuse_floats(value: object) -> None:
    """Refuse a fraction, which two machines may spell in two ways."""
    if isinstance(value, float):
        raise Malformed("a number with a fraction stands where none can be")
    if isinstance(value, dict):
        for part in value.values():
            refuse_floats(part)
    elif isinstance(value, list):
        for part in value:
            refuse_floats(part)


def digest(value: object) -> str:
    """Return the SHA-256 of a fact."""
    return hashlib.sha256(canonical(value)).hexdigest()


def signed(public: str, signature: str, message: bytes) -> bool:
    """Say whether the owner of an Ed25519 key signed a message."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        key.verify(bytes.fromhex(signature), message)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def climbs(entry_hash: str, index: int, count: int, path: list[str], root: str) -> bool:
    """Say whether a Merkle path (RFC 6962) leads from an entry to the root of its block."""
    steps: list[bool] = []
    size, place = count, index
    if not 0 <= index < count:
        return False
    while size > 1:
        middle = 1 << ((size - 1).bit_length() - 1)
        left = place < middle
        steps.append(left)
        place, size = (place, middle) if left else (place - middle, size - middle)
    if len(steps) != len(path):
        return False
    node = hashlib.sha256(b"\x00" + bytes.fromhex(entry_hash)).digest()
    for left, sibling in zip(reversed(steps), path, strict=True):
        other = bytes.fromhex(sibling)
        pair = node + other if left else other + node
        node = hashlib.sha256(b"\x01" + pair).digest()
    return node.hex() == root


def check_head(proof: Document) -> Iterable[Fault]:
    """The proof has its parts, and its list of contents is signed."""
    expected = {*HEAD, "signature", *(name for name, _ in SECTIONS)}
    for name in sorted(expected ^ set(proof)):
        yield f"{name}: {'is missing' if name in expected else 'does not belong here'}"
    if proof["format"] != FORMAT:
        yield f"format: this checker knows {FORMAT} only"
    head = {name: proof[name] for name in HEAD}
    if not signed(proof["key"]["public"], proof["signature"], canonical(head)):
        yield (
            "signature: the head of the proof (format, made_at, person, key, contents) "
            "or its signature was changed"
        )
    if set(proof["contents"]) != {name for name, _ in SECTIONS}:
        yield "contents: does not list exactly the sections of a proof"


def check_contents(proof: Document, name: str) -> Iterable[Fault]:
    """A section holds exactly the signed elements, in their order."""
    listed, found = proof["contents"][name], [digest(element) for element in proof[name]]
    if listed == found:
        return
    if sorted(listed) == sorted(found):
        first = next(i for i, (a, b) in enumerate(zip(listed, found, strict=True)) if a != b)
        yield f"{name}[{first}]: elements changed places from here on"
        return
    for place, value in enumerate(listed):
        if value not in found:
            is_there = len(found) == len(listed)
            yield f"{name}[{place}]: {'was changed' if is_there else 'is missing or was changed'}"
    for place, value in enumerate(found):
        if value not in listed:
            yield f"{name}[{place}]: is not what was signed"
    if len(found) != len(listed):
        yield f"{name}: {len(listed)} elements were signed, {len(found)} are here"


def check_leaf(proof: Document, name: str, place: int) -> Iterable[Fault]:
    """An act is the one that was entered, and its entry is in its block."""
    element, where = proof[name][place], f"{name}[{place}]"
    if digest(element["leaf"]) != element["entry"]["leaf"]:
        yield f"{where}: the act is not the one that was entered"
    seal = next((one for one in proof["seals"] if one["number"] == element["seal"]), None)
    if seal is None:
        yield f"{where}: its block {element['seal']} is missing"
        return
    index = element["entry"]["position"] - seal["first_position"]
    entry_hash = digest(element["entry"])
    if not climbs(entry_hash, index, seal["leaf_count"], element["path"], seal["merkle_root"]):
        yield f"{where}: its path does not lead to the root of block {seal['number']}"


def check_trail(proof: Document) -> Iterable[Fault]:
    """Each act is in a signed block, and the person's own acts are all here, in order."""
    for name in ("trail", "related"):
        for place in range(len(proof[name])):
            yield from check_leaf(proof, name, place)
    previous, last = GENESIS, 0
    for place, element in enumerate(proof["trail"]):
        entry, where = element["entry"], f"trail[{place}]"
        if element["leaf"]["subject"] != proof["person"]:
            yield f"{where}: is about somebody else"
        if entry["subject_number"] != place + 1:
            yield f"{where}: has number {entry['subject_number']}, act {place + 1} is expected"
        if entry["subject_previous"] != previous or entry["position"] <= last:
            yield f"{where}: does not follow the act before it"
        previous, last = digest(entry), entry["position"]


def check_seals(proof: Document) -> Iterable[Fault]:
    """Each block is signed and names the block before it, up to the head."""
    before: Document | None = None
    for place, seal in enumerate(proof["seals"]):
        where = f"seals[{place}]"
        header = {name: seal[name] for name in seal if name not in ("hash", "signature")}
        if digest(header) != seal["hash"]:
            yield f"{where}: the block's header was changed"
        if not signed(proof["key"]["public"], seal["signature"], seal["hash"].encode()):
            yield f"{where}: the block's signature does not hold"
        if before is not None:
            follows = seal["number"] == before["number"] + 1
            chained = seal["previous"] == before["hash"]
            begins = seal["first_position"] == before["first_position"] + before["leaf_count"]
            if not (follows and chained and begins):
                yield f"{where}: does not follow the block before it"
        before = seal


def check_notices(proof: Document) -> Iterable[Fault]:
    """Each text is the one whose hash was kept."""
    for place, notice in enumerate(proof["notices"]):
        if hashlib.sha256(notice["text"].encode()).hexdigest() != notice["sha256"]:
            yield f"notices[{place}]: the text is not the one that was shown"


def check_consent(proof: Document) -> Iterable[Fault]:
    """No act is left out, each text that was shown is here, each act stands in the trail."""
    told, shown = told_of(proof), {notice["sha256"] for notice in proof["notices"]}
    numbers: dict[tuple[str, str], int] = {}
    for place, act in enumerate(proof["consent"]):
        where, key = f"consent[{place}]", (act["purpose"]["code"], act["channel"])
        numbers[key] = numbers.get(key, 0) + 1
        if act["number"] != numbers[key]:
            yield f"{where}: has number {act['number']}, {numbers[key]} is expected"
        if act["notice_sha256"] and act["notice_sha256"] not in shown:
            yield f"{where}: the text that was shown is missing"
        leaf = told.get(act["id"])
        if leaf is None or leaf["action"] != f"consent.event.{act['kind']}":
            yield f"{where}: the trail does not tell of it"
        elif leaf["at"] != act["at"] or leaf["details"]["channel"] != act["channel"]:
            yield f"{where}: the trail tells of it otherwise"


def check_told(proof: Document) -> Iterable[Fault]:
    """Each row that the trail tells of stands there as it is here, at its very instant."""
    told = {}
    for element in [*proof["trail"], *proof["related"]]:
        leaf = element["leaf"]
        told[leaf["object"]["id"], leaf["action"], leaf["at"]] = leaf["details"]
    for (name, key, action, at), same in TOLD:
        for place, row in enumerate(proof[name]):
            if row[at] is None:
                continue
            details = told.get((str(row[key]), action.format(**row), row[at]))
            if details is None:
                yield f"{name}[{place}]: the trail does not tell of it"
            elif any(row[here] != details[there] for here, there in same.items()):
                yield f"{name}[{place}]: the trail tells of it otherwise"


def check_elements(proof: Document) -> Iterable[Fault]:
    """Each stronger permission was given whole; each proof that an act rests on is here."""
    made_of = {row["event_id"]: row for row in proof["elements"]}
    for place, row in enumerate(proof["elements"]):
        for name in ELEMENTS[row["kind"]].split():
            if not row[name]:
                yield f"elements[{place}]: {name} is missing"
    papers = {row["file_sha256"] for row in proof["papers"]}
    for place, act in enumerate(proof["consent"]):
        kind = MADE_OF.get(act["permission"]) if act["kind"] == "given" else None
        if kind and made_of.get(act["id"], {}).get("kind") != kind:
            yield f"consent[{place}]: its elements are missing"
        if act["proof_sha256"] and act["proof_sha256"] not in papers:
            yield f"consent[{place}]: the proof it rests on is missing"


def check_stops(proof: Document) -> Iterable[Fault]:
    """Each stop is told to the other systems in time; each unsure answer waits or is settled."""
    stops = {row["id"] for row in proof["revocations"]}
    for place, row in enumerate(proof["propagations"]):
        where = f"propagations[{place}]"
        if row["revocation_id"] not in stops:
            yield f"{where}: there is no such stop"
        if (row["state"] == "waiting") != (row["done_at"] is None):
            yield f"{where}: its clock does not fit its state"
        if row["state"] == "waiting" and row["due_at"] < proof["made_at"]:
            yield f"{where}: the other system should know by now"
    for place, row in enumerate(proof["reviews"]):
        if (row["state"] == "open") != (row["decided_at"] is None):
            yield f"reviews[{place}]: its end does not fit its state"


def check_answers(proof: Document) -> Iterable[Fault]:
    """Each stop was confirmed by one text at most, within five minutes, or by none."""
    stops = {row["id"] for row in proof["revocations"]}
    answers = {row["message_id"]: row for row in proof["confirmations"]}
    if len({row["revocation_id"] for row in proof["confirmations"]}) != len(answers):
        yield "confirmations: a stop was confirmed twice"
    for place, message in enumerate(proof["messages"]):
        if message["purpose"] != "stop_confirmation":
            continue
        row = answers.get(message["id"])
        if row is None or row["revocation_id"] not in stops:
            yield f"messages[{place}]: confirms no stop"
        elif (message["sent_at"] or row["send_by"]) > row["send_by"] or past(
            row["revoked_at"], timedelta(minutes=5), row["send_by"]
        ):
            yield f"messages[{place}]: confirmed a stop too late"


def past(since: str, time: timedelta, at: str) -> bool:
    """Say whether more than a time has passed from one instant to another."""
    return datetime.fromisoformat(at) - datetime.fromisoformat(since) > time


def check_decisions(proof: Document) -> Iterable[Fault]:
    """Each decision stands in the trail as it is here."""
    told = told_of(proof)
    for place, decision in enumerate(proof["decisions"]):
        leaf = told.get(decision["id"])
        codes = [reason["code"] for reason in decision["reasons"]]
        if leaf is None or leaf["action"] != f"consent.decision.{decision['verdict']}":
            yield f"decisions[{place}]: the trail does not tell of it"
        elif (leaf["at"], leaf["details"]["reasons"]) != (decision["at"], codes):
            yield f"decisions[{place}]: the trail tells of it otherwise"


def check_messages(proof: Document) -> Iterable[Fault]:
    """Each message was allowed when queued and again at hand-off, and agreed to at that time."""
    decisions = {decision["id"]: decision for decision in proof["decisions"]}
    for place, message in enumerate(proof["messages"]):
        where, queued = f"messages[{place}]", decisions.get(message["decision"])
        if queued is None or queued["verdict"] == "refuse" or queued["message"] != message["id"]:
            yield f"{where}: no decision allowed it"
        if message["state"] not in HANDED_OFF and message["sent_at"] is None:
            continue
        again = decisions.get(message["hand_off_decision"] or "")
        if again is None or (again["verdict"], again["phase"]) != ("allow", "hand_off"):
            yield f"{where}: it left without being judged again"
        elif not agreed(proof, again):
            yield f"{where}: it left when the person had not agreed"


def agreed(proof: Document, decision: Document) -> bool:
    """Fold the acts up to a decision: yes where consent is the basis, at least not a no."""
    stand: Document | None = None
    for act in proof["consent"]:
        same = act["purpose"]["code"] == decision["purpose"]
        if same and act["channel"] == decision["channel"] and act["at"] <= decision["at"]:
            stand = after(stand, act)
    if decision["basis"] != "consent":
        return stand is None or stand["state"] not in NO
    if stand is None or not in_force(stand, decision["at"]):
        return False
    return bool(stand["basis"] == decision["basis"])


def after(stand: Document | None, act: Document) -> Document | None:
    """Return where one more act leads, by the fold that the ledger makes."""
    new = {
        "state": act["kind"],
        # When it was said counts, where it was written down later; it makes no earlier message
        # lawful, since an act counts from when it was written down.
        "since": act.get("said_at") or act["at"],
        "until": act["valid_until"],
        "permission": act.get("permission") or "",
        "basis": act["purpose"]["basis"],
    }
    if is_moot(stand, new, act):
        return stand
    if stand is None or new["state"] not in YES or stand["state"] not in YES:
        return new
    new["permission"] = new["permission"] or stand["permission"]
    if not in_force(stand, new["since"]):
        return new
    less = rank(new["permission"]) < rank(stand["permission"])
    same = new["permission"] == stand["permission"]
    older = new["since"] < stand["since"]
    confirmed = (stand["state"], new["state"]) == ("confirmed", "given")
    if less or (same and (older or confirmed)):
        return stand
    return {**new, "state": "confirmed"} if confirmed else new


def is_moot(stand: Document | None, new: Document, act: Document) -> bool:
    """Say whether an act changes nothing: a claim, or a yes that cannot undo the no before it."""
    state = stand["state"] if stand else None
    if new["state"] == "claimed":
        return state not in (None, "claimed")
    if new["state"] == "expired":
        return state in (None, *NO)
    if stand is None or new["state"] not in YES:
        return False
    own = act["act"] in OWN_ACTS and act["by"]["kind"] not in OTHERS
    # Evidence of an older yes, written down later, does not undo what ended it since.
    late = act.get("said_at") is not None and new["since"] <= stand["since"]
    return (state in NO and not own) or (late and state not in (*YES, "claimed"))


def in_force(stand: Document | None, at: str) -> bool:
    """Say whether a standing is a yes that has not ended by an instant."""
    if stand is None or stand["state"] not in YES:
        return False
    return stand["until"] is None or bool(stand["until"] > at)


def rank(permission: str) -> int:
    """Return how much a kind of permission outweighs others."""
    return RANKS.get(permission or "express", 0)


def check_egress(proof: Document) -> Iterable[Fault]:
    """What left is what was written down before it left."""
    renders = {render["id"] for render in proof["renders"]}
    for place, manifest in enumerate(proof["manifests"]):
        where, body = f"manifests[{place}]", manifest["body"].encode()
        if hashlib.sha256(body).hexdigest() != manifest["body_sha256"]:
            yield f"{where}: the bytes are not those whose hash was kept"
        if len(body) != manifest["size_bytes"] or manifest["render"] not in renders:
            yield f"{where}: does not fit its render"


def check_contracts(proof: Document) -> Iterable[Fault]:
    """Each request left under a contract in force, of an account that was seen to keep nothing."""
    for place, manifest in enumerate(proof["manifests"]):
        where, at = f"manifests[{place}]", manifest["at"]
        if manifest["endpoint"].startswith("local:"):
            continue
        if not any(
            binds(row, manifest) and set(row["clauses"]) == CLAUSES for row in proof["agreements"]
        ):
            yield f"{where}: no whole agreement was in force when it left"
        seen = [row for row in proof["attestations"] if row["id"] == manifest["attestation"]]
        if not seen or not seen[0]["holds"] or seen[0]["at"] > at or past(seen[0]["at"], DAY, at):
            yield f"{where}: nobody had seen how the account was set"


def binds(agreement: Document, manifest: Document) -> bool:
    """Say whether an agreement was in force for what left, at that instant and place."""
    at, day = manifest["at"], manifest["at"][:10]
    return bool(
        agreement["reference"] == manifest["agreement"]
        and agreement["region"] == manifest["region"]
        and agreement["created_at"] <= at
        and agreement["signed_on"] <= day <= agreement["expires_on"]
        and (agreement["ended_at"] is None or agreement["ended_at"] > at)
    )


def check_looks(proof: Document) -> Iterable[Fault]:
    """Each copy was looked for again after an hour and after a day, or an incident is open."""
    known = {row["object_id"] for row in proof["incidents"] if row["closed_at"] is None}
    for place, manifest in enumerate(proof["manifests"]):
        looks = [row for row in proof["receipts"] if row["manifest"] == manifest["id"]]
        if not looks or known & {manifest["id"], manifest["render"]}:
            continue
        deleted = max(row["deleted_at"] for row in looks)
        last = max(row["observed_at"] for row in looks if row["deleted_at"] == deleted)
        for after in (HOUR, DAY):
            due = past(deleted, after + HOUR, proof["made_at"])
            if due and not past(deleted, after - timedelta(microseconds=1), last):
                yield f"manifests[{place}]: nobody looked for the copy after {after}"
        if any(row["soft"] for row in looks) and not proof["incidents"]:
            yield f"manifests[{place}]: the copy was only hidden, and no officer was told"


def check_presenters(proof: Document) -> Iterable[Fault]:
    """Whoever is seen had signed a release of face and voice before anything of them left."""
    for place, render in enumerate(proof["renders"]):
        left = [row["at"] for row in proof["manifests"] if row["render"] == render["id"]]
        for at in left if render["presenter"] != "drawn" else ():
            if not any(releases(row, render, at) for row in proof["releases"]):
                yield f"renders[{place}]: its presenter had signed no release"


def releases(row: Document, render: Document, at: str) -> bool:
    """Say whether a release covers who is seen, face and voice, at an instant."""
    ended = row["revoked_at"] or row["valid_until"]
    return bool(
        row["presenter_code"] == render["presenter"]
        and row["covers_face"] is row["covers_voice"] is True
        and max(row["signed_at"], row["created_at"]) <= at < min(ended, row["valid_until"])
    )


def check_browsers(proof: Document) -> Iterable[Fault]:
    """Each play was on a browser of its link, which had used a code where one is asked for."""
    assets = {asset["id"]: asset for asset in proof["assets"]}
    links = {link["id"]: link for link in proof["links"]}
    devices = {device["id"]: device for device in proof["devices"]}
    used = {code["device_id"] for code in proof["codes"] if code["used_at"]}
    for place, play in enumerate(proof["plays"]):
        device, where = devices.get(play["device"]), f"plays[{place}]"
        if play["device"] is not None and (device is None or device["link_id"] != play["link"]):
            yield f"{where}: was on no browser of its link"
        asks = assets[links[play["link"]]["asset"]]["step_up"] == "always"
        if asks and not (device and (device["proved_at"] or "~") <= play["at"]):
            yield f"{where}: opened without a code what needs one"
    for place, device in enumerate(proof["devices"]):
        if device["proved_at"] and device["id"] not in used:
            yield f"devices[{place}]: no code was used on it"
    for place, code in enumerate(proof["codes"]):
        late = code["used_at"] is not None and code["used_at"] >= code["expires_at"]
        if late or past(code["asked_at"], CODE, code["expires_at"]):
            yield f"codes[{place}]: was good for too long"


def check_absence(proof: Document) -> Iterable[Fault]:
    """The vendor's copy of each render was seen to be gone, after it was made."""
    sent = {manifest["id"]: manifest for manifest in proof["manifests"]}
    gone = set()
    for place, receipt in enumerate(proof["receipts"]):
        manifest = sent.get(receipt["manifest"])
        if manifest is None or receipt["observed_at"] < manifest["at"]:
            yield f"receipts[{place}]: there is no manifest before it"
        if receipt["observed_absent"] is True:
            gone.add(receipt["render"])
    for place, render in enumerate(proof["renders"]):
        if render["state"] == "done" and render["id"] not in gone:
            yield f"renders[{place}]: nobody saw that the vendor's copy is gone"


def check_videos(proof: Document) -> Iterable[Fault]:
    """Each link is for a video of this person and ends with it; each play was within its time."""
    assets = {asset["id"]: asset for asset in proof["assets"]}
    links = {link["id"]: link for link in proof["links"]}
    for place, asset in enumerate(proof["assets"]):
        if asset["state"] == "ready":
            yield from (f"assets[{place}]: {fault}" for fault in unmarked(asset))
    for place, link in enumerate(proof["links"]):
        asset = assets.get(link["asset"])
        if asset is None:
            yield f"links[{place}]: leads to no video of this person"
        elif link["expires_at"] > asset["delete_at"]:
            yield f"links[{place}]: outlives its video"
    for place, play in enumerate(proof["plays"]):
        link = links.get(play["link"])
        ends = link and min(filter(None, (link["expires_at"], link["revoked_at"])))
        if not link or not link["not_before"] <= play["at"] < (ends or ""):
            yield f"plays[{place}]: was outside the time of its link"


def unmarked(asset: Document) -> Iterable[Fault]:
    """Say what a video lacks that tells people, and machines, that AI made it."""
    if asset["labelled_ai"] is not True:
        yield "is not labelled as made with AI"
    if not (asset["mark"] and asset["mark_read_at"]):
        yield "was never seen to carry its mark"


def check_certificates(proof: Document) -> Iterable[Fault]:
    """Each certificate is whole, signed, and entered in the trail."""
    told = told_of(proof)
    for place, certificate in enumerate(proof["certificates"]):
        where, document = f"certificates[{place}]", certificate["document"]
        if digest(document) != certificate["sha256"]:
            yield f"{where}: was changed"
        if not signed(proof["key"]["public"], certificate["signature"], canonical(document)):
            yield f"{where}: its signature does not hold"
        yield from (f"{where}: {fault}" for fault in untold(document, proof))
        if document["subject"] not in (None, proof["person"]):
            yield f"{where}: is about somebody else"
        leaf = told.get(document["id"])
        if leaf is None or leaf["details"]["sha256"] != certificate["sha256"]:
            yield f"{where}: the trail does not tell of it"


def untold(document: Document, proof: Document) -> Iterable[Fault]:
    """Say which answer of another system a certificate names and the trail does not.

    The first form of a certificate named none; each form must say what it has to.
    """
    if document["format"] == "sealcast-certificate/1":
        return
    if document["format"] != "sealcast-certificate/2":
        yield "is of a form that this program does not know"
        return
    acts = {}
    for element in proof["trail"]:
        leaf = element["leaf"]
        acts[leaf["object"]["id"], leaf["action"], leaf["at"]] = leaf["details"]
    for place, row in enumerate(document["told"]):
        if row["state"] == "waiting":
            continue
        found = acts.get((row["id"], f"consent.writeback.{row['state']}", row["answered_at"]))
        if found is None:
            yield f"told[{place}]: the trail does not tell of the answer"
        elif any(found[name] != row[name] for name in ANSWER):
            yield f"told[{place}]: the trail tells of another answer"


def told_of(proof: Document) -> dict[str, Document]:
    """Return the first entry of the trail about each thing."""
    told: dict[str, Document] = {}
    for element in [*proof["trail"], *proof["related"]]:
        told.setdefault(element["leaf"]["object"]["id"], element["leaf"])
    return told


Check = Callable[[Document], Iterable[Fault]]
CHECKS: tuple[tuple[str, tuple[str, ...], Check], ...] = (
    ("acts in the trail, each in its place", ("trail", "related"), check_trail),
    ("signed blocks, chained up to the head", ("seals",), check_seals),
    ("texts shown, by their hash", ("notices",), check_notices),
    ("acts of consent, none left out", ("consent",), check_consent),
    ("decisions, each entered in the trail", ("decisions",), check_decisions),
    ("messages, each allowed twice and agreed to", ("messages",), check_messages),
    ("requests to AI vendors, byte for byte", ("manifests",), check_egress),
    ("rows that the trail tells of, as they are here", (), check_told),
    ("permissions given whole, and their proofs", ("elements", "papers"), check_elements),
    (
        "stops passed on in time, unsure answers settled",
        ("revocations", "propagations", "reviews"),
        check_stops,
    ),
    ("stops confirmed by one text, in time", ("confirmations",), check_answers),
    ("contracts in force for each request", ("agreements", "attestations"), check_contracts),
    ("copies looked for again after 1 h and 24 h", ("receipts", "incidents"), check_looks),
    ("presenters who had allowed it", ("releases",), check_presenters),
    ("browsers and codes", ("devices", "codes"), check_browsers),
    ("copies at AI vendors, seen to be gone", ("renders", "receipts"), check_absence),
    ("videos, links and plays within time", ("assets", "links", "plays"), check_videos),
    ("certificates of deletion", ("certificates",), check_certificates),
)


def faults_of(what: str, check: Callable[[], Iterable[Fault]]) -> list[Fault]:
    """Run one check; what cannot even be read is a fault, not the end of the checking."""
    try:
        return list(check())
    except MALFORMED as fault:
        return [f"{what}: cannot be read ({type(fault).__name__}: {fault})"]


def examine(proof: Document) -> list[tuple[str, int, list[Fault]]]:
    """Return each check with the number of elements it went over and what it found."""
    results = [("the head and its signature", 1, faults_of("head", partial(check_head, proof)))]
    for name, title in SECTIONS:
        count = len_of(proof, name)
        found = faults_of(name, partial(check_contents, proof, name))
        results.append((title, count, found))
    for title, names, check in CHECKS:
        count = sum(len_of(proof, name) for name in names)
        found = faults_of(names[0] if names else title, partial(check, proof))
        results.append((title, count, found))
    return results


def len_of(proof: Document, name: str) -> int:
    """Return how many elements a section has."""
    section = proof.get(name)
    return len(section) if isinstance(section, list) else 0


def read(path: Path) -> Document:
    """Read the file; two values under one name are refused, for each reader would take another."""

    def unique(pairs: list[tuple[str, Any]]) -> Document:
        if len({name for name, _ in pairs}) != len(pairs):
            raise Malformed("one name stands twice")
        return dict(pairs)

    proof = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=unique)
    if not isinstance(proof, dict):
        raise Malformed("it is no JSON object")
    return proof


def report(proof: Document, pinned: str) -> int:
    """Say what was checked, line by line; return how many faults there are."""
    results = examine(proof)
    key = proof.get("key")
    public = str(key.get("public")) if isinstance(key, dict) else ""
    if pinned:
        faults = [] if public == pinned.lower() else ["key: it is another one"]
        results.append(("the key is the one you named", 1, faults))
    for title, count, found in results:
        say(f"{'FAIL' if found else ' ok '} {count:6d}  {title}")
        for fault in found[:LONGEST_LIST]:
            say(f"               {fault}")
        if len(found) > LONGEST_LIST:
            say(f"               and {len(found) - LONGEST_LIST} more")
    say(f"\nPerson      {proof.get('person')}\nMade at     {proof.get('made_at')}")
    say(f"Public key  {public}")
    say(f"Fingerprint {hashlib.sha256(public.encode()).hexdigest()[:32]}")
    say("Pinned      " + ("yes" if pinned else "no: compare the key with one you trust (--key)"))
    return sum(len(found) for _, _, found in results)


def say(line: str) -> None:
    """Write one line of the report."""
    sys.stdout.write(f"{line}\n")


def main(arguments: list[str] | None = None) -> int:
    """Check the file that was named; return the exit status."""
    parser = argparse.ArgumentParser(description="Check a Sealcast proof, offline.")
    parser.add_argument("proof", type=Path, help="the file that `manage.py prove` wrote")
    parser.add_argument("--key", default="", help="the public key you trust, in hex")
    chosen = parser.parse_args(arguments)
    try:
        proof = read(chosen.proof)
    except (OSError, ValueError) as fault:
        say(f"FAIL: this file is no proof: {fault}")
        return 1
    faults = report(proof, chosen.key)
    say(f"\nTHE PROOF DOES NOT HOLD: {faults} fault(s)." if faults else "\nTHE PROOF HOLDS.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
