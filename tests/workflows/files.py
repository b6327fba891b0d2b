"""Reads the workflows: files, jobs and steps."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".github"
PREPARE = FOLDER / "actions" / "prepare" / "action.yml"
WORKFLOWS = sorted((FOLDER / "workflows").glob("*.yml"))
ALL_FILES = [*WORKFLOWS, PREPARE]

Mapping = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """A job, with the name of its workflow."""

    workflow: str
    name: str
    body: Mapping

    @property
    def steps(self) -> list[Mapping]:
        return list(self.body["steps"])

    def step(self, name: str) -> Mapping:
        return next(step for step in self.steps if step["name"] == name)

    def __str__(self) -> str:
        return f"{self.workflow}.{self.name}"


def workflow(name: str) -> Mapping:
    """Return a workflow. YAML reads the key `on` as True; it is restored here."""
    document = yaml.safe_load((FOLDER / "workflows" / f"{name}.yml").read_text())
    document["on"] = document.pop(True)
    return dict(document)


def jobs() -> Iterator[Job]:
    for path in WORKFLOWS:
        for name, body in workflow(path.stem)["jobs"].items():
            yield Job(path.stem, name, body)


def job(workflow_name: str, name: str) -> Job:
    return Job(workflow_name, name, workflow(workflow_name)["jobs"][name])


def steps() -> Iterator[tuple[str, Mapping]]:
    """Yield every step with its place, including those of the prepare action."""
    for each in jobs():
        for step in each.steps:
            yield f"{each}: {step['name']}", step
    for step in yaml.safe_load(PREPARE.read_text())["runs"]["steps"]:
        yield f"prepare: {step['name']}", step
