"""Sealed texts open only where they belong, and only as they were sealed."""

import base64
import hashlib
from collections.abc import Callable
from itertools import product

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from app.directory.vault import Vault, VaultError, keygen

OLD, NEW, FOREIGN = b"o" * 32, b"n" * 32, b"f" * 32
# Version and key's id, the nonce and tag of the data key, the data key.
HEAD, WRAPPED = 9, 9 + 12 + 32 + 16


def first_release(key: bytes, plaintext: bytes, context: bytes) -> bytes:
    """Seal as the first release did: under the vault's key itself."""
    head = b"\x01" + hashlib.sha256(b"credit-gateway:key-id:" + key).digest()[:8]
    return head + b"n" * 12 + AESGCM(key).encrypt(b"n" * 12, plaintext, head + context)


def opens(vault: Vault, sealed: bytes, context: bytes) -> bool:
    try:
        vault.open(sealed, context)
    except VaultError:
        return False
    return True


@given(st.binary(), st.binary())
def test_what_was_sealed_opens_in_its_context(plaintext: bytes, context: bytes) -> None:
    vault = Vault([NEW, OLD])

    assert vault.open(vault.seal(plaintext, context), context) == plaintext
    assert vault.open(Vault([OLD]).seal(plaintext, context), context) == plaintext


@given(st.binary(), st.binary(), st.binary())
def test_a_blob_moved_to_another_context_does_not_open(text: bytes, one: bytes, two: bytes) -> None:
    vault = Vault([NEW])
    sealed = vault.seal(text, one)

    if one != two:
        with pytest.raises(VaultError):
            vault.open(sealed, two)


@given(st.binary(max_size=40), st.data())
def test_a_blob_with_any_bit_changed_does_not_open(text: bytes, draw: st.DataObject) -> None:
    vault = Vault([NEW, OLD])
    sealed = bytearray(vault.seal(text, b"here"))
    sealed[draw.draw(st.integers(0, len(sealed) - 1))] ^= 1 << draw.draw(st.integers(0, 7))

    with pytest.raises(VaultError):
        vault.open(bytes(sealed), b"here")


@given(st.binary())
def test_any_other_bytes_do_not_open(sealed: bytes) -> None:
    with pytest.raises(VaultError):
        Vault([NEW]).open(sealed, b"")


def test_every_shortened_blob_does_not_open() -> None:
    vault = Vault([NEW])
    sealed = vault.seal(b"text", b"here")

    for length in range(len(sealed)):
        with pytest.raises(VaultError):
            vault.open(sealed[:length], b"here")


def test_a_key_that_is_not_known_is_told() -> None:
    sealed = Vault([FOREIGN]).seal(b"text", b"here")

    with pytest.raises(VaultError, match=r"not in vault\.keys"):
        Vault([NEW, OLD]).open(sealed, b"here")


def test_the_same_text_is_never_sealed_the_same() -> None:
    vault = Vault([NEW])

    assert len({vault.seal(b"text", b"here") for _ in range(100)}) == 100


def test_derived_keys_differ_by_purpose_and_key_and_stay() -> None:
    newest, older = Vault([NEW, OLD]).derive("cursors")

    assert len(newest) == len(older) == 32
    assert len({newest, older, NEW, OLD, *Vault([NEW, OLD]).derive("others")}) == 6
    assert Vault([OLD]).derive("cursors") == (older,)


@pytest.mark.parametrize("keys", [[], [b"short"], [NEW, b"x" * 33]])
def test_a_vault_without_proper_keys_is_refused(keys: list[bytes]) -> None:
    with pytest.raises(VaultError):
        Vault(keys)


def test_a_vault_shows_no_key() -> None:
    assert repr(Vault([NEW, OLD])) == "<Vault of 2 keys>"


def test_a_new_key_is_32_random_bytes() -> None:
    first, second = (base64.b64decode(keygen(), validate=True) for _ in range(2))

    assert first != second
    assert len(first) == len(second) == 32


@pytest.mark.parametrize(
    "sealing",
    [lambda text: Vault([NEW]).seal(text, b"here"), lambda text: first_release(NEW, text, b"here")],
    ids=["envelope", "first release"],
)
def test_not_one_byte_may_be_another(sealing: Callable[[bytes], bytes]) -> None:
    vault, sealed = Vault([NEW, OLD]), sealing(b"text")

    assert vault.open(sealed, b"here") == b"text"
    for place, bit in product(range(len(sealed)), (0x01, 0x80)):
        altered = bytearray(sealed)
        altered[place] ^= bit
        assert not opens(vault, bytes(altered), b"here"), place
        with pytest.raises(VaultError):
            vault.rotated(bytes(altered), b"here")


@given(st.binary(max_size=40), st.binary(max_size=40), st.sampled_from([b"here", b"there"]))
def test_no_part_of_one_opens_as_a_part_of_another(one: bytes, two: bytes, other: bytes) -> None:
    vault = Vault([NEW, OLD])
    sealed = [vault.seal(one, b"here"), vault.seal(two, other), Vault([OLD]).seal(one, b"here")]
    parts = [(each[:HEAD], each[HEAD:WRAPPED], each[WRAPPED:]) for each in sealed]

    for mixed in product(range(3), repeat=3):
        swapped = b"".join(parts[source][part] for part, source in enumerate(mixed))
        is_whole = len(set(mixed)) == 1 or swapped in sealed
        assert opens(vault, swapped, b"here") == (
            is_whole and (swapped != sealed[1] or other == b"here")
        )


@given(st.binary(), st.binary())
def test_what_the_first_release_sealed_opens_and_is_rotated(text: bytes, context: bytes) -> None:
    sealed = first_release(OLD, text, context)

    assert Vault([NEW, OLD]).open(sealed, context) == text
    rotated = Vault([NEW, OLD]).rotated(sealed, context)
    assert Vault([NEW]).open(rotated, context) == text


def test_a_rotated_text_needs_the_newest_key_alone_and_stays_as_it_is() -> None:
    vault = Vault([NEW, OLD])
    sealed = Vault([OLD]).seal(b"text", b"here")

    rotated = vault.rotated(sealed, b"here")

    assert Vault([NEW]).open(rotated, b"here") == b"text"
    assert not opens(Vault([OLD]), rotated, b"here")
    assert rotated[WRAPPED:] == sealed[WRAPPED:]
    assert vault.rotated(rotated, b"here") == rotated
    with pytest.raises(VaultError):
        vault.rotated(sealed, b"there")


def test_two_texts_are_never_under_the_same_data_key() -> None:
    vault = Vault([NEW])
    keys = {vault._unwrapped(vault.seal(b"text", b"here"), b"here")[0] for _ in range(100)}

    assert len(keys) == 100
