"""What is done at each vendor, one act after the other? Each by the adapter, at a stand-in.

An act that only reads brings what is there or fails; one that writes says that it was done or
fails. `Said` stands for a failure that an adapter tells in words, or by saying no.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.audit import SYSTEM
from integrations import crm, identity, messaging, oauth, pins, providers, tokens
from integrations.crm import mapping, salesforce, zoho
from integrations.crm.asking import Asker
from integrations.crm.zoho_watch import ZohoWatch, mark_of
from integrations.messaging import twilio, twilio_tokens, wire
from integrations.messaging.base import KeepsTemplates, OutgoingMessage
from integrations.models import Connection, OAuthGrant
from integrations.video import wire as video_wire
from tests.consent import crms
from tests.consent.crms import Reading
from tests.contracts.test_provider_calls import MESSAGES
from tests.integrations import dance as dances
from tests.integrations.dance import Dance
from tests.integrations.messaging import test_twilio_tokens
from tests.integrations.video import accounts
from tests.simulators import base, server
from tests.simulators.salesforce import Salesforce

EMAIL = "ana@example.org"
PEOPLE = {
    "hubspot": {"firstname": "Ana", "email": EMAIL},
    "salesforce": {"Name": "Ana", "Email": EMAIL},
    "zoho": {"First_Name": "Ana", "Email": EMAIL},
}
LETTER = ("email", EMAIL)
MESSAGING = {
    **MESSAGES,
    "twilio_app": (MESSAGES["twilio"][0], test_twilio_tokens.HELD),
}
NAMES = (*PEOPLE, "heygen_sign_in", *MESSAGING, *accounts.VENDORS)


class Said(Exception):
    """It was not done, and whoever was asked said so."""


@dataclass(frozen=True)
class Act:
    """One act, and whether it only reads."""

    name: str
    run: Callable[[], object]
    reads: bool = False


@dataclass
class Stage:
    """One vendor's stand-in and what is done there, in this order."""

    vendor: base.Simulator | server.Simulator
    acts: list[Act]

    def calls(self) -> list[tuple[str, str]]:
        return [(call.method, call.path.partition("?")[0]) for call in self.vendor.calls]


@contextmanager
def stage(name: str) -> Iterator[Stage]:
    """Set up one vendor of `NAMES`."""
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        if name in PEOPLE:
            reading = stack.enter_context(crms.reading(name))
            yield Stage(reading.vendor, [*_of_crm(reading, patch), *_of_tokens(reading.dance)])
        elif name == "heygen_sign_in":
            dance = stack.enter_context(dances.dancing("heygen"))
            dance.connect()
            yield Stage(dance.vendor, _of_tokens(dance))
        elif name in MESSAGING:
            kind, held = MESSAGING[name]
            simulator: server.Simulator = stack.enter_context(kind())
            yield Stage(simulator, _of_messages(name.partition("_")[0], held, simulator, patch))
        else:
            studio = stack.enter_context(accounts.VENDORS[name][0]())
            patch.setitem(video_wire.STAND_INS, name, studio.origin)
            yield Stage(studio, _of_films(accounts.adapter(name)))


def _of_crm(reading: Reading, patch: pytest.MonkeyPatch) -> list[Act]:
    vendor: Any = reading.vendor
    slug = reading.row.provider
    # Every way on: a page of one row, then the next one, and what follows.
    more = {"subscriptions": "123=marketing", "stop_phone": "sms_opt_out"}
    reading.map(**(more if slug == "hubspot" else {}))
    for module, constant, value in ((zoho, "PAGE_SIZE", 1), (salesforce, "PAGE_SIZE", 1)):
        patch.setattr(module, constant, value)
    vendor.page_size = 1
    at = reading.clock.at
    for _ in range(2):
        vendor.add(at=at.timestamp(), **PEOPLE[slug])
    fields = mapping.clean(provider=slug, chosen=reading.sync().fields)
    reader = crm.reader_for(connection=reading.row, fields=fields, now=reading.clock)

    def stop(**more: Any) -> Callable[[], object]:
        told = {"email": EMAIL, "channels": ["email"], "at": at, **more}
        return lambda: reader.stop(record_id=_person(vendor, slug), **told)

    return [
        Act("read all", lambda: _read(reader, None), reads=True),
        Act("read what changed", lambda: _read(reader, at - timedelta(hours=1)), reads=True),
        *_of_one(slug, reading, reader, patch),
        Act("stop", stop()),
        Act("stop texts", stop(channels=["sms"])),
        Act("stop a purpose", stop(purposes=["marketing"])),
        Act("forget", lambda: reader.forget(record_id=_person(vendor, slug))),
        Act("note", lambda: reader.note(record_id=_person(vendor, slug), subject="x", at=at)),
    ]


def _of_one(slug: str, reading: Reading, reader: crm.Crm, patch: pytest.MonkeyPatch) -> list[Act]:
    """Return what is done at one CRM and at no other."""
    if slug == "salesforce":
        vendor: Any = reading.vendor
        told: dict[str, Any] = {"email": EMAIL, "channels": ["email"], "at": reading.clock.at}
        return [
            Act("read in bulk", lambda: _in_bulk(reader), reads=True),
            Act("end a yes", lambda: reader.stop(record_id=_agreed(vendor), **told)),
            Act("forget", lambda: reader.forget(record_id=_agreed(vendor))),
        ]
    if slug == "zoho":
        mark = mark_of(secret="of-nobody")
        asker = Asker(connection_id=reading.row.pk, provider=slug, now=reading.clock)
        until = reading.clock.at + timedelta(days=1)
        channel, address = ZohoWatch(asker), "https://example.org/hooks/x/"
        vendor = reading.vendor
        vendor.delete(vendor.add(**PEOPLE[slug]))
        return [
            Act("query", lambda: _by_query(reader), reads=True),
            Act("watch", lambda: channel.open(mark=mark, address=address, until=until)),
            Act("watch no more", lambda: channel.close(mark=mark)),
            Act("whose account", lambda: _account(reading.dance)),
        ]
    return []


def _of_tokens(dance: Dance) -> list[Act]:
    provider = providers.get(dance.slug)
    app = oauth.App(dances.CLIENT_ID, dances.SECRET)

    def refresh() -> object:
        held = dance.vendor.families[-1].refresh
        host = dance.grant().token_host
        return oauth.refresh(provider=provider, token_host=host, app=app, refresh_token=held)

    def revoke() -> None:
        held = dance.vendor.families[-1].refresh
        host = dance.grant().token_host
        if not oauth.revoke(provider=provider, token_host=host, app=app, token=held):
            raise Said

    def test() -> None:
        problem = tokens.problem(connection_id=dance.pk, now=dances.Clock(), actor=SYSTEM)
        _require_well(problem)

    return [Act("test", test), Act("refresh", refresh), Act("revoke", revoke)]


def _of_messages(
    name: str, held: dict[str, str], simulator: server.Simulator, patch: pytest.MonkeyPatch
) -> list[Act]:
    for place in [one for one in wire.ORIGINS if one.startswith(name)]:
        patch.setitem(wire.ORIGINS, place, simulator.origin)
    patch.setattr(twilio, "LOOK_UP_AFTER_SECONDS", (0,))
    patch.setattr(simulator, "spares_tokens", False, raising=False)
    channel = "whatsapp" if "whatsapp_template" in held else "sms"
    channel, address = LETTER if name == "sendgrid" else (channel, "+14155550100")

    def provider() -> Any:
        # Without a token that an earlier act was given.
        patch.setattr(twilio_tokens, "_KEPT", {})
        return messaging.provider_for(Connection(provider=name, credentials_sealed=held))

    def send() -> object:
        one = uuid.uuid4()
        text = f"Your video: https://example.org/v/{one}"
        return provider().send(OutgoingMessage(one, channel, address, "Yours", text, {}))

    def answer() -> object:
        simulator.open = {address.removeprefix("+")}
        one = OutgoingMessage(uuid.uuid4(), channel, address, "", "Stopped.", {}, True)
        return provider().send(one)

    acts = [Act("send", send), Act("test", lambda: _require_well(provider().check()))]
    if isinstance(provider(), KeepsTemplates):
        acts.append(Act("templates", lambda: provider().templates(), reads=True))
    if name in {"wati", "gupshup"}:
        acts.append(Act("answer", answer))
    if name == "sendgrid":
        acts.append(Act("stop", lambda: provider().stop(address=address, channel=channel)))
    return acts


def _of_films(vendor: Any) -> list[Act]:
    def order() -> str:
        return str(vendor.create(body=accounts.body()))

    def done() -> str:
        job = order()
        while vendor.poll(job_id=job).state == "rendering":
            pass
        return job

    def delete() -> None:
        job = done()
        vendor.delete(job_id=job)
        # What it says of a deletion is no proof: what it says of the job is.
        if vendor.exists(job_id=job):
            raise Said

    def find() -> None:
        order()
        if vendor.find(body=accounts.body()) is None:
            raise Said

    return [
        Act("order", order),
        Act("state", lambda: vendor.poll(job_id=order())),
        Act("find", find),
        Act("delete", delete),
        Act("test", lambda: _require_well(vendor.check())),
    ]


def _person(vendor: Any, slug: str) -> str:
    """Return the record of somebody new."""
    return str(vendor.add(**PEOPLE[slug]))


def _agreed(vendor: Salesforce) -> str:
    """Return the record of somebody new whose row of consent says yes."""
    known, person = _person(vendor, "salesforce"), vendor.new_id("0PK")
    vendor.individuals[person] = {"Id": person}
    vendor.consent(person, "Email", "OptIn", at=0)
    vendor.change(known, IndividualId=person)
    return known


def _read(reader: crm.Crm, since: datetime | None) -> list[tuple[str, tuple[str, ...]]]:
    cursor, found = reader.first(since=since), []
    for _ in range(200):
        page = reader.page(cursor=cursor)
        found += [(record.id, record.stops) for record in page.records]
        found += [(gone, ("gone",)) for gone in page.gone]
        if page.cursor is None:
            return sorted(set(found))
        cursor = page.cursor
    raise AssertionError("it never ends")


def _in_bulk(reader: crm.Crm) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(salesforce, "BULK_FROM", 1)
        return _read(reader, None)


def _by_query(reader: crm.Crm) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zoho, "TOKEN_ROWS_MAX", 1)
        return _read(reader, None)


def _account(dance: Dance) -> object:
    grant = dance.grant()
    return identity.complete(
        provider=providers.get(dance.slug),
        found=pins.Pins(grant.api_host, ""),
        access=dance.held()["access"],
    )


def _require_well(problem: str) -> None:
    if problem:
        raise Said


def restore() -> None:
    """Let connections work once more, as after a person looked after them."""
    Connection.objects.update(state=Connection.State.ACTIVE, problem="")
    OAuthGrant.objects.update(retry_at=None, lease_id=None, lease_until=None, failures=0)
