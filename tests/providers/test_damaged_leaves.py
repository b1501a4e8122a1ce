"""Every place of every recorded answer damaged: our error, or the page as it was but there."""

from datetime import timedelta
from typing import NamedTuple

import pytest
from adapters import Hands, account, adapter
from damage import Damage, damages, differences
from kinds import KNOWN, Recorded
from recordings import recording, replaying
from upstreams import upstream

from app.model.entries import Stream
from app.model.errors import UpstreamError, UpstreamInvalidResponse
from app.providers.page import Page, Provider


class Case(NamedTuple):
    """A kind's recorded answer, and what a page may be when it is damaged."""

    kind: str
    recorded: Recorded

    def allows(self, damage: Damage, whole: Page, found: Page | UpstreamError) -> bool:
        if isinstance(found, UpstreamError):
            return isinstance(found, UpstreamInvalidResponse)
        if self.kind == "cloudreve" and (damage.pattern, damage.what) == (
            self.recorded.rows,
            "null",
        ):
            # Which is how Go writes an empty list.
            return found == Page((), whole.next, digest=found.digest)
        return not self.must_be_refused(damage) and not (
            differences(whole, found) - self.may_differ(damage)
        )

    def may_differ(self, damage: Damage) -> set[str]:
        stands_for = self.recorded.stands_for
        name = self.named(damage)
        if name == damage.pattern:
            return set(stands_for.get(name, ()))
        row = next(step for step in damage.path if isinstance(step, int))
        return {f"{row}.{field}" for field in stands_for.get(name, ())}

    def must_be_refused(self, damage: Damage) -> bool:
        name, one = self.named(damage), self.recorded
        asked_for = name in one.required or (name in one.stands_for and name not in one.optional)
        return asked_for and damage.is_of_wrong_type

    def named(self, damage: Damage) -> str:
        """Return the place within its row, the whole pattern for a place outside of rows."""
        return damage.pattern.removeprefix(f"{self.recorded.rows}[].")


CASES = [Case(kind, one) for kind, known in KNOWN.items() for one in known.recorded]
BALANCES = [(kind, *place) for kind, known in KNOWN.items() for place in known.balances]


async def outcome(provider: Provider, clock: Hands, stream: Stream) -> Page | UpstreamError:
    """Read a page as if a third of a day later, so that nothing is remembered but a mistake."""
    clock.advance(timedelta(hours=8))
    try:
        return await provider.page(account(), stream, None)
    except UpstreamError as error:
        return error


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}-{case.recorded.name}")
async def test_damage_is_refused_or_stays_where_it_is(case: Case) -> None:
    clock, wrong, tried = Hands(), [], 0
    one = case.recorded
    named = one.name.replace("-", "_")
    async with (
        upstream(replaying(case.kind)) as server,
        adapter(case.kind, server.url, clock=clock) as provider,
    ):
        whole = await outcome(provider, clock, one.stream)
        assert isinstance(whole, Page)
        for damage in damages(recording(case.kind, one.name)):
            server.answer = replaying(case.kind, **{named: damage.value})
            found = await outcome(provider, clock, one.stream)
            tried += 1
            if not case.allows(damage, whole, found):
                wrong.append((damage.path, damage.what, found))

    assert wrong == []
    assert tried > 40


@pytest.mark.parametrize(("kind", "name", "place"), BALANCES)
async def test_a_damaged_balance_is_refused_or_the_same(kind: str, name: str, place: str) -> None:
    clock, wrong, refused = Hands(), [], 0
    async with (
        upstream(replaying(kind)) as server,
        adapter(kind, server.url, clock=clock) as provider,
    ):
        whole = await provider.balance(account())
        for damage in damages(recording(kind, name)):
            clock.advance(timedelta(hours=8))
            server.answer = replaying(kind, **{name.replace("-", "_"): damage.value})
            try:
                found = await provider.balance(account())
            except UpstreamInvalidResponse:
                refused += damage.pattern == place
                continue
            # Go leaves a zero out, and so an absent credit is none.
            zero = (kind, damage.pattern, damage.what) == ("cloudreve", place, "removed")
            if damage.pattern == place and not zero:
                wrong.append((damage.path, damage.what, found))
            if found != whole and not zero:
                wrong.append((damage.path, damage.what, found))

    assert wrong == []
    assert refused >= 5
