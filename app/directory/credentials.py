"""Credentials as they are kept: what was given, and what they were renewed to since."""

from collections.abc import Mapping

import msgspec

from app.directory.vault import Vault, VaultError
from app.model.renewable import Access
from app.model.unshown import Unshown


class Kept(Unshown, frozen=True, omit_defaults=True):
    """
    Credentials of one account.

    `given` is as they were imported, so that the same import is known again after `current`, which
    the provider takes, has been renewed. `previous` is what that was renewed from, `access` what
    came with it, both None until then.
    """

    given: Mapping[str, str]
    current: Mapping[str, str]
    previous: Mapping[str, str] | None = None
    access: Access | None = None


def seal(vault: Vault, kept: Kept, account_id: str, provider: str) -> bytes:
    """Return credentials sealed for this account at this provider only."""
    return vault.seal(msgspec.json.encode(kept), _context(account_id, provider))


def unseal(vault: Vault, sealed: bytes, account_id: str, provider: str) -> Kept:
    """Return what was sealed for this account at this provider; `VaultError` for anything else."""
    plaintext = vault.open(sealed, _context(account_id, provider))
    try:
        return msgspec.json.decode(plaintext, type=Kept)
    except (msgspec.MsgspecError, UnicodeError):
        raise VaultError("what was sealed are no credentials") from None


def rotated(vault: Vault, sealed: bytes, account_id: str, provider: str) -> bytes:
    """Return what was sealed for this account under the vault's newest key."""
    return vault.rotated(sealed, _context(account_id, provider))


def _context(account_id: str, provider: str) -> bytes:
    # An id has no colon, so no other pair gives the same context.
    return f"credentials:{account_id}:{provider}".encode()
