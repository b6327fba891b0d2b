"""What a deployment runs: here prepared outcomes; `make rehearse` runs containers instead."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from tests.simulators.app_platform.spec import Spec, images
from tests.simulators.serving import Page


@dataclass(frozen=True)
class Outcome:
    """How a step ended, with what it wrote."""

    ok: bool
    log: str = ""


class Runner(Protocol):
    """The seam between the platform and what runs on it.

    No method may wait. One that returns None is still at work and is called again at the next poll; the deployment's
    id tells such calls apart. Specs come with clear secrets.
    """

    def pre_deploy(self, deployment_id: str, spec: Spec, job: str) -> Outcome | None:
        """Run one PRE_DEPLOY job of the spec."""

    def roll(self, deployment_id: str, spec: Spec) -> Outcome | None:
        """Start the spec's services and workers; ok once all are healthy."""

    def stop(self, deployment_id: str) -> None:
        """Take down what the deployment started: it failed, was cancelled, or another one replaced it."""

    def respond(self, deployment_id: str, spec: Spec, path: str) -> Page:
        """Respond to a request to the app's live URL; the deployment is the active one."""


@dataclass
class ScriptedRunner:
    """Plays outcomes in the order the test gave them; without a script everything works."""

    jobs: deque[Outcome | None] = field(default_factory=deque)
    rolls: deque[Outcome | None] = field(default_factory=deque)
    git_shas: dict[str, str] = field(default_factory=dict)
    # (digest, path) → page; "" stands for every digest.
    pages: dict[tuple[str, str], Page] = field(default_factory=dict)
    stopped: list[str] = field(default_factory=list)
    ran: list[tuple[str, str, Spec]] = field(default_factory=list)

    def pre_deploy(self, deployment_id: str, spec: Spec, job: str) -> Outcome | None:
        """Play the next job's outcome."""
        self.ran.append((deployment_id, job, spec))
        return self.jobs.popleft() if self.jobs else Outcome(True, f"{job}: done")

    def roll(self, deployment_id: str, spec: Spec) -> Outcome | None:
        """Play the next roll's outcome."""
        self.ran.append((deployment_id, "roll", spec))
        return self.rolls.popleft() if self.rolls else Outcome(True, "healthy")

    def stop(self, deployment_id: str) -> None:
        """Remember it."""
        self.stopped.append(deployment_id)

    def respond(self, deployment_id: str, spec: Spec, path: str) -> Page:
        """Return the page that the test prepared, or what a healthy application returns."""
        digest = images(spec)[0][1].get("digest", "")
        page = self.pages.get((digest, path)) or self.pages.get(("", path))
        if page:
            return page
        release = {"version": "0.1.0", "git_sha": self.git_shas.get(digest, digest.removeprefix("sha256:")[:40])}
        if path == "/api/version":
            return Page(200, release)
        if path in ("/health", "/health/ready", "/health/live"):
            return Page(200, {"status": "ok", **release})
        return Page(200, "<!doctype html><title>Slipway</title>") if path == "/" else Page(404, {"code": "not_found"})


@dataclass
class SchemaRunner(ScriptedRunner):
    """Also has a database, whose schema an older image may not know."""

    revisions: dict[str, list[str]] = field(default_factory=dict)
    database: str = ""
    # The project's migrate command says so and goes on; plain `alembic upgrade head` fails.
    goes_on: Callable[[Spec], bool] = lambda spec: True

    def pre_deploy(self, deployment_id: str, spec: Spec, job: str) -> Outcome | None:
        """Migrate to the newest revision the job's image knows."""
        self.ran.append((deployment_id, job, spec))
        known = self.revisions[dict(images(spec))[job]["digest"]]
        if self.database and self.database not in known:
            return Outcome(self.goes_on(spec), f"Can't locate revision identified by '{self.database}'")
        self.database = known[-1]
        return Outcome(True, f"the schema is at {self.database}")
