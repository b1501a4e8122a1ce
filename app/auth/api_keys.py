"""API keys: `cg_` and 32 random bytes, of which the directory keeps no more than a digest."""

import re
import secrets
from hashlib import sha256

from app.directory.database import DirectoryUnavailable
from app.directory.directory import Directory
from app.model.errors import Unauthenticated, UpstreamUnavailable
from app.model.viewer import Viewer

PREFIX = "cg_"
_RANDOM_BYTES = 32
_KEY = re.compile(r"cg_[A-Za-z0-9_-]{43}")


def new_key() -> str:
    """Return a new key; it is shown once, and only its digest is kept."""
    return PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)


def digest(key: str) -> bytes:
    """Return what a key is found by. 256 random bits cannot be guessed, so no salt is needed."""
    return sha256(key.encode()).digest()


class KeyHolders:
    """The callers that keys stand for, looked up each time: one that is revoked ends at once."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    async def viewer(self, key: str) -> Viewer:
        """Return whose a key is; raises `Unauthenticated`, `UpstreamUnavailable` meanwhile."""
        if not _KEY.fullmatch(key):
            raise Unauthenticated("The API key is not a whole one.", sent=True)
        try:
            known = await self._directory.api_key(digest(key))
        except DirectoryUnavailable as error:
            raise UpstreamUnavailable("The API key cannot be looked up now; try again.") from error
        if known is None:
            raise Unauthenticated("The API key is unknown or was revoked.", sent=True)
        return Viewer(f"key:{known.id}", known.scopes, known.reference)
