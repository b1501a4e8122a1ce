"""A HostUp client: a credit log with a running balance, and transactions."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from app.sandbox.history import CREDIT_CHANGES, Account, ControlError, Fields, Row, exact
from app.sandbox.hostup.samples import NONE, SEK, log_rows, reference, transaction_rows
from app.sandbox.people import HOSTUP, Holder, digits
from app.sandbox.timeline import STOCKHOLM, draw, local

LOG_FIELDS = (
    *("id", "date", "client_id", "in", "out", "balance", "description", "invoice_id"),
    *("transaction_id", "admin_id", "admin_name", "firstname", "lastname", "currency_id"),
    *("transid", "brand_id", "client_brand_id", "data_edit"),
)
EDIT_FIELDS = (
    *("id", "date", "client_id", "in", "out", "balance", "description"),
    *("transaction_id", "invoice_id"),
)
TRANSACTION_FIELDS = (
    *("id", "in", "out", "fee", "type", "status", "date", "description", "module", "trans_id"),
    *("invoice_id", "currency_id", "client_id", "firstname", "lastname", "companyname"),
)

_FIRST_ID = 4000
_LEAST_STEP = 20
_MOST_STEP = 60


class HostUpAccount(Account):
    provider = HOSTUP

    def __init__(self, holder: Holder, seed: int, entries: int) -> None:
        super().__init__(holder, seed, entries)
        self.client_id = str(30_000 + holder.number)
        self.api_key = digits(40, seed, *holder.path, "key")

    @property
    def balance(self) -> str:
        """The balance after the newest row."""
        rows = self.history(CREDIT_CHANGES).rows
        return str(self.shown(CREDIT_CHANGES, rows[-1])["balance"]) if rows else "0.00"

    @property
    def currency_id(self) -> str:
        """The currency of the newest row."""
        rows = self.history(CREDIT_CHANGES).rows
        return str(rows[-1].fields.get("currency_id", SEK)) if rows else SEK

    def samples(
        self, stream: str, choices: random.Random, times: Sequence[datetime]
    ) -> Iterator[tuple[str, datetime, Fields]]:
        rows = log_rows if stream == CREDIT_CHANGES else transaction_rows
        number = 0
        for at, fields in zip(times, rows(choices, times), strict=True):
            number += choices.randint(_LEAST_STEP, _MOST_STEP)
            key = str(_FIRST_ID + number * self.holder.total + self.holder.number)
            yield key, at, self._whole(stream, key, fields)

    def new_key(self, stream: str, position: int) -> str:
        ids = [int(exact(row.key)) for row in self.newest_first(stream)]
        older = max(ids[position:], default=_FIRST_ID)
        if not position:
            return str(older + self.holder.total)
        newer = min(ids[:position])
        if newer - older <= 1:
            raise ControlError("no id is free at this position", 409)
        return str((newer + older) // 2)

    def defaults(self, stream: str, key: str, at: datetime) -> Fields:
        choices = draw(self.seed, key)
        fields = {
            "date": local(at, STOCKHOLM),
            "in": "100.00",
            "out": "0.00",
            "description": "Credit added by payment",
            "invoice_id": NONE,
            "currency_id": SEK,
        }
        if stream == CREDIT_CHANGES:
            own = {"transaction_id": NONE, "admin_id": NONE, "admin_name": "", "transid": ""}
        else:
            own = {
                "fee": "0.00",
                "type": "invoice",
                "status": "Success",
                "module": "Swish",
                "trans_id": reference(choices, "Swish"),
                "companyname": "",
            }
        return self._whole(stream, key, fields | own)

    def shown(self, stream: str, row: Row) -> Fields:
        if stream != CREDIT_CHANGES:
            return _ordered(row.fields, TRANSACTION_FIELDS)
        whole = {"balance": f"{row.balance:.2f}", **row.fields}
        edit = {name: whole.get(name) for name in EDIT_FIELDS}
        edit["date"] = row.at.astimezone(STOCKHOLM).strftime("%d/%m/%Y")
        return _ordered({"data_edit": edit, **whole}, LOG_FIELDS)

    def settle(self, stream: str) -> None:
        balance = Decimal("0.00")
        if stream != CREDIT_CHANGES:
            return
        for row in self.history(stream).rows:
            balance += exact(row.fields.get("in", "0")) - exact(row.fields.get("out", "0"))
            row.balance = balance

    def _whole(self, stream: str, key: str, fields: Fields) -> Fields:
        person = self.holder.person
        own = {
            "id": key,
            "client_id": self.client_id,
            "firstname": person.first_name,
            "lastname": person.last_name,
        }
        brands = {"brand_id": "0", "client_brand_id": "1"} if stream == CREDIT_CHANGES else {}
        return own | brands | fields


def _ordered(fields: Fields, names: Sequence[str]) -> Fields:
    """Return fields in the documented order, then what control added."""
    known = {name: fields[name] for name in names if name in fields}
    return known | {name: value for name, value in fields.items() if name not in known}
