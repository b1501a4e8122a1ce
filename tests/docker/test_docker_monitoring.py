"""Prometheus and Grafana: their own checks, and that what they ask for is what a gateway tells."""

import copy
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import promql_parser
import pytest
import yaml
from expressions import ALERTS, board, drawn, rules, unknown
from scraping import scrape
from shipped import COMPOSE, FOLDER, Table, read
from world import world

from app.api.errors import internal
from app.api.histories import SourceState

PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="no promtool is installed; apt-get install prometheus brings it"
)
SCENES = Path(__file__).with_name("alerts.test.yaml")
QUERY = """{ customer(reference: "C-1001") {
  creditChanges(first: 5) { sources { state } } balances { state } } }"""
Told = dict[str, dict[str, set[str]]]


def promtool(*arguments: object) -> tuple[int, str]:
    assert PROMTOOL
    found = subprocess.run(
        [PROMTOOL, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    return found.returncode, found.stdout + found.stderr


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Return what a gateway tells that has served a little: metrics, their labels and values."""
    found: Told = defaultdict(lambda: defaultdict(set))
    with world(tmp_path_factory.mktemp("monitored"), entries=5) as gateway:
        for _ in range(2):  # the second is answered from what is known
            gateway.data(QUERY)
        gateway.ask("{ nonsense }")
        for name, labels, _ in scrape(gateway.http).samples:
            found[name].update({label: {*found[name][label], labels[label]} for label in labels})
    # What a little serving does not bring about, as the code has it.
    found["credit_gateway_http_requests_total"]["status"].add("503")
    found["credit_gateway_sources_total"]["state"].update(SourceState)
    found["credit_gateway_graphql_errors_total"]["code"].add(internal(OSError())["code"])
    return found


@needs_promtool
def test_promtool_accepts_the_configuration_and_the_alarms() -> None:
    status, said = promtool("check", "config", FOLDER / "prometheus" / "prometheus.yaml")

    assert status == 0, said
    assert f"{len(rules())} rules found" in said


@needs_promtool
@pytest.mark.parametrize(
    ("was", "becomes"),
    [("> 0.8 *", "> 0.8 **"), ("for: 1m", "for: a minute"), ("{{ $value }}", "{{ $values }}")],
)
def test_promtool_notices_broken_alarms(was: str, becomes: str, tmp_path: Path) -> None:
    broken = tmp_path / "alerts.yaml"
    broken.write_text(ALERTS.read_text().replace(was, becomes, 1))

    assert promtool("check", "rules", broken)[0] != 0


@needs_promtool
def test_each_alarm_comes_when_it_should_and_not_before(tmp_path: Path) -> None:
    shutil.copy(ALERTS, tmp_path)
    scenes = shutil.copy(SCENES, tmp_path)
    status, said = promtool("test", "rules", scenes)

    assert status == 0, said
    # Each comes in one scene, and is looked for in another where it does not.
    asked = [
        (one["alertname"], bool(one["exp_alerts"]))
        for scene in read(SCENES)["tests"]
        for one in scene["alert_rule_test"]
    ]
    assert set(asked) == {(rule["alert"], comes) for rule in rules() for comes in (True, False)}


@needs_promtool
def test_an_alarm_that_does_not_come_is_noticed(tmp_path: Path) -> None:
    later = ALERTS.read_text().replace("for: 1m", "for: 1h")
    (tmp_path / "alerts.yaml").write_text(later)
    status, said = promtool("test", "rules", shutil.copy(SCENES, tmp_path))

    assert status != 0
    assert "CreditProviderDown" in said


def test_alarms_and_panels_ask_for_what_a_gateway_tells(told: Told) -> None:
    expressions = {rule["alert"]: rule["expr"] for rule in rules()} | {
        f"{title} {number}": expression for number, (title, expression) in enumerate(drawn(board()))
    }
    missing = {name: unknown(one, told) for name, one in expressions.items()}

    assert len(expressions) > 40
    assert not {name: found for name, found in missing.items() if found}


@pytest.mark.parametrize(
    ("expression", "missing"),
    [
        ("credit_gateway_requests_total", "credit_gateway_requests_total"),
        ('credit_gateway_redis_up{provider="a"}', "credit_gateway_redis_up{provider}"),
        ('credit_gateway_provider_state{state="AWAY"}', "state=AWAY"),
        ('credit_gateway_upstream_calls_total{outcome=~"invalid|wrong"}', "outcome=wrong"),
        ("sum by (customer) (credit_gateway_redis_up)", "by (customer)"),
    ],
)
def test_what_is_not_told_is_noticed(expression: str, missing: str, told: Told) -> None:
    assert unknown(expression, told) == [missing]


def test_every_alarm_says_what_is_wrong_and_how_urgent_it_is() -> None:
    for rule in rules():
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"].endswith(".")


def test_the_dashboard_is_whole() -> None:
    assert list(_broken(board())) == []


@pytest.mark.parametrize(
    ("change", "noticed"),
    [
        ({"id": 1}, "two panels have number 1"),
        ({"gridPos": {"h": 1, "w": 24, "x": 0, "y": 1}}, "lies over"),
        ({"gridPos": {"h": 1, "w": 24, "x": 12, "y": 900}}, "is wider than the page"),
        ({"datasource": {"type": "prometheus", "uid": "other"}}, "asks other"),
        ({"targets": [{"refId": "A", "expr": "rate(x[$step])"}]}, "is of no variable"),
        ({"targets": [{"refId": "A", "expr": "rate(x)"}]}, "is no expression"),
    ],
)
def test_a_broken_dashboard_is_noticed(change: Table, noticed: str) -> None:
    broken = copy.deepcopy(board())
    broken["panels"][-1].update(change)

    assert any(noticed in one for one in _broken(broken))


def test_grafana_finds_prometheus_and_the_dashboard() -> None:
    services, configs = read(COMPOSE)["services"], read(COMPOSE)["configs"]
    provisioning = FOLDER / "grafana" / "provisioning"
    (source,) = read(provisioning / "datasources" / "prometheus.yaml")["datasources"]
    (provider,) = read(provisioning / "dashboards" / "credit-gateway.yaml")["providers"]
    mounted = {one["target"]: configs[one["source"]] for one in services["grafana"]["configs"]}
    at_home = services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]

    assert source["uid"] == "prometheus"
    assert source["url"] == "http://prometheus:9090"
    assert source["jsonData"]["timeInterval"] == _scraped()["global"]["scrape_interval"]
    assert mounted[at_home] == {"file": "grafana/dashboards/credit-gateway.json"}
    assert Path(at_home).parent == Path(provider["options"]["path"])
    assert {Path(target).parent.name for target in mounted if target.endswith(".yaml")} == {
        "datasources",
        "dashboards",
    }


def test_prometheus_asks_the_gateways_where_they_listen() -> None:
    services = read(COMPOSE)["services"]
    (job,) = _scraped()["scrape_configs"]
    (discovery,) = job["dns_sd_configs"]
    mounted = {one["source"]: one["target"] for one in services["prometheus"]["configs"]}

    assert discovery["names"] == ["gateway"]
    assert set(services["prometheus"]["networks"]) & set(services["gateway"]["networks"])
    assert f"--config.file={mounted['prometheus']}" in services["prometheus"]["command"]
    assert Path(mounted["alerts"]).parent == Path(mounted["prometheus"]).parent
    assert _scraped()["rule_files"] == [Path(mounted["alerts"]).name]


def _scraped() -> Table:
    found: Table = yaml.safe_load((FOLDER / "prometheus" / "prometheus.yaml").read_text())
    return found


def _broken(whole: Table) -> Iterator[str]:
    """Tell what Grafana would show wrongly."""
    panels = whole["panels"]
    numbers = [one["id"] for one in panels]
    yield from (f"two panels have number {n}" for n in set(numbers) if numbers.count(n) > 1)
    for one, other in combinations(panels, 2):
        if _overlap(one["gridPos"], other["gridPos"]):
            yield f"{one['title']} lies over {other['title']}"
    for one in panels:
        if one["gridPos"]["x"] + one["gridPos"]["w"] > 24:
            yield f"{one['title']} is wider than the page"
        source = one.get("datasource", {"uid": "prometheus"})["uid"]
        if source != "prometheus":
            yield f"{one['title']} asks {source}"
    try:
        for title, expression in drawn(whole):
            yield from (f"{title}: {expression} is no expression" for _ in _unread(expression))
    except KeyError as error:
        yield f"{error} is of no variable"


def _overlap(one: Table, other: Table) -> bool:
    return all(
        one[start] < other[start] + other[size] and other[start] < one[start] + one[size]
        for start, size in (("x", "w"), ("y", "h"))
    )


def _unread(expression: str) -> Iterator[str]:
    try:
        promql_parser.parse(expression)
    except ValueError as error:
        yield str(error)
