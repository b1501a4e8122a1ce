"""The watch for secrets finds each kind of them wherever it looks."""

import logging
import zlib

import httpx
import pytest
import structlog
from canaries import SecretTold, Watch, assert_none, look_through, secret_in
from redis_server import needs_redis, redis_server
from world import VAULT_KEY

from app import sandbox
from app.sandbox import Sandbox, SandboxServer


def secrets() -> dict[str, str]:
    """Return one secret of each kind, as the emulated providers give them."""
    with SandboxServer(Sandbox()) as served:
        line = next(iter(served.sandbox.sample_customers()))
        given = {account["provider"]: account["credentials"] for account in line["accounts"]}
        refresh_token = given["cloud"]["cloudreve"]["refreshToken"]
        renewed = httpx.post(
            f"{served.url}/cloudreve/api/v4/session/token/refresh",
            json={"refresh_token": refresh_token},
            trust_env=False,
        ).json()["data"]
        bearer = httpx.post(
            f"{served.url}/carecloud/webservice/rest-api/enterprise-interface/v1.0"
            "/users/actions/login",
            json={
                "user_external_application_id": sandbox.CARECLOUD_APPLICATION_ID,
                "login": sandbox.CARECLOUD_LOGIN,
                "password": sandbox.CARECLOUD_PASSWORD,
            },
            trust_env=False,
        ).json()["data"]["bearer_token"]
    return {
        "refresh token": refresh_token,
        "access token": renewed["access_token"],
        "HostUp's key": given["hosting"]["hostup"]["apiKey"],
        "CareCloud's password": sandbox.CARECLOUD_PASSWORD,
        "CareCloud's bearer": bearer,
        "API key": "cg_" + "A1_-b" * 8 + "xyz",
        "vault key": VAULT_KEY,
    }


def test_every_kind_of_secret_is_known() -> None:
    for kind, secret in secrets().items():
        assert secret_in(f"before {secret}, after"), kind
        with pytest.raises(SecretTold):
            assert_none(f'{{"x":"{secret}"}}', "an answer")


def test_what_is_no_secret_is_not_taken_for_one() -> None:
    assert (
        secret_in("customer C-1001 of 2026-11-21T10:00:00Z, b7a1d3f0e4c29a58, 1234567890") is None
    )


def test_a_secret_is_found_in_whatever_is_logged(watch: Watch) -> None:
    (secret, *_) = secrets().values()
    log = logging.getLogger("some.library")
    log.debug("a message with %s", secret)
    try:
        raise ValueError(secret)  # noqa: TRY301 - it is the traceback that is looked at
    except ValueError:
        log.debug("a traceback", exc_info=True)
    structlog.get_logger("ours").debug("an event", value={"deep": [secret]})

    found, watch.found = watch.found, []
    assert len(found) == 3
    assert not any(secret in line for line in found) or all(len(line) < 400 for line in found)


@needs_redis
@pytest.mark.parametrize("compressed", [False, True])
def test_a_secret_is_found_in_redis(*, compressed: bool) -> None:
    (secret, *_) = secrets().values()
    value = zlib.compress(secret.encode()) if compressed else secret.encode()
    with redis_server() as server, server.client() as client:
        client.hset("some", "field", b"harmless")
        assert look_through(client) == 1
        client.hset("some", "other", value)
        with pytest.raises(SecretTold):
            look_through(client)
        client.flushall()
