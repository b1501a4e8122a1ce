"""The gateway's main job, end to end."""

from pathlib import Path

from world import world

QUERY = """{
  customer(reference: "C-1001") {
    creditChanges(first: 20) {
      nodes { occurredAt amount { amount unit } account { provider { name } } }
      sources { state }
    }
    payments(first: 20) { nodes { createdAt product } sources { state } }
  }
}"""


def test_one_query_merges_the_histories_of_three_providers(tmp_path: Path) -> None:
    with world(tmp_path) as gateway:
        customer = gateway.data(QUERY)["customer"]

    changes = customer["creditChanges"]["nodes"]
    times = [change["occurredAt"] for change in changes]
    assert len(changes) == 20
    assert times == sorted(times, reverse=True)
    assert {change["account"]["provider"]["name"] for change in changes} == {
        "cloud",
        "hosting",
        "loyalty",
    }
    assert [source["state"] for source in customer["payments"]["sources"]] == [
        "FRESH",
        "FRESH",
        "UNSUPPORTED",
    ]
