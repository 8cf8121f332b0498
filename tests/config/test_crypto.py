"""Is a value sealed as the format says, and refused in every other place?"""

import hmac

import pytest

from config.lib import crypto

KEY = bytes(range(32))
PLACE = "consent_contact.name:1"
# Computed apart from our code: 01 | nonce | AES-256-GCM(key, nonce, "Zoë", AAD = 01 | place).
VECTOR = bytes.fromhex("016465666768696a6b6c6d6e6f12741dcd954b630fb312270198b56bd87bf558c1")
OTHER_KEY = bytes(32)


def test_the_known_value_opens() -> None:
    assert crypto.unseal(key=KEY, sealed=VECTOR, context=PLACE) == "Zoë".encode()


def test_sealing_gives_the_known_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.token_bytes", lambda size: bytes(range(100, 100 + size)))
    assert crypto.seal(key=KEY, plaintext="Zoë".encode(), context=PLACE) == VECTOR


@pytest.mark.parametrize("plaintext", [b"", b"x", "名前 🙂".encode(), bytes(100_000)])
def test_what_is_sealed_opens(plaintext: bytes) -> None:
    sealed = crypto.seal(key=KEY, plaintext=plaintext, context=PLACE)
    assert crypto.unseal(key=KEY, sealed=sealed, context=PLACE) == plaintext


def test_nothing_of_the_plaintext_stands_in_the_sealed_value() -> None:
    assert b"Ana Maria" not in crypto.seal(key=KEY, plaintext=b"Ana Maria", context=PLACE)


def test_the_same_value_never_looks_the_same() -> None:
    seals = {crypto.seal(key=KEY, plaintext=b"Ana", context=PLACE) for _ in range(50)}
    assert len(seals) == 50


@pytest.mark.parametrize("byte", range(len(VECTOR)))
def test_a_change_of_any_byte_is_refused(byte: int) -> None:
    changed = bytearray(VECTOR)
    changed[byte] ^= 1
    with pytest.raises(crypto.SealBroken):
        crypto.unseal(key=KEY, sealed=bytes(changed), context=PLACE)


@pytest.mark.parametrize("size", range(len(VECTOR)))
def test_a_shortened_value_is_refused(size: int) -> None:
    with pytest.raises(crypto.SealBroken):
        crypto.unseal(key=KEY, sealed=VECTOR[:size], context=PLACE)


@pytest.mark.parametrize("place", ["consent_contact.name:2", "consent_contact.email:1", ""])
def test_another_place_is_refused(place: str) -> None:
    with pytest.raises(crypto.SealBroken):
        crypto.unseal(key=KEY, sealed=VECTOR, context=place)


def test_another_key_is_refused() -> None:
    with pytest.raises(crypto.SealBroken):
        crypto.unseal(key=OTHER_KEY, sealed=VECTOR, context=PLACE)


def test_a_sealed_value_is_read_from_a_memoryview() -> None:
    # PostgreSQL's driver gives memoryviews.
    opened = crypto.unseal(key=KEY, sealed=memoryview(VECTOR), context=PLACE)  # type: ignore[arg-type]
    assert opened == "Zoë".encode()


def test_derived_keys_are_the_known_ones_and_apart() -> None:
    derived = crypto.derive(key=KEY, label="stream", salt=b"salt")
    assert derived.hex() == "97ff365c00e767f39f13f3cdfb7b2567e0d7f96b3b68b2d5341f50076d935e49"
    assert derived != crypto.derive(key=KEY, label="stream", salt=b"other")
    assert derived != crypto.derive(key=KEY, label="house-secret", salt=b"salt")


def test_keyed_hashes_are_the_known_ones_and_apart() -> None:
    hashed = crypto.keyed_hash(key=KEY, label="email", value="ana@example.org")
    assert hashed == "82e9500bb46399e0a3e4ed83bc1f326c684dc4ecdfb490830bea369dcf93144c"
    assert hashed != crypto.keyed_hash(key=KEY, label="phone", value="ana@example.org")
    assert hashed != crypto.keyed_hash(key=OTHER_KEY, label="email", value="ana@example.org")
    # The label ends where the value begins: one cannot flow into the other.
    assert crypto.keyed_hash(key=KEY, label="a", value="bc") != crypto.keyed_hash(
        key=KEY, label="ab", value="c"
    )


def test_signatures_hold_for_their_message_and_key_only() -> None:
    public = crypto.public_key(seed=KEY)
    signature = crypto.sign(seed=KEY, message=b"head")
    assert crypto.signature_holds(public=public, signature=signature, message=b"head")
    assert not crypto.signature_holds(public=public, signature=signature, message=b"head ")
    assert not crypto.signature_holds(
        public=crypto.public_key(seed=OTHER_KEY), signature=signature, message=b"head"
    )


def test_a_malformed_signature_does_not_hold() -> None:
    public = crypto.public_key(seed=KEY)
    assert not crypto.signature_holds(public=public, signature=b"", message=b"head")
    assert not crypto.signature_holds(public=b"short", signature=bytes(64), message=b"head")


def test_the_signature_is_that_of_rfc_8032() -> None:
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    signature = (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )
    assert crypto.public_key(seed=seed).hex() == public
    assert crypto.sign(seed=seed, message=b"").hex() == signature


def test_new_keys_have_32_bytes_and_differ() -> None:
    assert len(crypto.new_key()) == 32
    assert crypto.new_key() != crypto.new_key()


@pytest.mark.parametrize("size_bytes", [1, 32, 64, 65])
def test_hashes_made_together_are_hmacs(size_bytes: int) -> None:
    key, values = bytes(range(1, size_bytes + 1)), ["", "a", "ö" * 100]
    alone = [hmac.digest(key, b"name\0" + value.encode(), "sha256").hex() for value in values]
    assert crypto.keyed_hashes(key=key, label="name", values=values) == alone
