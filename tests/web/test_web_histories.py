"""The list that the dashboard keeps, beside the list that it follows, whatever happens to that."""

from typing import Any

import pytest
from node_scripts import answer_of, needs_clients

pytestmark = needs_clients
_STEPS = 400


def followed(seed: int, **more: bool) -> dict[str, Any]:
    """Return how often the rows were not the list's first rows, and what came of it all."""
    answer = answer_of("../web/histories.mjs", {"seed": seed, "steps": _STEPS, **more})
    assert isinstance(answer, dict)
    return answer


@pytest.mark.parametrize("seed", range(1, 9))
def test_the_rows_are_the_lists_first_whatever_comes_and_goes(seed: int) -> None:
    told = followed(seed)

    assert (told["wrong"], told["repeated"]) == (0, 0)
    assert told["entries"] > _STEPS
    assert told["rows"] > 0


def test_a_history_that_is_told_nothing_would_be_noticed() -> None:
    told = followed(1, deaf=True)

    assert told["wrong"] > 0
    assert told["repeated"] == 0


def test_a_source_that_comes_back_without_having_been_said_to_be_missing_would_be_noticed() -> None:
    assert followed(1, silent=True)["wrong"] > 0
