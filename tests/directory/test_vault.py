"""Sealed texts open only where they belong, and only as they were sealed."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.directory import Vault, VaultError, keygen

OLD, NEW, FOREIGN = b"o" * 32, b"n" * 32, b"f" * 32


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
