"""Kubernetes's manifests, by the official schemas and by what hangs together in them."""

import copy
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from shipped import DOCKERFILE, FOLDER, ROOT, Load, Stage, Table, manifests, read, stages, texts

from app import settings

pytest_plugins = ("docker_fixtures",)
# From the oldest that they are for to the newest there is.
VERSIONS = "1.30", kubernetes_validate.latest_version()
CONFIGURATION = FOLDER / "kubernetes" / "gateway.toml"
KUSTOMIZATION = read(FOLDER / "kubernetes" / "kustomization.yaml")
SECRETS = "/run/secrets/credit-gateway"
KUBECTL = shutil.which("kubectl")
needs_kubectl = pytest.mark.skipif(
    KUBECTL is None, reason="no kubectl is installed; apt-get install kubernetes-client brings it"
)
OPTIONAL = {"ingress.yaml", "secret.example.yaml"}
FINAL = stages(DOCKERFILE.read_text())[-1]


def invalid(manifest: Table, version: str) -> str:
    """Return what the schema of a release says against a manifest, unknown keys included."""
    try:
        kubernetes_validate.validate(manifest, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return str(error)
    return ""


def unrestricted(pod: Table) -> Iterator[str]:
    """Tell what the profile `restricted` of the pod security standards would refuse, and more."""
    around = pod.get("securityContext", {})
    if any(pod.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")):
        yield "it is in a namespace of its host"
    if any(not {"configMap", "secret", "emptyDir"} & one.keys() for one in pod["volumes"]):
        yield "it mounts what it may not"
    if around.get("runAsNonRoot") is not True or not around.get("runAsUser"):
        yield "it may be root"
    if around.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield "all system calls are allowed"
    if pod.get("automountServiceAccountToken") is not False:
        yield "it holds a token of the cluster"
    for one in _containers(pod):
        yield from (f"{one['name']} {told}" for told in _unheld(one))


def _unheld(container: Table) -> Iterator[str]:
    own, resources = container.get("securityContext", {}), container.get("resources", {})
    if own.get("allowPrivilegeEscalation") is not False or own.get("privileged"):
        yield "can gain privileges"
    if own.get("capabilities") != {"drop": ["ALL"]}:
        yield "keeps capabilities"
    if own.get("readOnlyRootFilesystem") is not True:
        yield "can write its files"
    if not resources.get("requests") or "memory" not in resources.get("limits", {}):
        yield "may take all of its node"


def late(pod: Table, loaded: settings.Settings) -> Iterator[str]:
    """Tell which times of a pod do not go with those of the gateway in it."""
    unready = loaded.server.unready_for.total_seconds()
    needed = unready + loaded.server.request_timeout.total_seconds() + 5
    if pod["terminationGracePeriodSeconds"] < needed:
        yield "it is killed before it has ended what it began"
    probe = pod["containers"][0]["readinessProbe"]
    if probe["periodSeconds"] * probe["failureThreshold"] + probe["timeoutSeconds"] > unready:
        yield "it stops to listen before anybody has noticed"


def deployed() -> Table:
    pod: Table = copy.deepcopy(manifests()["deployment.yaml"]["spec"]["template"]["spec"])
    return pod


@pytest.mark.parametrize("version", VERSIONS)
def test_they_are_valid(version: str) -> None:
    assert {name: invalid(one, version) for name, one in manifests().items()} == dict.fromkeys(
        manifests(), ""
    )


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("deployment.yaml", lambda one: one["spec"].update(replica=2), "replica"),
        ("deployment.yaml", lambda one: one["spec"].pop("selector"), "selector"),
        ("service.yaml", lambda one: one["spec"]["ports"][0].update(port="http"), "http"),
        ("horizontalpodautoscaler.yaml", lambda one: one["spec"].pop("maxReplicas"), "maxReplicas"),
        ("networkpolicy.yaml", lambda one: one["spec"].update(egress={}), "array"),
    ],
)
def test_the_schema_notices_a_broken_manifest(
    name: str, change: Callable[[Table], object], told: str
) -> None:
    broken = copy.deepcopy(manifests()[name])
    change(broken)

    assert told in invalid(broken, VERSIONS[-1])


def test_each_manifest_is_in_the_kustomization_or_is_told_to_be_optional() -> None:
    listed = set(KUSTOMIZATION["resources"])
    text = (FOLDER / "kubernetes" / "kustomization.yaml").read_text()

    assert listed | OPTIONAL == set(manifests())
    assert not listed & OPTIONAL
    assert all(name in text for name in OPTIONAL)


def kustomized(folder: Path) -> tuple[int, str]:
    """Return what would be applied of a folder."""
    assert KUBECTL
    found = subprocess.run(
        [KUBECTL, "kustomize", folder], capture_output=True, text=True, check=False
    )
    return found.returncode, found.stdout or found.stderr


@needs_kubectl
def test_kubectl_puts_them_together() -> None:
    status, said = kustomized(FOLDER / "kubernetes")
    made = {one["kind"]: one for one in yaml.safe_load_all(said)}
    pod = made["Deployment"]["spec"]["template"]["spec"]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    (image,) = KUSTOMIZATION["images"]

    assert status == 0, said
    assert {kind: invalid(one, VERSIONS[-1]) for kind, one in made.items()} == dict.fromkeys(
        made, ""
    )
    assert {one["image"] for one in _containers(pod)} == {f"{image['newName']}:{image['newTag']}"}
    # The configuration's name has a hash of it, so that another one is rolled out.
    configuration = made["ConfigMap"]["metadata"]["name"]
    assert re.fullmatch(r"credit-gateway-[0-9a-z]{10}", configuration)
    assert volumes["configuration"]["configMap"]["name"] == configuration
    assert made["ConfigMap"]["data"]["gateway.toml"] == CONFIGURATION.read_text()
    namespaced = {kind for kind, one in made.items() if "namespace" in one["metadata"]}
    assert namespaced == set(made) - {"Namespace"}


@needs_kubectl
def test_kubectl_notices_a_manifest_that_is_not_there(tmp_path: Path) -> None:
    broken = shutil.copytree(FOLDER / "kubernetes", tmp_path / "kubernetes")
    (broken / "service.yaml").unlink()

    assert kustomized(broken)[0] != 0


def test_it_is_this_release_that_is_deployed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (image,) = KUSTOMIZATION["images"]

    assert image["newTag"] == project["version"]
    assert {one["image"] for one in _containers(deployed())} == {image["name"]}


def test_the_pods_pass_the_restricted_profile() -> None:
    assert list(unrestricted(deployed())) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda pod: pod.update(hostNetwork=True), "it is in a namespace of its host"),
        (lambda pod: pod["volumes"].append({"hostPath": {"path": "/"}}), "it mounts what"),
        (lambda pod: pod["securityContext"].pop("runAsNonRoot"), "it may be root"),
        (lambda pod: pod["securityContext"].update(runAsUser=0), "it may be root"),
        (lambda pod: pod["securityContext"].pop("seccompProfile"), "all system calls"),
        (lambda pod: pod.pop("automountServiceAccountToken"), "it holds a token"),
        (lambda pod: pod["containers"][0].pop("securityContext"), "gateway can gain privileges"),
        (lambda pod: pod["initContainers"][0].pop("securityContext"), "directory keeps capabil"),
        (lambda pod: pod["containers"][0].pop("resources"), "gateway may take all of its node"),
    ],
)
def test_a_pod_that_may_do_more_is_noticed(change: Callable[[Table], object], told: str) -> None:
    pod = copy.deepcopy(deployed())
    change(pod)

    assert any(one.startswith(told) for one in unrestricted(pod))


def test_a_stop_has_the_time_that_the_gateway_needs(load: Load) -> None:
    assert list(late(deployed(), load(CONFIGURATION))) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda pod: pod.update(terminationGracePeriodSeconds=24),
        lambda pod: pod["containers"][0]["readinessProbe"].update(periodSeconds=10),
    ],
)
def test_a_stop_that_comes_too_soon_is_noticed(
    change: Callable[[Table], object], load: Load
) -> None:
    pod = deployed()
    change(pod)

    assert list(late(pod, load(CONFIGURATION)))


def test_the_probes_ask_what_the_image_serves() -> None:
    (gateway,) = deployed()["containers"]
    (port,) = gateway["ports"]
    probes = {
        name: gateway[f"{name}Probe"]["httpGet"] for name in ("startup", "readiness", "liveness")
    }

    assert (f"{port['containerPort']}",) == FINAL.last("EXPOSE").words
    assert {probe["port"] for probe in probes.values()} == {port["name"]}
    # What they answer, test_docker_serving.py asks.
    assert {name: probe["path"] for name, probe in probes.items()} == {
        "startup": "/readyz",
        "readiness": "/readyz",
        "liveness": "/livez",
    }


def test_everything_is_about_the_same_pods() -> None:
    found = manifests()
    labels = found["deployment.yaml"]["spec"]["template"]["metadata"]["labels"]
    port = deployed()["containers"][0]["ports"][0]["name"]
    scaled = found["horizontalpodautoscaler.yaml"]["spec"]["scaleTargetRef"]
    deployment = found["deployment.yaml"]

    assert found["service.yaml"]["spec"]["selector"] == labels
    assert found["service.yaml"]["spec"]["ports"][0]["targetPort"] == port
    assert found["poddisruptionbudget.yaml"]["spec"]["selector"] == {"matchLabels": labels}
    assert found["networkpolicy.yaml"]["spec"]["podSelector"] == {"matchLabels": labels}
    assert found["networkpolicy.yaml"]["spec"]["ingress"][0]["ports"][0]["port"] == port
    assert (scaled["kind"], scaled["name"]) == (deployment["kind"], deployment["metadata"]["name"])
    assert "replicas" not in deployment["spec"]
    assert deployed()["serviceAccountName"] == found["serviceaccount.yaml"]["metadata"]["name"]
    assert found["namespace.yaml"]["metadata"]["name"] == KUSTOMIZATION["namespace"]
    routed = found["ingress.yaml"]["spec"]["rules"][0]["http"]["paths"]
    service = {"name": found["service.yaml"]["metadata"]["name"], "port": {"name": "http"}}
    assert [path["backend"] for path in routed] == [{"service": service}] * len(routed)
    assert "/metrics" not in [path["path"] for path in routed]


def test_each_secret_and_the_configuration_are_mounted_where_they_are_read() -> None:
    pod, keys = deployed(), manifests()["secret.example.yaml"]["stringData"]
    toml = tomllib.loads(CONFIGURATION.read_text())
    read = {text for text in texts(toml) if text.startswith("file:")}
    (generated,) = KUSTOMIZATION["configMapGenerator"]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}

    assert read == {f"file:{SECRETS}/{key}" for key in keys}
    assert set(keys.values()) == {""}
    for one in _containers(pod):
        mounts: Mapping[str, str] = {m["name"]: m["mountPath"] for m in one["volumeMounts"]}
        assert mounts["secrets"] == SECRETS
        assert mounts["configuration"] == _where(FINAL)
    assert volumes["configuration"]["configMap"]["name"] == generated["name"]
    assert (
        volumes["secrets"]["secret"]["secretName"]
        == (manifests()["secret.example.yaml"]["metadata"]["name"])
    )
    assert generated["files"] == ["gateway.toml"]


def test_the_containers_start_commands_of_the_image() -> None:
    (first,) = deployed()["initContainers"]
    (gateway,) = deployed()["containers"]

    # What both do, test_docker_serving.py tries.
    assert "command" not in first
    assert "command" not in gateway
    assert first["args"] == read(FOLDER / "compose.yaml")["services"]["directory"]["command"]
    assert tuple(gateway["args"]) == FINAL.last("CMD").words


def _containers(pod: Table) -> list[Table]:
    return [*pod["initContainers"], *pod["containers"]]


def _where(stage: Stage) -> str:
    return stage.last("WORKDIR").words[0]
