"""A CareCloud customer: records in the order of their local times."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from app.sandbox.carecloud.samples import CZK, DEPOSIT, Operation, records
from app.sandbox.history import CREDIT_CHANGES, Account, Fields, Row, exact
from app.sandbox.people import CARECLOUD, Holder, digits
from app.sandbox.timeline import PRAGUE, local

TIME_FIELD = "credit_history_record_time"


class CareCloudAccount(Account):
    provider = CARECLOUD
    streams = (CREDIT_CHANGES,)

    def __init__(self, holder: Holder, seed: int, entries: int) -> None:
        super().__init__(holder, seed, entries)
        self.customer_id = digits(26, seed, *holder.path)
        self._serial = 0

    def samples(
        self, stream: str, choices: random.Random, times: Sequence[datetime]
    ) -> Iterator[tuple[str, datetime, Fields]]:
        for at, fields in zip(times, records(choices, times, self.customer_id), strict=True):
            yield self.new_key(stream, 0), at, fields

    def new_key(self, stream: str, position: int) -> str:  # noqa: ARG002 - never answered
        self._serial += 1
        return str(self._serial)

    def defaults(self, stream: str, key: str, at: datetime) -> Fields:  # noqa: ARG002 - as above
        return {
            "customer_id": self.customer_id,
            "amount": 100,
            "credit_operation_type": DEPOSIT,
            "credit_operation_note": "",
            "currency_id": CZK,
            TIME_FIELD: local(at, PRAGUE),
        }

    def newest_first(self, stream: str) -> list[Row]:
        return self.oldest_first(stream)[::-1]

    def oldest_first(self, stream: str = CREDIT_CHANGES) -> list[Row]:
        """Return the rows by time; those of one second as they were added."""
        return sorted(self.history(stream).rows, key=_time)

    def shown(self, stream: str, row: Row) -> Fields:  # noqa: ARG002 - there is one only
        return shown(row, english=True)


def shown(row: Row, *, english: bool) -> Fields:
    """Return a record in one language, its amount as a JSON number."""
    fields = dict(row.fields)
    operation = fields.get("credit_operation_type")
    if isinstance(operation, Operation):
        fields["credit_operation_type"] = operation.english if english else operation.czech
    if isinstance(fields.get("amount"), Decimal):
        fields["amount"] = number(exact(fields["amount"]))
    return fields


def number(amount: Decimal) -> float:
    """Return an amount as the provider's language writes it: whole numbers without a fraction."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def _time(row: Row) -> str:
    return str(row.fields.get(TIME_FIELD) or "")
