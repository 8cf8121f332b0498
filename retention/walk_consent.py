"""Do people get their say? Each kind of permission, form and stop, as the walk's guests use them.

The guests are on none of the lists: what is done to them changes no campaign's figures.
"""

import csv
import io
import secrets
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction

from accounts import people
from accounts.audit import SYSTEM, Actor
from accounts.models import User
from consent import (
    allowing,
    boxes,
    choices,
    contacts,
    elements,
    evidence_imports,
    form_making,
    gate,
    hosted_forms,
    imports,
    ledger,
    one_click,
    optin,
    permissions,
    preferences,
    propagation,
    purposes,
    receipts,
    records,
    replays,
    reviews,
    signals,
    standing,
)
from consent.boxes import Answer, Box
from consent.elements import Elements, MissingElement
from consent.models import (
    Contact,
    HostedForm,
    Message,
    Propagation,
    Review,
    Revocation,
    StopConfirmation,
)
from retention import cast, subject_requests, walk_phones
from retention.cast import Person
from retention.walk import Walk, dispatch_for_a_day, hear, require

SELLER = "Lumen Telecom"
# Neither is one of the seven words; the second may be a stop and may be none.
FREE_TEXT = "please quit texting me, I have had enough of this"
UNSURE = "who gave you my number?"
MONTH = timedelta(days=30)
# Of the stronger kinds, what is asked of each beside who, what for and when.
KINDS: tuple[type[Elements], ...] = (
    elements.Written,
    elements.SoftOptInElements,
    elements.Implied,
    elements.Contract,
    elements.Explicit,
    elements.Health,
)


def permit(walk: Walk) -> dict[str, Any]:
    """Give each stronger kind of permission whole, and each short of its elements: refused."""
    nobody = _register(walk, "US")
    missing = [_refused(walk, nobody, kind) for kind in KINDS]
    for place, purpose_code, act, whole in _whole(walk):
        permissions.give(
            contact=_register(walk, place),
            purpose_code=purpose_code,
            channel="email",
            permission=whole,
            source="demo",
            act=act,
            at=walk.at,
            actor=SYSTEM,
        )
    stated = _register(walk, "DE")
    box = _box(purposes.SPECIAL_DATA, "explicit")
    boxes.give(
        box=box,
        channel="email",
        contact=stated,
        answer=Answer(ticked=frozenset({box.key})),
        source="demo",
        at=walk.at,
        actor=Actor("recipient", stated.public_id),
    )
    require(not standing.disagreements(), "a state is not the fold of its events")
    require(not permissions.without_elements(), "a permission stands without its elements")
    return {"kinds_given": len(_whole(walk)) + 1, "refused_for_lack_of": missing}


def attach_evidence(walk: Walk) -> dict[str, Any]:
    """Import a list of claims, and evidence for one of them; the other stays a claim."""
    guests = [walk.guest("ES"), walk.guest("BR")]
    source = f"{walk.tag}-claims"
    listed = imports.check(
        file=cast.as_csv(guests), source=source, created_by=None, at=walk.at - timedelta(hours=1)
    )
    imports.commit(batch=listed, at=walk.at - timedelta(hours=1), actor=SYSTEM)
    shown, bare = (_evidence_row(walk, guest) for guest in guests)
    batch = evidence_imports.check(
        file=_sheet([shown, {**bare, "notice": ""}]),
        source=source,
        created_by=None,
        at=walk.at,
    )
    evidence_imports.commit(batch=batch, at=walk.at, actor=SYSTEM)
    states = [_state(walk, _known(guest), "email") for guest in guests]
    require(states == ["given", "claimed"], f"evidence led to {states}")
    return {"claims": 2, "turned_into_consent": 1, "refused_rows": batch.bad_rows}


def sign_up(walk: Walk) -> dict[str, Any]:
    """Make a form, let guests sign up by it and confirm: in the US in writing, by phone."""
    marketer = _staff(walk, User.Role.MARKETER)
    draft = form_making.Draft(
        title="Offers",
        slug=walk.tag,
        seller=SELLER,
        boxes=[
            {
                "purpose": purposes.MARKETING,
                "channels": ["email", "sms"],
                "permission": "express",
                "texts": {},
            }
        ],
        asks_age=False,
        origins=["https://www.lumen.example"],
    )
    form = form_making.make(draft=draft, at=walk.at, staff=marketer)
    form = form_making.publish(form=form, at=walk.at, staff=marketer)
    for place in ("US", "GB", "DE", "FR"):
        walk.signed_up[place] = _sign_up(walk, form, walk.guest(place))
    dispatch_for_a_day(walk)
    confirmed = 0
    for _, token in walk_phones.confirm_tokens(source=hosted_forms.source(form)):
        optin.answer(token=token, at=walk.at, ip="192.0.2.9", user_agent="demo")
        confirmed += 1
    require(_state(walk, walk.signed_up["US"], "sms") == "confirmed", "nobody confirmed by phone")
    people.disable(user=marketer, at=walk.at, by=SYSTEM)
    return {"signed_up": len(walk.signed_up), "confirmed": confirmed}


def choose(walk: Walk) -> dict[str, Any]:
    """Use the page of one's choices: stop one, stop all by one tap, allow again, take a receipt."""
    person = walk.signed_up["DE"]
    link = preferences.look_up(token=_token(walk, person), at=walk.at)
    offered = len(choices.of(contact=person, at=walk.at))
    choices.stop(link=link, pair=(purposes.MARKETING, "email"), at=walk.at)
    require(_state(walk, person, "email") == "withdrawn", "one choice was not stopped")
    choices.stop(link=link, at=walk.later(minutes=1))
    chosen = choices.of(contact=person, at=walk.at)
    require(choices.is_all_stopped(chosen), "one tap did not stop all")
    pairs = choices.stopped_last(contact=person)
    again = allowing.asked(link=link, pairs=pairs, language="de", at=walk.at)
    answer = Answer(
        ticked=frozenset(box.key for box in again),
        signatures={box.key: "Demo Guest" for box in again if box.is_signed},
        age_years=40,
    )
    back = allowing.allow(link=link, asked=again, answer=answer, at=walk.later(minutes=1))
    require(back.given, "nothing could be allowed again")
    receipt = receipts.receipt(contact=person, at=walk.at)
    record = records.export(contact=person, at=walk.at)
    return {
        "choices_offered": offered,
        "stopped_by_one_tap": True,
        "allowed_again": back.given,
        "acts_in_receipt": _length(receipt["events"]),
        "acts_in_record": _length(record["events"]),
    }


def stop(walk: Walk) -> dict[str, Any]:
    """Stop in free text, by one click, by a browser's signal, and in words nobody is sure of."""
    told = {
        "by_free_text": _by_free_text(walk),
        "by_one_click": _by_one_click(walk),
        "by_signal": _by_signal(walk),
        "unsure_read_by_officer": _by_officer(walk),
    }
    return {**told, **tell(walk)}


def tell(walk: Walk) -> dict[str, Any]:
    """Tell the other systems of every stop until none waits; how long it took stands in each."""
    while propagation.pass_on(at=walk.at).told:
        continue
    waiting = Propagation.objects.filter(state=Propagation.State.WAITING, next_at__lte=walk.at)
    require(not waiting.exists(), "another system was not told of a stop")
    closed = Propagation.objects.exclude(state=Propagation.State.WAITING)
    return {"other_systems_told": closed.count()}


def come_back(walk: Walk) -> dict[str, Any]:
    """Erase somebody who said stop; a list that brings their address back lifts nothing."""
    person = walk.signed_up["US"]
    plain = contacts.opened(contact=person, at=walk.at)
    request = subject_requests.open_request(
        contact=person, kind="erasure", channel="sms", at=walk.at
    )
    subject_requests.carry_out(request=request, at=walk.at)
    again = contacts.register(
        partner=None,
        name=plain.name,
        email=plain.email,
        phone=plain.phone,
        language="en",
        time_zone="America/New_York",
        country="US",
        attributes={},
        source=f"{walk.tag}-again",
        at=walk.later(minutes=1),
        actor=SYSTEM,
    )
    require(again.pk != person.pk, "an erased person came back as themselves")
    verdict = _judge(walk, again, "sms")
    codes = {reason.code for reason in verdict.reasons}
    require("suppressed" in codes, f"a stop did not survive the erasure: {sorted(codes)}")
    return {"suppression_survived": True}


def judge_again(walk: Walk) -> dict[str, Any]:
    """Judge all that was decided again: by the law in force, and as if the proposed were."""
    found = replays.replay(
        book=replays.book_of(replays.PROPOSED),
        since=walk.at - timedelta(days=400),
        until=walk.at,
        at=walk.at,
        refusals_too=True,
    )
    require(not found.left_out["law"], "a decision comes out otherwise under the rules of then")
    require(found.judged, "no decision could be judged again")
    return {
        "decisions": found.total,
        "judged_again": found.judged,
        "left_out": dict(found.left_out),
        "would_change_if_proposed_law_held": found.changed,
    }


def _by_free_text(walk: Walk) -> int:
    person = walk.signed_up["US"]
    hear(walk, person, "sms", FREE_TEXT)
    hear(walk, person, "sms", "STOP")
    dispatch_for_a_day(walk)
    require(_judge(walk, person, "email").verdict == gate.REFUSE, "a stop in words was not heard")
    texts = Message.objects.filter(contact=person, purpose_code=purposes.STOP_CONFIRMATION)
    require(texts.exclude(sent_at=None).count() == 1, "a stop was not confirmed exactly once")
    held = StopConfirmation.objects.get(message=texts.get())
    try:
        with transaction.atomic():
            StopConfirmation.objects.create(
                revocation=held.revocation,
                message=held.message,
                revoked_at=held.revoked_at,
                send_by=held.send_by,
            )
    except IntegrityError:
        return 1
    require(fact=False, words="the database took a second confirmation of one stop")
    return 0


def _by_one_click(walk: Walk) -> int:
    person = walk.signed_up["GB"]
    one_click.stop(token=_token(walk, person), by_page=False, at=walk.at)
    one_click.stop(token=_token(walk, person), by_page=False, at=walk.later(minutes=1))
    stops = Revocation.objects.filter(contact=person, means=Revocation.Means.ONE_CLICK)
    require(stops.count() == 1, "one click, given twice, did not count once")
    require(_judge(walk, person, "email").verdict == gate.REFUSE, "one click stopped nothing")
    return 1


def _by_signal(walk: Walk) -> int:
    ended = signals.gpc(contact=walk.signed_up["DE"], at=walk.at)
    require(ended, "the browser's signal ended no sharing")
    require(not signals.gpc(contact=walk.signed_up["DE"], at=walk.at), "a signal counted twice")
    return 1


def _by_officer(walk: Walk) -> int:
    person, officer = walk.signed_up["FR"], _staff(walk, User.Role.OFFICER)
    for is_stop, after in ((False, gate.ALLOW), (True, gate.REFUSE)):
        hear(walk, person, "sms", UNSURE)
        require(
            _judge(walk, person, "email").verdict == gate.REFUSE, "an unsure answer held nobody"
        )
        review = Review.objects.filter(state=Review.State.OPEN).latest("created_at")
        words = reviews.words(review=review, at=walk.at, staff=people.actor(officer))
        require(words == UNSURE, "an officer could not read what was written")
        reviews.decide(review=review, is_stop=is_stop, at=walk.later(minutes=1), staff=officer)
        verdict = _judge(walk, person, "email").verdict
        # Nothing is in the way any more but, perhaps, the hour.
        expected = {after, gate.DEFER} if after == gate.ALLOW else {after}
        require(verdict in expected, f"an officer's answer led to {verdict}")
    people.disable(user=officer, at=walk.at, by=SYSTEM)
    return 2


def _whole(walk: Walk) -> list[tuple[str, str, str, Elements]]:
    ago, ahead = walk.at - MONTH, walk.at + 12 * MONTH
    sale = elements.SoftOptInElements(
        order="order 4711",
        product_class="telephones",
        sold_at=ago,
        opt_out_shown=True,
        similar_goods=True,
    )
    bought = elements.Implied(relation="purchase", reference="invoice 12", happened_at=ago)
    contract = elements.Contract(reference="contract 9", made_at=ago)
    health = elements.Health(
        information="Dates of visits",
        discloser="Harbour Dental",
        recipient=SELLER,
        use="Reminders of visits",
        expires_at=ahead,
        signature="Demo Guest",
        signed_at=ago,
        says_right_to_revoke=True,
        says_not_a_condition=True,
        says_may_be_disclosed_again=True,
    )
    return [
        ("GB", purposes.MARKETING, "api", sale),
        ("FR", purposes.MARKETING, "crm", bought),
        ("ES", purposes.SERVICE, "api", contract),
        ("US", purposes.PHI_CONTENT, "checkbox", health),
    ]


def _refused(walk: Walk, contact: Contact, kind: type[Elements]) -> str:
    try:
        with transaction.atomic():
            permissions.give(
                contact=contact,
                purpose_code=kind.purpose_code,
                channel="email",
                permission=kind(),
                source="demo",
                act="api" if "api" in kind.acts else "checkbox",
                at=walk.at,
                actor=SYSTEM,
            )
    except MissingElement as lack:
        return lack.name
    require(fact=False, words=f"{kind.__name__} was taken without its elements")
    return ""


def _sign_up(walk: Walk, form: HostedForm, guest: Person) -> Contact:
    typed = hosted_forms.Person(guest.name, guest.email, guest.phone, guest.language)
    first = hosted_forms.Look(version=form.version)
    look = hosted_forms.needed(form=form, person=typed, age_years=None, look=first, at=walk.at)
    asked = hosted_forms.shown(
        form=form, language=hosted_forms.spoken(form, guest.language), look=look
    )
    answer = Answer(
        ticked=frozenset(box.key for box in asked),
        signatures={box.key: guest.name for box in asked if box.is_signed},
        age_years=40,
    )
    hosted_forms.sign_up(form=form, asked=asked, person=typed, answer=answer, at=walk.at)
    return _known(guest)


def _staff(walk: Walk, role: str) -> User:
    return people.create_staff(
        email=f"{role}.{walk.tag}@example.org",
        name=f"Demo {role}",
        role=role,
        password=secrets.token_urlsafe(16),
        at=walk.at,
    )


def _register(walk: Walk, place: str) -> Contact:
    guest = walk.guest(place)
    return contacts.register(
        partner=None,
        name=guest.name,
        email=guest.email,
        phone=guest.phone,
        language=guest.language,
        time_zone=guest.time_zone,
        country=guest.country,
        attributes={},
        source=f"{walk.tag}-guests",
        at=walk.at,
        actor=SYSTEM,
    )


def _known(guest: Person) -> Contact:
    found = contacts.find(partner=None, email=guest.email)
    require(found, "a guest is not known")
    assert found is not None  # noqa: S101 required above
    return found


def _state(walk: Walk, contact: Contact, channel: str) -> str | None:
    return ledger.state_of(
        contact=contact, purpose_code=purposes.MARKETING, channel=channel, at=walk.at
    )


def _judge(walk: Walk, contact: Contact, channel: str) -> gate.Verdict:
    fresh = Contact.objects.get(pk=contact.pk)
    return gate.judge(contact=fresh, purpose_code=purposes.MARKETING, channel=channel, at=walk.at)


def _token(walk: Walk, contact: Contact) -> str:
    page = preferences.link(contact=contact, channel="email", message_id=None, at=walk.at)
    return page.rpartition("/")[2]


def _box(purpose_code: str, permission: str) -> Box:
    words = boxes.text(
        purpose_code=purpose_code, permission=permission, language="en", seller=SELLER
    )
    return Box("0", purpose_code, ("email",), permission, "en", words, SELLER)


def _evidence_row(walk: Walk, guest: Person) -> dict[str, str]:
    return {
        "address": guest.email,
        "purpose": purposes.MARKETING,
        "channel": "email",
        "act": "checkbox",
        "said_at": (walk.at - MONTH).isoformat(),
        "source": "web-form",
        "seller": SELLER,
        "notice": f"I agree to get offers from {SELLER}.",
        "language": "en",
        "form_url": "https://www.lumen.example/offers",
    }


def _sheet(rows: list[dict[str, str]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _length(events: object) -> int:
    return len(events) if isinstance(events, list) else 0
