"""The configuration and the secrets that are mounted, as a gateway reads them."""

import re
import subprocess
from pathlib import Path

import pytest
from shipped import CLUSTER, COMPOSE, FOLDER, Load, composed, texts

from app import settings
from app.model.errors import ConfigurationError

pytest_plugins = ("docker_fixtures",)


@pytest.mark.parametrize("files", [(COMPOSE,), (COMPOSE, CLUSTER)], ids=["redis", "cluster"])
def test_each_secret_is_made_and_mounted_where_it_is_read(
    files: tuple[Path, ...], made_secrets: Path
) -> None:
    whole = composed(*files)
    made = {file.name for file in made_secrets.iterdir()}
    named = {Path(one["file"]).name for one in whole["secrets"].values()}
    read = (FOLDER / "gateway.toml").read_text() + (FOLDER / "redis.conf").read_text()
    mounted = {name: set(service.get("secrets", [])) for name, service in whole["services"].items()}

    assert named <= made
    assert {Path(one["file"]).parent for one in whole["secrets"].values()} == {Path("secrets")}
    for name in re.findall(r'"file:/run/secrets/([a-z-]+)"', read):
        assert name in mounted["gateway"]
    assert "redis-login" in mounted["redis"]
    for name, service in whole["services"].items():
        used = re.findall(r"/run/secrets/([a-z-]+)", " ".join(texts(service)))
        assert set(used) <= mounted[name], name


def test_what_a_service_sets_in_the_environment_of_a_gateway_is_a_key(
    load: Load, made_secrets: Path, tmp_path: Path
) -> None:
    load(FOLDER / "gateway.toml")  # leaves the file, with its secrets where they are here
    gateway = composed(COMPOSE, CLUSTER)["services"]["gateway"]
    there = {
        name: value.replace("/run/secrets", str(made_secrets))
        for name, value in gateway["environment"].items()
    }
    loaded = settings.load(tmp_path / "gateway.toml", there)

    assert loaded.cache.url.get_secret_value().startswith("redis+cluster://:")


def test_secrets_are_made_once_and_stay(made_secrets: Path) -> None:
    before = {file.name: file.read_text() for file in made_secrets.iterdir()}
    again = subprocess.run(
        [made_secrets.parent / "secrets.sh"], check=True, capture_output=True, text=True
    )

    assert again.stdout == ""
    assert {file.name: file.read_text() for file in made_secrets.iterdir()} == before
    assert len({before[name] for name in before}) == len(before)
    # Nobody else comes to the files; in its container, their user reads each of them.
    assert made_secrets.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in made_secrets.iterdir()} == {0o644}


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ("unready_for =", "unready =", "server.unready: is not a key; did you mean unready_for?"),
        ("vault-key", "vault", "vault.keys"),
        ('kind = "hostup"', 'kind = "hostdown"', "providers.hosting.kind: write one of"),
    ],
)
def test_a_broken_configuration_is_noticed(
    was: str, becomes: str, told: str, load: Load, tmp_path: Path
) -> None:
    text = (FOLDER / "gateway.toml").read_text()
    assert was in text
    broken = tmp_path / "broken.toml"
    broken.write_text(text.replace(was, becomes))

    with pytest.raises(ConfigurationError, match=re.escape(told)):
        load(broken)
