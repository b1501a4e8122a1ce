"""The Compose files, by their official schema and by what hangs together in them."""

import copy
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from shipped import (
    CLUSTER,
    COMPOSE,
    DOCKERFILE,
    FOLDER,
    ROOT,
    Load,
    Table,
    composed,
    seconds,
    stages,
)

pytest_plugins = ("docker_fixtures",)
ONE_REDIS, CLUSTERED = (COMPOSE,), (COMPOSE, CLUSTER)
both = pytest.mark.parametrize("files", [ONE_REDIS, CLUSTERED], ids=["redis", "cluster"])


def invalid(file: Path) -> str:
    """Return what the schema of compose-spec.io says against a file; nothing where it is valid."""
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", file],
        capture_output=True,
        text=True,
        check=False,
    )
    return checked.stdout + checked.stderr if checked.returncode else ""


def problems(whole: Table) -> list[str]:
    """Return what is named and not there, and containers that may do more than they need."""
    return [
        *(f"{place}: {told}" for place, told in _dangling(whole)),
        *(
            f"{name}: {told}"
            for name, service in whole["services"].items()
            for told in _unheld(service)
        ),
    ]


def _dangling(whole: Table) -> Iterator[tuple[str, str]]:
    for name, one in whole["configs"].items():
        if not (FOLDER / one["file"]).is_file():
            yield name, f"its file {one['file']} is not there"
    for name, service in whole["services"].items():
        for kind in ("configs", "secrets", "networks", "volumes"):
            for used in map(_named, service.get(kind, [])):
                if used not in whole[kind]:
                    yield name, f"{used} is not among {kind}"
        yield from ((name, told) for told in _waits_in_vain(service, whole["services"]))


def _named(used: str | Table) -> str:
    """Return the name of what a service uses; a volume's is before where it is mounted."""
    return used.partition(":")[0] if isinstance(used, str) else used["source"]


def _waits_in_vain(service: Table, services: Mapping[str, Table]) -> Iterator[str]:
    for name, how in service.get("depends_on", {}).items():
        if name not in services:
            yield f"{name} is not among services"
            continue
        awaited, condition = services[name], how["condition"]
        # The gateway has the check of its image.
        checked = "healthcheck" in awaited or "build" in awaited
        if condition == "service_healthy" and not checked:
            yield f"{name} is never healthy, as nothing checks it"
        if condition == "service_completed_successfully" and awaited["restart"] != "no":
            yield f"{name} is started again and again"


def _unheld(service: Table) -> Iterator[str]:
    if service.get("read_only") is not True:
        yield "its files can be written"
    if service.get("cap_drop") != ["ALL"]:
        yield "it keeps capabilities"
    if service.get("security_opt") != ["no-new-privileges:true"]:
        yield "it can gain privileges"
    if not re.fullmatch(r"[1-9]\d*:\d+", service.get("user", "")):
        yield "it is root"
    image = service["image"].partition(":")[2]
    if not re.match(r"v?\d", image):
        yield "its image has no version"
    if any(not port.startswith("127.0.0.1:") for port in service.get("ports", [])):
        yield "it is open to others than this machine"
    limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
    if service["restart"] != "no" and not {"cpus", "memory", "pids"} <= limits.keys():
        yield "it may take all of the machine"


def changed(whole: Table, way: str, value: object) -> Table:
    """Return a copy in which what is at the end of a dotted way is another."""
    tree: Any = (copied := copy.deepcopy(whole))
    *parents, last = way.split(".")
    for parent in parents:
        tree = tree[parent]
    tree[last] = value
    return copied


@both
def test_they_are_valid_by_themselves_and_together(files: tuple[Path, ...], tmp_path: Path) -> None:
    whole = tmp_path / "whole.yaml"
    whole.write_text(yaml.safe_dump(composed(*files)))

    assert [invalid(file) for file in (*files, whole)] == [""] * (len(files) + 1)


@pytest.mark.parametrize(
    ("way", "value"),
    [
        ("services.gateway.read_only", ["yes"]),
        ("services.gateway.stop_grace", "30s"),
        ("services.redis.deploy.resources.limits", ["1.0"]),
        ("networks.inside", {"internall": True}),
    ],
)
def test_the_schema_notices_a_broken_file(way: str, value: object, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(yaml.safe_dump(changed(composed(COMPOSE), way, value)))

    assert way.rpartition(".")[2] in invalid(broken)


@both
def test_what_is_named_is_there_and_every_container_is_held(files: tuple[Path, ...]) -> None:
    assert problems(composed(*files)) == []


@pytest.mark.parametrize(
    ("way", "value", "problem"),
    [
        ("configs.haproxy.file", "nginx.conf", "haproxy: its file nginx.conf is not there"),
        ("services.gateway.secrets", ["vault"], "gateway: vault is not among secrets"),
        ("services.gateway.networks", ["within"], "gateway: within is not among networks"),
        ("services.redis.volumes", ["keep:/data"], "redis: keep is not among volumes"),
        (
            "services.gateway.depends_on",
            {"mysql": {"condition": "service_healthy"}},
            "gateway: mysql is not among services",
        ),
        (
            "services.redis.depends_on",
            {"directory": {"condition": "service_healthy"}},
            None,  # it has the image's check
        ),
        (
            "services.gateway.depends_on",
            {"redis": {"condition": "service_completed_successfully"}},
            "gateway: redis is started again and again",
        ),
        ("services.balancer.read_only", False, "balancer: its files can be written"),
        ("services.balancer.cap_drop", ["NET_RAW"], "balancer: it keeps capabilities"),
        ("services.balancer.security_opt", [], "balancer: it can gain privileges"),
        ("services.balancer.user", "0:0", "balancer: it is root"),
        ("services.balancer.image", "haproxy:latest", "balancer: its image has no version"),
        ("services.balancer.ports", ["80:8080"], "balancer: it is open to others"),
        ("services.balancer.deploy", {}, "balancer: it may take all of the machine"),
    ],
)
def test_a_broken_rule_is_noticed(way: str, value: object, problem: str | None) -> None:
    found = problems(changed(composed(COMPOSE), way, value))

    if problem is None:
        assert found == []
    else:
        assert any(one.startswith(problem) for one in found), found


def test_two_gateways_start_once_the_directory_is_up_to_date_and_redis_answers() -> None:
    gateway = composed(COMPOSE)["services"]["gateway"]

    assert gateway["deploy"]["replicas"] == 2
    assert {name: how["condition"] for name, how in gateway["depends_on"].items()} == {
        "directory": "service_completed_successfully",
        "redis": "service_healthy",
    }


def test_it_is_this_release_that_runs() -> None:
    final = stages(DOCKERFILE.read_text())[-1]
    (version,) = [one.words[0] for one in final.all("ARG") if one.words[0].startswith("VERSION=")]
    services = composed(*CLUSTERED)["services"]

    for name in ("gateway", "directory"):
        assert services[name]["image"] == f"credit-gateway:{version.removeprefix('VERSION=')}"
        assert services[name]["user"] == final.last("USER").words[0]
        build = services[name]["build"]
        assert (FOLDER / build["context"]).resolve() == ROOT
        assert (ROOT / build["dockerfile"]) == DOCKERFILE
        mounted = [one for one in services[name]["configs"] if one["source"] == "gateway"]
        where = f"{final.last('WORKDIR').words[0]}/gateway.toml"
        assert [one["target"] for one in mounted] == [where]


def test_a_stop_has_the_time_that_the_gateway_needs_and_the_balancer_notices_before(
    load: Load,
) -> None:
    server = load(FOLDER / "gateway.toml").server
    gateway = composed(COMPOSE)["services"]["gateway"]
    balancer = (FOLDER / "haproxy.cfg").read_text()
    checks = re.search(r"check inter (\d+s) fall (\d+)", balancer)
    needed = server.unready_for + server.request_timeout

    assert seconds(gateway["stop_grace_period"]) >= needed.total_seconds() + 5
    assert checks
    assert seconds(checks[1]) * int(checks[2]) < server.unready_for.total_seconds()
    for kind in ("client", "server"):
        silence = re.search(rf"timeout {kind}\s+(\d+s)", balancer)
        assert silence
        assert seconds(silence[1]) > server.request_timeout.total_seconds()


def test_redis_has_room_for_a_snapshot_beside_what_it_holds() -> None:
    most = re.search(r"^maxmemory (\d+)mb$", (FOLDER / "redis.conf").read_text(), re.MULTILINE)
    services = composed(*CLUSTERED)["services"]
    limits = {
        name: one["deploy"]["resources"]["limits"]["memory"]
        for name, one in services.items()
        if re.fullmatch(r"redis(-\d)?", name)
    }

    assert most
    assert len(limits) == 6
    assert all(limit.endswith("M") for limit in limits.values())
    assert min(int(limit[:-1]) for limit in limits.values()) >= 1.5 * int(most[1])
