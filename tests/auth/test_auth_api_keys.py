"""API keys: what they stand for, and that a revoked one ends at once everywhere."""

import sqlite3
import subprocess
import time
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from commands import COMMAND, Run
from issuing import WHO, asked, bearer, guarded, key_server, status
from world import World, world

from app.auth.api_keys import digest, new_key

pytest_plugins = ("auth_fixtures",)

LIST = "{ customers(first: 9) { nodes { reference } } }"


def config(one: World) -> Path:
    return one.folder / "gateway.toml"


def created(run: Run, one: World, *arguments: str) -> str:
    ended = run("keys", "create", "--name", "n", *arguments, "--config", config(one))
    assert ended.status == 0, ended.err
    key = ended.out.strip()
    assert key.startswith("cg_")
    return key


def test_a_key_stands_for_its_scopes_and_its_customer(
    run: Run, open_world: World, steady: World
) -> None:
    own = created(run, open_world, "--scope", "credits:read", "--customer", "C-1002")
    every = created(run, open_world, "--scope", "credits:read:any", "--scope", "accounts:write")

    viewer = asked(steady, own, WHO)["data"]["viewer"]
    others = asked(steady, every, WHO)["data"]["viewer"]

    assert viewer["subject"].startswith("key:")
    assert viewer["scopes"] == ["credits:read"]
    assert viewer["customer"] == {"reference": "C-1002"}
    assert asked(steady, own, LIST)["data"]["customers"]["nodes"] == [{"reference": "C-1002"}]
    assert (others["scopes"], others["customer"]) == (["accounts:write", "credits:read:any"], None)
    assert len(asked(steady, every, LIST)["data"]["customers"]["nodes"]) == 3


def test_a_revoked_key_is_refused_at_once_by_every_process(run: Run, open_world: World) -> None:
    with key_server() as keys, ExitStack() as stack:
        gateways = [stack.enter_context(guarded(open_world, jwks_url=keys.url)) for _ in range(2)]
        key = created(run, open_world, "--scope", "credits:read:any")
        kept = created(run, open_world, "--scope", "credits:read:any")
        before = [status(one, key) for one in gateways]

        revoke = [str(COMMAND), "keys", "revoke", _id_of(open_world, key)]
        subprocess.run([*revoke, "--config", str(config(open_world))], check=True, timeout=60)
        after = [status(one, key) for one in gateways]
        control = [status(one, kept) for one in gateways]

    assert (before, after, control) == ([200, 200], [401, 401], [200, 200])


def _id_of(one: World, key: str) -> str:
    with closing(sqlite3.connect(_database(one))) as connection:
        found: str = connection.execute(
            "SELECT id FROM api_keys WHERE digest = ?", (digest(key),)
        ).fetchone()[0]
    return found


def _database(one: World) -> str:
    return one.settings.directory.url.get_secret_value().removeprefix("sqlite:///")


def test_another_key_is_refused(run: Run, open_world: World, steady: World) -> None:
    key = created(run, open_world, "--scope", "credits:read:any")
    last = "A" if key[-1] != "A" else "E"

    others = [new_key(), key[:-1] + last, key[:-1], key + "A", key.upper(), "cg_", f"cg_{'é' * 43}"]
    refused = [
        steady.http.post("/graphql", json={"query": WHO}, headers=_header(one)) for one in others
    ]

    assert [response.status_code for response in refused] == [401] * len(others)
    assert all("invalid_token" in one.headers["www-authenticate"] for one in refused)
    assert all(one not in response.text for one, response in zip(others, refused, strict=True))
    assert status(steady, key) == 200


def _header(key: str) -> dict[bytes, bytes]:
    return {b"Authorization": f"Bearer {key}".encode()}


def test_no_key_is_in_the_directory_itself(run: Run, open_world: World) -> None:
    key = created(run, open_world, "--scope", "credits:read")
    folder = Path(_database(open_world)).parent

    for file in folder.iterdir():
        content = file.read_bytes()
        assert key.encode() not in content
        assert key.removeprefix("cg_").encode() not in content


def test_a_directory_that_is_away_is_no_wrong_key(
    run: Run, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with (
        world(tmp_path_factory.mktemp("away"), entries=1) as one,
        key_server() as keys,
        guarded(one, jwks_url=keys.url) as served,
    ):
        key = created(run, one, "--scope", "credits:read")
        good = status(served, key)
        with closing(sqlite3.connect(_database(one))) as connection, connection:
            connection.execute("ALTER TABLE api_keys RENAME TO lost")

        away = served.http.post("/graphql", json={"query": WHO}, headers=bearer(key))
        with closing(sqlite3.connect(_database(one))) as connection, connection:
            connection.execute("ALTER TABLE lost RENAME TO api_keys")

        assert (good, away.status_code) == (200, 503)
        assert away.headers["retry-after"] == "1"
        assert away.json()["errors"][0]["extensions"]["code"] == "UPSTREAM_UNAVAILABLE"
        assert "www-authenticate" not in away.headers
        assert status(served, key) == 200


def test_keys_differ_and_are_long() -> None:
    start = time.thread_time()
    keys = {new_key() for _ in range(1000)}

    assert len(keys) == 1000
    assert {len(key) for key in keys} == {46}
    assert time.thread_time() - start < 5
