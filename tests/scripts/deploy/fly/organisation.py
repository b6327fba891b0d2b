"""One organisation on Fly.io of a test: its apps, its registry, and the deploy tool at work on them."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from scripts.deploy.__main__ import main
from scripts.deploy.fly.commands import NEEDED_SECRETS
from scripts.deploy.system import System
from tests.scripts.deploy.app_platform.account import Clock, Ended
from tests.simulators.app_platform.runner import Answer, ScriptedRunner
from tests.simulators.flyctl.install import Flyctl
from tests.simulators.registry.server import OciRegistry

OLDER, NEW = ("a1" * 20, "c3" * 20)
STAGING, PRODUCTION = "slipway-staging", "slipway-production"
GROUPS = ("web", "web", "worker", "beat")
SECRETS = {name: f"hidden-{name.lower()}" for name in NEEDED_SECRETS}
# The commands that change nothing.
READING = ("releases", "machine list", "secrets list", "config validate", "config show", "logs")


@dataclass
class Organisation:
    fly: Flyctl
    registry: OciRegistry
    runner: ScriptedRunner
    capture: pytest.CaptureFixture[str]
    clock: Clock = field(default_factory=Clock)
    # Called when somebody looks at the site.
    on_request: Callable[[], object] = lambda: None

    def run(self, *argv: str) -> Ended:
        """Run the tool in this process. No secret may be in what it prints, or in the programs' arguments."""
        self.capture.readouterr()
        code = main([*argv, "--platform", "fly"], System(self.clock.sleep, self.clock))
        captured = self.capture.readouterr()
        # The real site logs to the same output, one JSON object a line.
        out, err = (
            "".join(line for line in text.splitlines(keepends=True) if not line.startswith('{"'))
            for text in (captured.out, captured.err)
        )
        self.assert_tells_nothing(out + err + str(self.fly.argvs))
        return Ended(code, out, err)

    def assert_tells_nothing(self, told: str) -> None:
        for secret in (self.fly.token, *SECRETS.values()):
            assert secret not in told

    def release(self, git_sha: str, *kinds: str, schema: str = "0004") -> str:
        """Push the image of a commit, with the tag of each kind, such as `tested`; return its digest."""
        tags = tuple(f"{kind}-{git_sha[:12]}" for kind in kinds)
        digest = self.registry.push_image(STAGING, git_sha=git_sha, schema=schema, tags=tags)
        for tag in tags:
            self.fly.push(f"{self.registry.prefix}{STAGING}:{tag}", digest)
        self.runner.git_shas[digest] = git_sha
        return digest

    def add_app(self, name: str, git_sha: str, digest: str, **secrets: str) -> None:
        """Add an app that runs a release, with the secrets given, or with all that are needed."""
        image = self.image(git_sha)
        self.fly.add_app(name, image, digest, GROUPS)
        with self.fly.changing() as state:
            kept = {"digest": "0", "staged": False}
            held = (secrets or SECRETS).items()
            state["apps"][name]["secrets"] = {key: {"value": value, **kept} for key, value in held}

    def let_run(self, name: str, git_sha: str) -> None:
        """Deploy a release, as somebody else would."""
        argv = ["flyctl", "deploy", "--app", name, "--image", self.image(git_sha), "--yes"]
        subprocess.run(argv, env=self.fly.environment, check=True, capture_output=True, timeout=30)

    def image(self, git_sha: str) -> str:
        """Return the name that a release is deployed by."""
        return f"{self.registry.prefix}{STAGING}:sha-{git_sha[:12]}"

    def breaks(self, digest: str) -> None:
        """Let the site be ill while a release runs."""
        self.runner.pages[digest, "GET /api/version"] = Answer(503, {"code": "unavailable"})

    def digests(self, name: str) -> list[str]:
        """Return what the Machines run."""
        return [machine["digest"] for machine in self.fly.app(name)["machines"]]

    def changes(self) -> list[list[str]]:
        """Return the calls that changed something."""
        return [argv for argv in self.fly.argvs if not " ".join(argv).startswith(READING)]

    def argvs_behind(self, argv: list[str]) -> list[list[str]]:
        """Return the calls that came after another one."""
        return self.fly.argvs[self.fly.argvs.index(argv) + 1 :]

    def tags(self, digest: str) -> set[str]:
        """Return the tags of an image."""
        return {tag for tag, named in self.registry.tags(STAGING).items() if named == digest}


@dataclass
class Live:
    """What the front of the site looks at: the image that an app's first Machine runs, as a spec names it."""

    organisation: Organisation
    name: str

    @property
    def active(self) -> Any:
        self.organisation.on_request()
        digest = self.organisation.fly.app(self.name)["machines"][0]["digest"]
        return SimpleNamespace(spec={"services": [{"image": {"digest": digest}}]})
