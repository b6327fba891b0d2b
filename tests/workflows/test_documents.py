"""docs/deploy/github-actions.md describes the workflows correctly and completely."""

import re

import yaml

from tests.workflows.files import FOLDER, ROOT, WORKFLOWS, jobs, workflow

GUIDE = (ROOT / "docs" / "deploy" / "github-actions.md").read_text()
CODE = "\n".join(path.read_text() for path in WORKFLOWS)
# The first cell of each row of the two tables, which may have several names.
NAMED = {
    name
    for cell in re.findall(r"^\| (`[A-Z].*?) \|", GUIDE, re.MULTILINE)
    for name in re.findall(r"`([A-Z][A-Z0-9_]+)`", cell)
}


def test_every_secret_and_variable_is_in_the_guide_and_no_other() -> None:
    assert set(re.findall(r"\b(?:secrets|vars)\.([A-Z0-9_]+)", CODE)) == NAMED


def test_every_workflow_and_environment_is_in_the_guide() -> None:
    for path in WORKFLOWS:
        assert f"| {workflow(path.stem)['name']} |" in GUIDE, path.name
    environments = {each.body["environment"] for each in jobs() if "environment" in each.body}
    for name in environments - {"${{ inputs.environment }}"}:
        assert f"`{name}`" in GUIDE


def test_updates_wait_a_week() -> None:
    updates = yaml.safe_load((FOLDER / "dependabot.yml").read_text())["updates"]
    assert {update["package-ecosystem"] for update in updates} == {"npm", "docker", "docker-compose", "github-actions"}
    for update in updates:
        assert update["cooldown"]["default-days"] >= 7
        assert update["groups"]
        for folder in update.get("directories", [update.get("directory")]):
            assert list(ROOT.glob(folder.strip("/") or "*")), folder
    assert "--date '7 days ago'" in (FOLDER / "workflows" / "dependencies.yml").read_text()
