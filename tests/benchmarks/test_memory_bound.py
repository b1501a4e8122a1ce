"""Decoded documents never take more bytes than they may, whatever their number."""

from typing import NamedTuple

from app.mirror.memory import Memory


class Weighed(NamedTuple):
    weight: int
    version: str = "1"


def test_the_documents_used_longest_ago_go_when_there_are_more_bytes_than_may_be() -> None:
    memory: Memory[Weighed] = Memory(most_bytes=100)
    for name in ("a", "b"):
        memory.put(name, Weighed(40), "", is_current=True)
    memory.get("a")

    memory.put("c", Weighed(60), "", is_current=True)

    assert memory.get("b") is None
    assert not memory.is_current("b")
    assert (memory.get("a"), memory.get("c")) == (Weighed(40), Weighed(60))
    assert memory.bytes == 100


def test_a_thousand_documents_take_no_more_than_may_be() -> None:
    memory: Memory[Weighed] = Memory(most_bytes=1000)

    for number in range(1000):
        memory.put(f"{number % 300}", Weighed(7 + number % 50), "", is_current=False)
        assert memory.bytes <= 1000
