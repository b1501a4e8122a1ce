"""A Cloudreve user: credit changes and payments, told apart by hashed ids."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from string import ascii_lowercase, ascii_uppercase, digits

from app.sandbox.cloudreve.samples import changes, payments, trade_number
from app.sandbox.history import CREDIT_CHANGES, Account, Fields, Row, exact
from app.sandbox.people import CLOUDREVE, Holder
from app.sandbox.timeline import draw, with_offset

_ALPHABET = ascii_lowercase + ascii_uppercase + digits
_STEP = 3**18  # has no divisor in common with 62, so no two numbers share an id
_WIDTHS = {CREDIT_CHANGES: 6, "payments": 5}


class CloudreveAccount(Account):
    provider = CLOUDREVE

    def __init__(self, holder: Holder, seed: int, entries: int) -> None:
        super().__init__(holder, seed, entries)
        self.user_id = self._hashed("user", 4, 0)
        self._serials = dict.fromkeys(self.streams, 0)

    @property
    def credit(self) -> int:
        """The user's points: the sum of all changes."""
        rows = self.history(CREDIT_CHANGES).rows
        return int(sum(exact(row.fields.get("diff", 0)) for row in rows))

    def samples(
        self, stream: str, choices: random.Random, times: Sequence[datetime]
    ) -> Iterator[tuple[str, datetime, Fields]]:
        if stream == CREDIT_CHANGES:
            for at, fields in changes(choices, times):
                yield self.new_key(stream, 0), at, fields
            return
        for at, fields in payments(choices, times):
            key = self.new_key(stream, 0)
            yield key, at, {"id": key, **fields}

    def new_key(self, stream: str, position: int) -> str:  # noqa: ARG002 - hashes hide the place
        self._serials[stream] += 1
        return self._hashed(stream, _WIDTHS[stream], self._serials[stream])

    def defaults(self, stream: str, key: str, at: datetime) -> Fields:
        if stream == CREDIT_CHANGES:
            return {"changed_at": with_offset(at), "diff": 100, "reason": "recharge"}
        return {
            "id": key,
            "trade_no": trade_number(draw(self.seed, key), at),
            "name": "Points",
            "status": "fulfilled",
            "qyt": 100,
            "price_unit": 1,
            "price_id": "CNY",
            "price_mark": "¥",
            "price_one_unit": 100,
            "created_at": with_offset(at),
            "updated_at": with_offset(at),
            "product_type": 4,
        }

    def shown(self, stream: str, row: Row) -> Fields:  # noqa: ARG002 - kept as answered
        return dict(row.fields)

    def _hashed(self, kind: str, width: int, serial: int) -> str:
        salt = int.from_bytes(sha256(f"{self.seed}/{kind}".encode()).digest()[:8])
        number = serial * self.holder.total + self.holder.number
        number = (number * _STEP + salt) % len(_ALPHABET) ** width
        letters = []
        for _ in range(width):
            number, digit = divmod(number, len(_ALPHABET))
            letters.append(_ALPHABET[digit])
        return "".join(letters)
