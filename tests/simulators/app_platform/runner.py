"""Runs deployments: here with prepared outcomes; `make rehearse` runs containers instead."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from tests.simulators.app_platform.spec import Spec, images
from tests.simulators.serving import Page


@dataclass(frozen=True)
class Outcome:
    """The result of a step, with its log."""

    ok: bool
    log: str = ""


class Runner(Protocol):
    """Runs the components of deployments.

    No method may block. None means the step is not finished; the method is called again at the next poll with the
    same deployment id. Specs contain decrypted secrets.
    """

    def pre_deploy(self, deployment_id: str, spec: Spec, job: str) -> Outcome | None:
        """Run one PRE_DEPLOY job."""

    def roll(self, deployment_id: str, spec: Spec) -> Outcome | None:
        """Start the services and workers; ok when all are healthy."""

    def stop(self, deployment_id: str) -> None:
        """Stop the deployment's components: it failed, was cancelled, or was replaced."""

    def respond(self, deployment_id: str, spec: Spec, path: str) -> Page:
        """Respond to a request to the app's live URL, for the active deployment."""


@dataclass
class ScriptedRunner:
    """Returns the outcomes that the test prepared, in their order; without any, everything succeeds."""

    jobs: deque[Outcome | None] = field(default_factory=deque)
    rolls: deque[Outcome | None] = field(default_factory=deque)
    git_shas: dict[str, str] = field(default_factory=dict)
    # (digest, path) → page; "" means every digest.
    pages: dict[tuple[str, str], Page] = field(default_factory=dict)
    stopped: list[str] = field(default_factory=list)
    ran: list[tuple[str, str, Spec]] = field(default_factory=list)

    def pre_deploy(self, deployment_id: str, spec: Spec, job: str) -> Outcome | None:
        self.ran.append((deployment_id, job, spec))
        return self.jobs.popleft() if self.jobs else Outcome(True, f"{job}: done")

    def roll(self, deployment_id: str, spec: Spec) -> Outcome | None:
        self.ran.append((deployment_id, "roll", spec))
        return self.rolls.popleft() if self.rolls else Outcome(True, "healthy")

    def stop(self, deployment_id: str) -> None:
        self.stopped.append(deployment_id)

    def respond(self, deployment_id: str, spec: Spec, path: str) -> Page:
        """Return the page that the test prepared, else a healthy application's response."""
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
    """Also simulates a database; an older image may not have its newest migration."""

    revisions: dict[str, list[str]] = field(default_factory=dict)
    database: str = ""
    # The project's migrate command logs it and succeeds; plain `alembic upgrade head` fails.
    tolerates_newer_schema: Callable[[Spec], bool] = lambda spec: True

    def pre_deploy(self, deployment_id: str, spec: Spec, job: str) -> Outcome | None:
        """Migrate to the newest revision in the job's image."""
        self.ran.append((deployment_id, job, spec))
        revisions = self.revisions[dict(images(spec))[job]["digest"]]
        if self.database and self.database not in revisions:
            return Outcome(self.tolerates_newer_schema(spec), f"Can't locate revision identified by '{self.database}'")
        self.database = revisions[-1]
        return Outcome(True, f"the schema is at {self.database}")
