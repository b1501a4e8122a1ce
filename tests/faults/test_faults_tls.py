"""One provider whose encryption is wrong: it is sent nothing, and all else is as in any fault."""

import ssl
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from bearing_faults import calls_while_borne
from fault_world import PROVIDERS, Faulty, faulty, is_whole
from greetings import CODES, Greetings, greetings
from wire_faults import UNAVAILABLE

EACH = list(product(PROVIDERS, CODES))
OUTCOMES: Mapping[str, str] = {
    # The sandbox itself, which has nothing there.
    **dict.fromkeys(("unknown_authority", "expired", "of_another_host"), "404"),
    **dict.fromkeys(("plain_http", "garbage", "cut"), "breaks"),
    **dict.fromkeys(("half_a_greeting", "silence"), "waits"),
}


class Secured(NamedTuple):
    """A gateway that asks its providers by HTTPS, and the ways in which these can begin."""

    gateway: Faulty
    greetings: Greetings


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("tls")
    known = greetings(folder)
    trusting = {"SSL_CERT_FILE": str(known.trusted)}
    customers = len(EACH) + 10
    with faulty(folder, customers=customers, environment=trusting, greeting=known.right) as one:
        yield Secured(one, known)


@pytest.mark.parametrize(("name", "fault"), EACH)
def test_a_provider_whose_encryption_is_wrong_is_named_or_stale_and_is_sent_nothing(
    served: Secured, name: str, fault: str
) -> None:
    gateway, wrong = served.gateway, served.greetings.wrong[fault]

    sent = calls_while_borne(gateway, name, {CODES[fault]}, lambda: gateway.wire.greet(name, wrong))

    assert sent == 0


def test_a_certificate_is_taken_from_a_named_authority_and_from_no_other(
    served: Secured, tmp_path: Path
) -> None:
    gateway = served.gateway
    named = gateway.ask(gateway.unread())
    with faulty(tmp_path, customers=1, greeting=served.greetings.right) as one:
        unnamed = one.ask("C-1001")

    assert is_whole(named, "FRESH")
    assert unnamed.states == dict.fromkeys(PROVIDERS, "UNAVAILABLE")
    assert {source["error"]["code"] for source in unnamed.sources.values()} == {UNAVAILABLE}
    assert all("certificate" in one["error"]["message"] for one in unnamed.sources.values())


def trusting_everybody(url: str) -> str:
    """Return what becomes of a client that takes any certificate."""
    everybody = ssl.create_default_context()
    everybody.check_hostname, everybody.verify_mode = False, ssl.CERT_NONE
    try:
        return str(httpx.get(url, verify=everybody, timeout=1, trust_env=False).status_code)
    except httpx.TimeoutException:
        return "waits"
    except httpx.TransportError:
        return "breaks"


@pytest.mark.parametrize("fault", OUTCOMES)
def test_a_client_that_trusts_everybody_takes_a_wrong_certificate(
    served: Secured, fault: str
) -> None:
    wire = served.gateway.wire
    wire.greet("hosting", served.greetings.wrong[fault])

    outcome = trusting_everybody(wire.url("hosting"))
    wire.clear()

    assert outcome == OUTCOMES[fault]
