"""The delivery by workflows: their triggers, order and inputs."""

import re
import tomllib
from typing import Any

import pytest

from scripts.deploy.delivery import ROLLBACK_SECONDS
from scripts.setup import OLDEST_PYTHON
from tests.workflows.files import PREPARE, ROOT, WORKFLOWS, Mapping, job, jobs, steps, workflow

TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
GROUPS = {
    "production.promote": ("deploy-production", False),
    "rollback.rollback": ("deploy-${{ inputs.environment }}", True),
    "staging.attest": ("attest-${{ matrix.image.value }}", False),
    "staging.deploy": ("deploy-staging", False),
    "staging.sbom": ("sbom-${{ matrix.image.value }}", False),
}


class Event:
    """A context of an expression; a missing name is an empty context."""

    def __init__(self, values: Mapping) -> None:
        self._values = values

    def __getattr__(self, name: str) -> Any:
        value = self._values.get(name, {})
        return Event(value) if isinstance(value, dict) else value


def holds(condition: str, github: Mapping) -> bool:
    """Evaluate an expression of comparisons, && and ||; their precedence is that of `and` and `or` in Python."""
    expression = condition.replace("&&", " and ").replace("||", " or ").replace("\n", " ")
    return bool(eval(expression, {"github": Event(github), "startsWith": str.startswith}))


def after_ci(**changes: Any) -> Mapping:
    run = {"conclusion": "success", "event": "push", "head_branch": "main", "head_repository": {"full_name": "we/ours"}}
    return {"event_name": "workflow_run", "repository": "we/ours", "event": {"workflow_run": run | changes}}


def test_attestations_are_for_the_deployed_digest_and_not_in_the_registry() -> None:
    attest = job("staging", "attest")
    attestations = [step["with"] for step in attest.steps if step.get("uses", "").startswith("actions/attest")]
    assert len(attestations) == 2
    for attestation in attestations:
        assert attestation["subject-digest"] == "${{ matrix.image.value }}"
        assert attestation["push-to-registry"] is False
    assert job("staging", "sbom").body["permissions"] == {}


@pytest.mark.parametrize(
    ("github", "deploys"),
    [
        (after_ci(), True),
        (after_ci(conclusion="failure"), False),
        (after_ci(conclusion="cancelled"), False),
        (after_ci(event="pull_request"), False),
        (after_ci(head_branch="other"), False),
        (after_ci(head_repository={"full_name": "others/ours"}), False),
        ({"event_name": "workflow_dispatch", "ref": "refs/heads/main"}, True),
        ({"event_name": "workflow_dispatch", "ref": "refs/heads/other"}, False),
    ],
)
def test_staging_deploys_only_commits_of_main_that_passed_ci(github: Mapping, deploys: bool) -> None:
    assert holds(job("staging", "deploy").body["if"], github) is deploys


def test_staging_checks_out_the_commit_that_ci_tested() -> None:
    checkout = job("staging", "deploy").step("Check out the commit that CI tested")
    assert checkout["with"]["ref"] == "${{ github.event.workflow_run.head_sha || github.sha }}"
    assert workflow("staging")["on"]["workflow_run"]["workflows"] == [workflow("ci")["name"]]


def test_production_never_builds() -> None:
    assert list(workflow("production")["jobs"]) == ["promote"]
    text = str(job("production", "promote").body)
    assert not re.search(r"docker|buildx|make images|deploy-staging", text)
    assert job("production", "promote").steps[-1]["run"] == 'make promote TAG="$TAG" RELEASE="$RELEASE" YES=1'


def test_production_starts_with_a_version_tag_or_by_hand_on_main() -> None:
    events = workflow("production")["on"]
    assert events["push"] == {"tags": ["v[0-9]+.[0-9]+.[0-9]+"]}
    condition = job("production", "promote").body["if"]
    assert holds(condition, {"event_name": "push", "ref": "refs/tags/v1.2.3"})
    assert holds(condition, {"event_name": "workflow_dispatch", "ref": "refs/heads/main"})
    assert not holds(condition, {"event_name": "workflow_dispatch", "ref": "refs/heads/other"})


def test_a_rollback_job_has_more_time_than_the_tool_needs() -> None:
    rollback = job("rollback", "rollback")
    seconds = rollback.steps[-1]["timeout-minutes"] * 60
    assert seconds > ROLLBACK_SECONDS
    assert rollback.body["timeout-minutes"] * 60 >= seconds + ROLLBACK_SECONDS


def test_an_environment_is_changed_by_one_run_at_a_time_and_a_rollback_cancels_the_others() -> None:
    found = {str(each): each.body["concurrency"] for each in jobs() if "concurrency" in each.body}
    assert {name: (group["group"], group["cancel-in-progress"]) for name, group in found.items()} == GROUPS


@pytest.mark.parametrize("name", [path.stem for path in WORKFLOWS])
def test_every_workflow_sets_its_concurrency(name: str) -> None:
    assert "concurrency" in workflow(name) or all("concurrency" in each for each in workflow(name)["jobs"].values())


def test_every_make_target_that_is_used_exists() -> None:
    used = {
        target for _, step in steps() for target in re.findall(r"\bmake (?:--silent )?([a-z-]+)", step.get("run", ""))
    }
    assert {"test", "audit", "deploy-staging", "promote", "rollback"} <= used
    assert used - TARGETS == set()


def test_ci_runs_on_every_supported_python() -> None:
    versions = job("ci", "test").body["strategy"]["matrix"]["python"]
    numbers = [tuple(map(int, version.split("."))) for version in versions]
    assert numbers == [(3, minor) for minor in range(OLDEST_PYTHON[1], OLDEST_PYTHON[1] + len(numbers))]
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"] == f">={versions[0]}"


def test_jobs_use_the_python_and_node_of_the_images() -> None:
    dockerfile = (ROOT / "docker" / "Dockerfile").read_text()
    pythons, nodes = (
        set(re.findall(r"FROM python:([\d.]+)", dockerfile)),
        set(re.findall(r"FROM node:(\d+)", dockerfile)),
    )
    text = PREPARE.read_text()
    assert pythons == set(re.findall(r'default: "([\d.]+)"', text))
    assert nodes == set(re.findall(r'node-version: "(\d+)"', text))
    assert pythons <= set(job("ci", "test").body["strategy"]["matrix"]["python"])
