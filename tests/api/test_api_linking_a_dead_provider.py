"""A provider that does not work is left alone by those who link accounts, too."""

from pathlib import Path

from changing import create, credentials, link, refusal
from world import world


def test_a_storm_of_linking_asks_a_dead_provider_no_more_than_its_circuit_lets(
    tmp_path: Path,
) -> None:
    with world(tmp_path, entries=20) as one:
        create(one, "C-7")
        given = [credentials(one, "hosting") for _ in range(40)]
        one.sandbox.set_fault("hostup", {"kind": "status", "status": 503})
        one.sandbox.reset_calls()

        answers = [link(one, "C-7", "hosting", each, f"n{n}") for n, each in enumerate(given)]
        asked = sum(one.sandbox.calls().values())

        assert {refusal(answer)[0] for answer in answers} == {"UPSTREAM_UNAVAILABLE"}
        # Each by itself would have asked once at least.
        assert 0 < asked < len(answers) / 2
