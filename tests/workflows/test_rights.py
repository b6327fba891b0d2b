"""The rights of the workflows: trusted actions, access to secrets, and pull requests from forks."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workflows.files import ALL_FILES, FOLDER, ROOT, WORKFLOWS, Job, Mapping, job, jobs, steps, workflow

# The third-party code in our jobs. A new line is a new party to trust.
TRUSTED = {
    "actions/attest",
    "actions/attest-build-provenance",
    "actions/cache",
    "actions/checkout",
    "actions/download-artifact",
    "actions/setup-node",
    "actions/setup-python",
    "actions/upload-artifact",
    "aquasecurity/trivy-action",
    "github/codeql-action/analyze",
    "github/codeql-action/init",
    "rhysd/actionlint",
    "superfly/flyctl-actions/setup-flyctl",
}
OWN = "./.github/actions/prepare"
ENVIRONMENTS = {"staging", "production"}
# The jobs with write permissions.
WRITERS = {
    "dependencies.propose": {"contents", "pull-requests"},
    "pages.publish": {"contents"},
    "security.code": {"security-events"},
    "staging.attest": {"attestations", "id-token"},
}
USES = re.compile(r"^\s*(?:- )?uses: (\S+?)(?:@(\S+))?(?: # (\S+))?$", re.MULTILINE)

JOBS = list(jobs())
every_job = pytest.mark.parametrize("each", JOBS, ids=str)


def environments_of(each: Job) -> set[str]:
    name = each.body.get("environment")
    if name == "${{ inputs.environment }}":
        return set(workflow(each.workflow)["on"]["workflow_dispatch"]["inputs"]["environment"]["options"])
    return {name} if name else set()


def test_every_action_is_trusted_and_pinned_to_a_commit_with_its_version() -> None:
    pins: dict[str, set[tuple[str, str]]] = {}
    for path in ALL_FILES:
        found = USES.findall(path.read_text())
        assert len(found) == path.read_text().count("uses:"), path
        for action, commit, version in found:
            if action != OWN:
                assert re.fullmatch(r"[0-9a-f]{40}", commit), f"{path.name}: {action}"
                assert re.fullmatch(r"v?\d+\.\d+(\.\d+)?", version), f"{path.name}: {action}"
                pins.setdefault(action, set()).add((commit, version))
    assert set(pins) == TRUSTED
    assert {action for action, versions in pins.items() if len(versions) > 1} == set()


def test_no_pin_is_missing() -> None:
    assert [path.name for path in ALL_FILES if "TODO(pin)" in path.read_text()] == []


def test_pull_request_workflows_are_read_only_and_get_no_secret() -> None:
    started = {path.stem for path in WORKFLOWS if any("pull_request" in event for event in workflow(path.stem)["on"])}
    assert started == {"ci"}
    assert "pull_request_target" not in workflow("ci")["on"]
    text = (FOLDER / "workflows" / "ci.yml").read_text()
    assert "secrets." not in text
    assert "github.token" not in text
    assert {right for each in JOBS if each.workflow == "ci" for right in each.body["permissions"].values()} == {"read"}


@every_job
def test_a_job_has_only_the_rights_it_names(each: Job) -> None:
    assert workflow(each.workflow)["permissions"] == {}
    writes = {name for name, right in each.body["permissions"].items() if right != "read"}
    assert writes == WRITERS.get(str(each), set())


@every_job
def test_a_secret_reaches_one_step_of_a_job_in_an_environment(each: Job) -> None:
    with_secrets = [step for step in each.steps if "secrets." in str(step)]
    assert str(each.body).count("secrets.") == sum(str(step.get("env")).count("secrets.") for step in with_secrets)
    if with_secrets:
        assert environments_of(each)
        assert environments_of(each) <= ENVIRONMENTS
        assert len(with_secrets) == 1
        after = each.steps[each.steps.index(with_secrets[0]) + 1 :]
        assert {step["uses"].partition("@")[0] for step in after if "uses" in step} <= {"actions/upload-artifact"}
        assert "run" in with_secrets[0], "no third-party action may get a secret"
        assert not any("actions/cache" in step.get("uses", "") for step in each.steps)


def test_no_secret_is_given_to_a_whole_workflow() -> None:
    for path in WORKFLOWS:
        inside = sum(str(each.body).count("secrets.") for each in JOBS if each.workflow == path.stem)
        assert path.read_text().count("secrets.") == inside


def test_every_job_that_deploys_runs_in_its_environment() -> None:
    assert environments_of(job("staging", "deploy")) == {"staging"}
    assert environments_of(job("production", "promote")) == {"production"}
    assert environments_of(job("rollback", "rollback")) == {"staging", "production"}


@every_job
def test_a_job_ends_in_time_and_stops_at_the_first_failure(each: Job) -> None:
    assert each.body["timeout-minutes"] <= 60
    # With an explicit shell, GitHub starts bash with pipefail.
    assert workflow(each.workflow)["defaults"] == {"run": {"shell": "bash"}}


@pytest.mark.parametrize(("place", "step"), list(steps()), ids=lambda value: value if isinstance(value, str) else "")
def test_a_step_keeps_no_token_and_has_no_expression_in_its_script(place: str, step: Mapping) -> None:
    assert "${{" not in step.get("run", ""), f"{place}: pass it through env"
    if step.get("uses", "").startswith("actions/checkout@"):
        assert step["with"]["persist-credentials"] is False, place


def zizmor(folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("zizmor")
    command = [str(program), "--offline", "--persona", "pedantic", "--quiet", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_zizmor_finds_nothing() -> None:
    result = zizmor(ROOT / ".github")
    assert result.returncode == 0, result.stdout


def test_zizmor_would_find_an_injection(tmp_path: Path) -> None:
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    text = (FOLDER / "workflows" / "ci.yml").read_text()
    (folder / "ci.yml").write_text(text.replace("run: make audit", "run: echo ${{ github.event.pull_request.title }}"))
    result = zizmor(folder)
    assert result.returncode != 0
    assert "template-injection" in result.stdout
