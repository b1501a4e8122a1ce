"""API keys: made, found by the digest of what a caller sends, revoked."""

from typing import Any

from sqlalchemy import Row, select

from app.directory.part import Part, change, new_id
from app.directory.tables import api_keys
from app.model.keys import ApiKey
from app.model.viewer import Scope

_SHOWN = [column for column in api_keys.c if column is not api_keys.c.digest]


class ApiKeys(Part):
    """The part of the directory that keeps API keys; of a key itself only its digest."""

    async def create_api_key(
        self, name: str, scopes: frozenset[Scope], reference: str | None, digest: bytes
    ) -> ApiKey:
        """Keep a new key; `digest` is of the key that is shown once, and of no other key."""
        key = ApiKey(new_id(), name, scopes, self._now(), reference)
        values = {
            "id": key.id,
            "name": name,
            "scopes": " ".join(sorted(scopes)),
            "reference": reference,
            "digest": digest,
            "created_at": key.created_at,
        }
        async with self._database.writing(shown=False) as connection:
            await connection.execute(api_keys.insert().values(values))
        return key

    async def api_key(self, digest: bytes) -> ApiKey | None:
        """Return the key of this digest; None where it is unknown or has been revoked."""
        statement = select(*_SHOWN).where(
            api_keys.c.digest == digest, api_keys.c.revoked_at.is_(None)
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(statement)).one_or_none()
        return _api_key(row) if row else None

    async def api_keys(self) -> list[ApiKey]:
        """Return all keys, also the revoked, the first made first."""
        statement = select(*_SHOWN).order_by(api_keys.c.created_at, api_keys.c.id)
        async with self._database.reading() as connection:
            return [_api_key(row) for row in await connection.execute(statement)]

    async def revoke_api_key(self, key_id: str) -> bool:
        """Revoke a key, from now on in every process; False where there is no key of this id."""
        statement = select(api_keys.c.revoked_at).where(api_keys.c.id == key_id)
        async with self._database.writing(shown=False) as connection:
            row = (await connection.execute(statement)).one_or_none()
            if row is not None and row.revoked_at is None:
                await change(connection, api_keys, key_id, revoked_at=self._now())
        return row is not None


def _api_key(row: Row[Any]) -> ApiKey:
    words = row.scopes.split()
    # A scope of a later release allows nothing in this one.
    scopes = frozenset(scope for scope in Scope if scope in words)
    return ApiKey(row.id, row.name, scopes, row.created_at, row.reference, row.revoked_at)
