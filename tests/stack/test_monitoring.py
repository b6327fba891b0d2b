"""Monitoring: its rules, its dashboards, and the metrics both name; what can run here runs beside a real stack."""

import itertools
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.stack.monitoring_metrics import ASKED, OF_A_TARGET, OF_OTHERS, labels_in, metrics_of_the_code, names_in
from tests.stack.monitoring_stack import Watched, wait_until, watched_stack

ROOT = Path(__file__).resolve().parent.parent.parent
MONITORING = ROOT / "docker" / "monitoring"
RULE_FILES = sorted(MONITORING.glob("rules/*.yml"))
RULE_TESTS = sorted(MONITORING.glob("rules/tests/*.yml"))
DASHBOARDS = sorted(MONITORING.glob("grafana/dashboards/*.json"))
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((MONITORING / "compose.yaml").read_text())["services"]
RULES = [rule for path in RULE_FILES for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]
ALERTS = [rule for rule in RULES if "alert" in rule]
RECORDED = {rule["record"] for rule in RULES if "record" in rule}


def test_prometheus_accepts_its_configuration_and_rules() -> None:
    run_in("prometheus", "promtool", "check", "config", "--lint=all", "--lint-fatal", "/m/prometheus.yml")


def test_alertmanager_accepts_its_configuration_and_tells_nobody_until_it_is_changed() -> None:
    run_in("alertmanager", "amtool", "check-config", "/m/alertmanager.yml")
    route = ("config", "routes", "test", "--config.file=/m/alertmanager.yml")
    for labels in (
        "alertname=WebDown severity=critical",
        "alertname=DeadLetters severity=warning",
        "alertname=Watchdog",
    ):
        assert run_in("alertmanager", "amtool", *route, *labels.split()).strip() == "nobody"


@pytest.mark.parametrize("path", RULE_TESTS, ids=lambda path: path.stem)
def test_alerts_fire_when_they_should_and_are_silent_when_they_should_be(path: Path) -> None:
    run_in("prometheus", "promtool", "test", "rules", f"/m/rules/tests/{path.name}")


def test_alerts_that_silence_others_and_those_they_silence_exist() -> None:
    config = yaml.safe_load((MONITORING / "alertmanager.yml").read_text())
    matchers = [
        word for rule in config["inhibit_rules"] for key in ("source", "target") for word in rule[f"{key}_matchers"]
    ]
    named = {name for word in matchers for name in word.split('"')[1].split("|")}
    assert named <= {alert["alert"] for alert in ALERTS}


def test_every_alert_is_tested_and_has_a_severity_and_a_runbook() -> None:
    tests = "".join(path.read_text() for path in RULE_TESTS)
    headings = re.findall(r"^#+ (\w+)$", (ROOT / "docs/monitoring.md").read_text(), re.MULTILINE)
    for alert in ALERTS:
        assert re.search(rf"\b{alert['alert']}\b", tests), alert["alert"]
        assert alert["labels"]["severity"] in {"critical", "warning", "none"}
        assert set(alert["annotations"]) == {"summary", "description", "runbook"}
        assert alert["annotations"]["runbook"] == f"docs/monitoring.md#{alert['alert'].lower()}"
        assert alert["alert"] in headings


def test_every_query_can_be_read_and_names_only_metrics_and_labels_that_exist() -> None:
    queries = [(f"{path.stem}: {title}", query) for path in DASHBOARDS for title, query in queries_of(path)]
    queries += [(rule.get("alert") or rule["record"], rule["expr"]) for rule in RULES]
    written = [{"record": "a:query", "expr": query, "labels": {"n": str(n)}} for n, (_, query) in enumerate(queries)]
    given = yaml.safe_dump({"groups": [{"name": "queries", "rules": written}]})
    run_in("prometheus", "promtool", "check", "rules", given=given)

    ours = metrics_of_the_code()
    existing = ours.keys() | OF_OTHERS | RECORDED
    assert not [(title, unknown) for title, query in queries if (unknown := names_in(query) - existing)]
    for title, query in queries:
        labels = [ours.get(name) for name in names_in(query)]
        if None not in labels:
            known = OF_A_TARGET.union(*labels)
            assert labels_in(query) <= known, f"{title}: no label is called {', '.join(labels_in(query) - known)}"


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_is_whole(path: Path) -> None:
    board = json.loads(path.read_text())
    assert board["uid"] == f"slipway-{path.stem}"
    assert [(one["name"], one["type"]) for one in board["templating"]["list"]] == [("datasource", "datasource")]
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    for panel in board["panels"]:
        assert panel["type"] in {"timeseries", "stat", "table"}
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"]) > 0
        sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
        assert all(source == {"type": "prometheus", "uid": "${datasource}"} for source in sources)
    for one, other in itertools.combinations([panel["gridPos"] for panel in board["panels"]], 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_off_by_default_pinned_confined_and_not_published(name: str) -> None:
    service = SERVICES[name]
    assert service["profiles"] == (["flower"] if name == "flower" else ["monitoring"])
    assert re.search(r":v?\d+\.\d+\.\d+$", service["image"])
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {"mem_limit", "cpus", "pids_limit"} <= service.keys()
    assert {"max-size", "max-file"} <= service["logging"]["options"].keys()
    assert "ports" not in service


def test_the_edge_starts_before_a_password_is_set() -> None:
    secret = f"{MONITORING}/edge/locked.hash:/run/secrets/monitoring_password_hash:ro"
    files = ["--volume", secret, "--volume", f"{MONITORING}/edge:/monitoring:ro"]
    command = [
        "docker",
        "run",
        "--rm",
        "--network",
        "none",
        *files,
        "--env",
        "MONITORING_ADDRESS=ops.test",
        "caddy:2.11",
    ]
    validate = ["caddy", "validate", "--adapter", "caddyfile", "--config", "/monitoring/on.caddyfile"]
    result = subprocess.run([*command, *validate], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("path", ["/", "/flower/", "/api/datasources"])
def test_the_edge_asks_for_a_password_before_grafana_and_flower(watched: Watched, path: str) -> None:
    assert watched.visit("ops.test", path).status_code == 401
    assert watched.visit("ops.test", path, ("ops", "wrong")).status_code == 401
    # Neither program runs here: the edge let us in, and found nobody.
    assert watched.visit("ops.test", path, ("ops", "a-password")).status_code == 502


def test_the_programs_beside_the_stack_tell_the_metrics_we_name(watched: Watched) -> None:
    assert watched.visit("studio.test", "/health").status_code == 503, "no web process runs here"
    jobs = {"edge", "postgres", "valkey", "prometheus", "alertmanager"}
    wait_until(lambda: set(re.findall(r'job="(\w+)"', watched.ask("up == 1"))) >= jobs)
    wait_until(lambda: watched.metrics() >= ASKED)
    assert "=> 1 " in watched.ask("pg_up * on () redis_up")
    count = 'sum(caddy_http_request_duration_seconds_count{handler="subroute",code="503"})'
    # The rules count on it: each request is counted once under this handler.
    wait_until(lambda: "=> 1 " in watched.ask(count))


def test_prometheus_passes_alerts_on(watched: Watched) -> None:
    query = ("amtool", "alert", "query", "--alertmanager.url=http://localhost:9093", "Watchdog")
    wait_until(lambda: "Watchdog" in watched.run_in("alertmanager", *query))


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """What the stack's other services stand on, with the monitoring whose images can be had everywhere."""
    with watched_stack(tmp_path_factory.mktemp("watched")) as stack:
        yield stack


def run_in(service: str, program: str, *arguments: str, given: str = "") -> str:
    """Run a program of a service's image on our files. What it says is in the failure."""
    command = ["docker", "run", "--rm", "--interactive", "--network", "none", "--volume", f"{MONITORING}:/m:ro"]
    command += ["--entrypoint", program, SERVICES[service]["image"], *arguments]
    result = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def queries_of(path: Path) -> Iterator[tuple[str, str]]:
    """Return a dashboard's queries with the titles of their panels."""
    for panel in json.loads(path.read_text())["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"].replace("$__rate_interval", "5m")
