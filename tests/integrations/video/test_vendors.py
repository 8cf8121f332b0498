"""Do all AI vendors keep the contract: what leaves, what each answer means, what proves an end?"""

from collections.abc import Iterator
from xml.sax.saxutils import escape

import pytest
from django.test import override_settings

from integrations import vendors
from integrations.models import Connection
from integrations.video import orders, providers, wire
from integrations.video.base import Moved, NotFound, ProviderError, Status, VideoProvider
from tests import patience
from tests.integrations.video.accounts import SECRET, VENDORS, WORDS, adapter, body
from tests.simulators.server import OUTCOMES
from tests.simulators.studios import StudioSimulator

ORDER = {**OUTCOMES, "302": "permanent"}
Vendor = tuple[str, StudioSimulator]


@pytest.fixture(params=VENDORS)
def vendor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendor]:
    patience.with_mode(monkeypatch, patience.mode_of(request))
    with VENDORS[request.param][0]() as simulator:
        monkeypatch.setitem(wire.STAND_INS, request.param, simulator.origin)
        yield request.param, simulator


def done(name: str) -> tuple[VideoProvider, str]:
    """Return an adapter and a job that has ended."""
    provider = adapter(name)
    job = provider.create(body=body())
    while provider.poll(job_id=job).state == "rendering":
        pass
    return provider, job


def test_only_the_request_leaves_and_nothing_names_anybody(vendor: Vendor) -> None:
    name, simulator = vendor
    first, second = adapter(name), adapter(name, label="another")
    first.create(body=body())
    second.create(body=body())
    sent = [call.body for call in simulator.calls]
    assert sent[0] == sent[1]
    assert WORDS.encode() in sent[0]
    assert b"<break time=" in sent[0]
    assert b"callback" not in sent[0] or b"sc-" in sent[0]


def test_what_is_shown_of_an_order_is_what_leaves_without_our_address(vendor: Vendor) -> None:
    name, simulator = vendor
    with override_settings(SIMULATORS={name: simulator.origin}):
        shown = adapter(name).shown(body=body())
        adapter(name).create(body=body())
    sent = simulator.calls[0].body.decode()
    assert shown == sent.replace(SECRET, "(hidden)")
    assert SECRET not in shown


def test_words_cannot_write_a_silence_of_their_own(vendor: Vendor) -> None:
    name, simulator = vendor
    words = {"speech": 'x <break time="9s"/> y'}
    adapter(name).create(body=body({"slot": "s1", "ms": 3000}, words))
    assert simulator.calls[0].body.count(b"<break") == 1


@pytest.mark.parametrize("mode", ORDER)
def test_each_misbehaviour_of_an_order_has_its_outcome(vendor: Vendor, mode: str) -> None:
    name, simulator = vendor
    simulator.mode = mode
    with pytest.raises(ProviderError) as failed:
        adapter(name).create(body=body())
    assert failed.value.outcome == ORDER[mode], failed.value.code
    assert len(simulator.calls) == 1
    assert "Ana" not in repr(failed.value)


@pytest.mark.parametrize("mode", ORDER)
def test_no_misbehaviour_is_taken_for_a_state_or_an_absence(vendor: Vendor, mode: str) -> None:
    name, simulator = vendor
    provider, job = done(name)
    simulator.mode, simulator.acts = mode, frozenset({"GET"})
    for ask in (provider.poll, provider.exists):
        with pytest.raises(ProviderError) as failed:
            ask(job_id=job)
        assert not isinstance(failed.value, NotFound)
        assert failed.value.outcome == ("permanent" if mode == "302" else "transient")


@pytest.mark.parametrize("mode", ORDER)
def test_no_misbehaviour_of_a_deletion_hides_a_copy(vendor: Vendor, mode: str) -> None:
    name, simulator = vendor
    provider, job = done(name)
    simulator.mode, simulator.acts = mode, frozenset({"DELETE"})
    try:
        provider.delete(job_id=job)
    except ProviderError as failed:
        assert failed.outcome == ("permanent" if mode == "302" else "transient")
    assert provider.exists(job_id=job)


def test_a_lost_page_is_no_absence(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    name, simulator = vendor
    provider, job = done(name)
    monkeypatch.setitem(simulator.errors, "404_html", (404, b"<html>nginx</html>"))
    simulator.mode, simulator.acts = "404_html", frozenset({"GET", "DELETE"})
    with pytest.raises(ProviderError, match="unreadable"):
        provider.exists(job_id=job)
    with pytest.raises(ProviderError, match="not_deleted"):
        provider.delete(job_id=job)


def test_a_job_goes_its_way_and_ends(vendor: Vendor) -> None:
    name, simulator = vendor
    provider = adapter(name)
    job = provider.create(body=body())
    assert provider.poll(job_id=job) == Status("rendering")
    assert provider.poll(job_id=job) == Status("done")
    assert provider.exists(job_id=job)
    deletion = provider.delete(job_id=job)
    assert (deletion.status in {200, 204}, deletion.is_soft) == (True, False)
    assert not provider.exists(job_id=job)
    assert provider.delete(job_id=job).status == 404
    with pytest.raises(NotFound):
        provider.poll(job_id=job)
    assert not simulator.jobs


def test_a_failure_is_told_without_the_vendor_s_words(vendor: Vendor) -> None:
    name, simulator = vendor
    simulator.fails = True
    provider, job = done(name)
    assert provider.poll(job_id=job) == Status("failed", "the vendor could not make it")


def test_a_state_that_nobody_knows_is_no_state(vendor: Vendor) -> None:
    name, simulator = vendor
    provider, job = done(name)
    simulator.jobs[job]["looks"] = 0
    simulator.way = ("surprised",)  # type: ignore[misc]
    with pytest.raises(ProviderError, match="state_unknown"):
        provider.poll(job_id=job)


def test_the_film_is_fetched_without_the_key(vendor: Vendor) -> None:
    name, simulator = vendor
    provider, job = done(name)
    assert provider.fetch(job_id=job, body=body()).video == simulator.film
    [call] = simulator.films_fetched
    header, value = simulator.opened_by
    assert value not in call.headers.values()
    assert header not in {one.lower() for one in call.headers}


def test_a_film_that_lies_elsewhere_is_not_fetched(vendor: Vendor) -> None:
    name, simulator = vendor
    provider, job = done(name)
    simulator.film_host = simulator.origin.replace("127.0.0.1", "localhost")
    with pytest.raises(Moved):
        provider.fetch(job_id=job, body=body())
    assert not simulator.films_fetched


@pytest.mark.parametrize("mode", ["302", "reset", "truncated", "500", "404", "drip"])
def test_a_film_that_does_not_come_whole_is_none(
    vendor: Vendor, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, simulator = vendor
    provider, job = done(name)
    real = simulator.answer

    def answer(call: object) -> object:
        is_film = getattr(call, "path", "").startswith("/films/")
        simulator.mode, simulator.acts = (mode if is_film else ""), frozenset({"GET"})
        return (404, b"") if is_film and mode == "404" else real(call)  # type: ignore[arg-type]

    monkeypatch.setattr(simulator, "answer", answer)
    expected = {"302": Moved, "404": NotFound}.get(mode, ProviderError)
    with pytest.raises(expected):
        provider.fetch(job_id=job, body=body())


def test_a_job_is_found_again_over_all_pages(vendor: Vendor) -> None:
    name, _ = vendor
    provider = adapter(name)
    names = [provider.create(body=body({"speech": f"Part {number}"})) for number in range(5)]
    assert provider.find(body=body({"speech": "Part 4"})) == [names[4]]
    # A list may lag: what it does not show may be there all the same.
    assert provider.find(body=body({"speech": "Part 9"})) is None


def test_a_list_that_cannot_be_read_says_nothing(vendor: Vendor) -> None:
    name, simulator = vendor
    simulator.mode, simulator.acts = "wrong_members", frozenset({"GET"})
    assert adapter(name).find(body=body()) is None


def test_an_account_is_checked_without_an_order(vendor: Vendor) -> None:
    name, simulator = vendor
    assert adapter(name).check() == ""
    assert "refuses" in adapter(name, api_key="x").check()
    assert not simulator.jobs


def test_without_what_must_be_typed_in_nothing_leaves(vendor: Vendor) -> None:
    name, simulator = vendor
    row = providers.provider_for(Connection(provider=name, credentials_sealed=None))
    with pytest.raises(ProviderError, match="credentials_unreadable"):
        row.create(body=body())
    assert not simulator.calls


@pytest.mark.parametrize("wrong", [b"", b"[]", b"{", b'{"items": [{"x": 1}]}'])
def test_a_request_of_another_shape_does_not_leave(vendor: Vendor, wrong: bytes) -> None:
    with pytest.raises(ProviderError, match="request_rejected"):
        adapter(vendor[0]).create(body=wrong)
    assert not vendor[1].calls


@pytest.mark.parametrize("job_id", ["", "../x", "a/b", "a?b", "x" * 81])
def test_a_name_that_is_no_job_reaches_nobody(vendor: Vendor, job_id: str) -> None:
    with pytest.raises(NotFound):
        adapter(vendor[0]).poll(job_id=job_id)
    assert not vendor[1].calls


def test_a_server_that_is_gone_was_not_reached(vendor: Vendor) -> None:
    name, simulator = vendor
    simulator.__exit__()
    with pytest.raises(ProviderError) as failed:
        adapter(name).create(body=body())
    assert failed.value.outcome == "transient"


@pytest.mark.parametrize(("name", "gone"), [("heygen", False), ("synthesia", True)])
def test_what_is_hidden_is_gone_only_where_the_vendor_calls_that_deleted(
    name: str, gone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with VENDORS[name][0]() as simulator:
        monkeypatch.setitem(wire.STAND_INS, name, simulator.origin)
        provider, job = done(name)
        simulator.hides = True
        provider.delete(job_id=job)
        assert provider.exists(job_id=job) is not gone


def test_without_the_hard_flag_tavus_only_hides(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = {"tavus": {"delete_query": ""}}
    with VENDORS["tavus"][0]() as simulator, override_settings(PROVIDER_FACTS=facts):
        monkeypatch.setitem(wire.STAND_INS, "tavus", simulator.origin)
        provider, job = done("tavus")
        assert provider.delete(job_id=job).is_soft
        assert provider.exists(job_id=job)


def test_did_is_asked_again_while_it_renders(monkeypatch: pytest.MonkeyPatch) -> None:
    with VENDORS["did"][0]() as simulator:
        monkeypatch.setitem(wire.STAND_INS, "did", simulator.origin)
        provider = adapter("did")
        job = provider.create(body=body())
        with pytest.raises(ProviderError, match="not_deleted_409") as failed:
            provider.delete(job_id=job)
        assert failed.value.outcome == "transient"


def test_a_long_silence_is_written_in_pieces() -> None:
    order = orders.read(body({"slot": "s1", "ms": 12_000}, {"speech": "A & B"}))
    marks = '<break time="5000ms"/><break time="5000ms"/><break time="2000ms"/>'
    assert orders.spoken(order, vendors.DID, written=escape) == f"{marks} A &amp; B"
    assert orders.spoken(order, vendors.HEYGEN).startswith('<break time="10s"/><break time="2s"/>')


@pytest.mark.parametrize("url", ["http://files.heygen.ai/x", "https://files.heygen.ai:8/x", "x"])
def test_a_real_film_is_fetched_from_a_listed_host_only(url: str) -> None:
    with pytest.raises(Moved):
        wire.Wire(vendors.HEYGEN, adapter("heygen")).film(url)
