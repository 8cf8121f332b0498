"""Can an unmarked video, or one that was changed after its mark, ever be sent?"""

import io
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from config.lib import content_signer, provenance
from tests.videos import stage
from tests.videos import vendor as played
from tests.videos.vendor import Vendor
from videos import compositing, marks, personalising, vault
from videos.marks import NotMarked
from videos.models import Asset, Campaign
from videos.personalising import NotPersonalised, personalise

AT, SOON = stage.AT, stage.AT + timedelta(minutes=1)


@pytest.fixture
def campaign(vendor: Vendor) -> Campaign:
    made = played.done(played.ordered()).campaign
    personalising._stages._kept.clear()
    return made


@pytest.fixture
def asset(campaign: Campaign) -> Asset:
    return personalise(campaign=campaign, contact=stage.person(), at=AT)


def parts(asset: Asset) -> tuple[bytes, bytes]:
    rows = asset.extents.select_related("sealed_object__key__parent")
    head, tail = (vault.read(sealed_object=row.sealed_object, at=SOON) for row in rows)
    return head, tail


def read(*whole: bytes) -> provenance.Mark:
    def part(data: bytes) -> tuple[int, provenance.Read]:
        return len(data), lambda start, end: data[start:end]

    return provenance.check(parts=[part(data) for data in whole], signer=marks._signer())


def test_a_video_says_that_ai_made_it_and_the_tail_stays_everybodys(asset: Asset) -> None:
    head, tail = parts(asset)
    mark = read(head, tail)
    assert (mark.name, asset.mark_read_at) == (asset.mark_name, AT)
    assert mark.sources == (provenance.GENERATED, provenance.COMPOSITE)
    assert asset.render.tail is not None
    assert vault.read(sealed_object=asset.render.tail, at=SOON) == tail
    assert compositing.probe(data=head + tail).frame_count == 211


def test_the_mark_knows_nobody(asset: Asset) -> None:
    head, _ = parts(asset)
    box = head[: head.index(b"moov")]
    assert b"c2pa.edited" in box
    known = ["Zoë", "Ångström", "zoe@", "4915112345678", "Aurora", asset.contact_id.hex]
    assert not [word for word in known if word.encode() in box]


@pytest.mark.parametrize("place", ["head", "tail"])
def test_one_changed_bit_breaks_the_mark(asset: Asset, place: str) -> None:
    head, tail = map(bytearray, parts(asset))
    (head if place == "head" else tail)[-1] ^= 1
    with pytest.raises(NotMarked, match="does not fit"):
        read(bytes(head), bytes(tail))


def test_another_signers_mark_is_not_ours(asset: Asset) -> None:
    other = content_signer.parse(content_signer.generate(at=AT))
    head, tail = parts(asset)
    both = [(len(head), lambda a, b: head[a:b]), (len(tail), lambda a, b: tail[a:b])]
    with pytest.raises(NotMarked, match="not ours"):
        provenance.check(parts=both, signer=other)


def test_what_is_stored_without_a_mark_is_not_sent(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marks, "signed", lambda *, composite, render, at: composite)
    with pytest.raises(NotPersonalised, match="not_marked"):
        personalise(campaign=campaign, contact=stage.person(), at=AT)
    assert (Asset.objects.get().state, Asset.objects.get().problem) == ("failed", "not_marked")


def test_without_a_signer_nothing_is_made(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> object:
        raise content_signer.SignerUnavailable("missing")

    monkeypatch.setattr(marks, "_loaded", missing)
    with pytest.raises(NotPersonalised, match="not_marked"):
        personalise(campaign=campaign, contact=stage.person(), at=AT)


@pytest.mark.parametrize("missing", [{"mark_name": ""}, {"mark_read_at": None}])
def test_the_database_refuses_an_unmarked_video(asset: Asset, missing: dict[str, object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Asset.objects.filter(pk=asset.pk).update(**missing)


def test_parts_read_as_one_file() -> None:
    runs = [(3, lambda a, b: b"abc"[a:b]), (0, lambda a, b: b""), (4, lambda a, b: b"defg"[a:b])]
    file = io.BufferedReader(provenance.Parts(runs), 2)
    assert (file.read(), file.seek(-5, io.SEEK_END), file.read(3), file.tell()) == (
        b"abcdefg",
        2,
        b"cde",
        5,
    )
