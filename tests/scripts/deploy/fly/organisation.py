"""A simulated Fly.io organisation, and the deploy tool that runs against it."""

import subprocess
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from scripts.deploy.fly.commands import NEEDED_SECRETS
from scripts.deploy.system import System
from tests.scripts.deploy.tool import Clock, Ended, run_tool
from tests.servers import ROOT
from tests.simulators.flyctl.install import Flyctl
from tests.simulators.registry.server import OciRegistry
from tests.simulators.serving import Page

OLDER, NEW = ("a1" * 20, "c3" * 20)
# Read from the configurations, because a clone changes the names.
STAGING, PRODUCTION = (tomllib.loads((ROOT / name).read_text())["app"] for name in ("fly.staging.toml", "fly.toml"))
GROUPS = ("web", "web", "worker", "beat")
SECRETS = {name: f"hidden-{name.lower()}" for name in NEEDED_SECRETS}
# The commands that change nothing.
READ_ONLY = ("releases", "machine list", "secrets list", "config validate", "config show", "logs")


@dataclass
class Organisation:
    """One test's organisation; `git_shas` and `pages` set how the site of each image (digest) responds."""

    fly: Flyctl
    registry: OciRegistry
    capture: pytest.CaptureFixture[str]
    clock: Clock = field(default_factory=Clock)
    git_shas: dict[str, str] = field(default_factory=dict)
    pages: dict[tuple[str, str], Page] = field(default_factory=dict)
    # Called for every request to the site.
    on_request: Callable[[], object] = lambda: None

    def run(self, *argv: str) -> Ended:
        """Run the tool; check that neither its output nor the arguments of programs contain a secret."""
        ended = run_tool([*argv, "--platform", "fly"], System(self.clock.sleep, self.clock), self.capture)
        self.assert_no_secrets(ended.text + str(self.fly.argvs))
        return ended

    def assert_no_secrets(self, text: str) -> None:
        for secret in (self.fly.token, *SECRETS.values()):
            assert secret not in text

    def release(self, git_sha: str, *kinds: str, schema: str = "0004") -> str:
        """Push the image of a commit, with the tag of each kind, such as `tested`; return its digest."""
        tags = tuple(f"{kind}-{git_sha[:12]}" for kind in kinds)
        digest = self.registry.push_image(STAGING, git_sha=git_sha, schema=schema, tags=tags)
        for tag in tags:
            self.fly.push(f"{self.registry.prefix}{STAGING}:{tag}", digest)
        self.git_shas[digest] = git_sha
        return digest

    def add_app(self, name: str, git_sha: str, digest: str, **secrets: str) -> None:
        """Add an app that runs a release, with the given secrets or all required ones."""
        image = self.image(git_sha)
        self.fly.add_app(name, image, digest, GROUPS)
        with self.fly.changing() as state:
            kept = {"digest": "0", "staged": False}
            values = (secrets or SECRETS).items()
            state["apps"][name]["secrets"] = {key: {"value": value, **kept} for key, value in values}

    def let_run(self, name: str, git_sha: str) -> None:
        """Deploy a release, as someone else would."""
        argv = ["flyctl", "deploy", "--app", name, "--image", self.image(git_sha), "--yes"]
        subprocess.run(argv, env=self.fly.environment, check=True, capture_output=True, timeout=30)

    def image(self, git_sha: str) -> str:
        """Return the image name of a release."""
        return f"{self.registry.prefix}{STAGING}:sha-{git_sha[:12]}"

    def break_site(self, digest: str) -> None:
        """Make the site of a release unhealthy."""
        self.pages[digest, "GET /api/version"] = Page(503, {"code": "unavailable"})

    def live_digest(self, name: str) -> str:
        """Return the digest of an app's first Machine; called for every request."""
        self.on_request()
        return self.digests(name)[0]

    def digests(self, name: str) -> list[str]:
        """Return the digest of each Machine."""
        return [machine["digest"] for machine in self.fly.app(name)["machines"]]

    def changes(self) -> list[list[str]]:
        return [argv for argv in self.fly.argvs if not " ".join(argv).startswith(READ_ONLY)]

    def argvs_after(self, argv: list[str]) -> list[list[str]]:
        """Return the calls after the given one."""
        return self.fly.argvs[self.fly.argvs.index(argv) + 1 :]

    def tags(self, digest: str) -> set[str]:
        return {tag for tag, named in self.registry.tags(STAGING).items() if named == digest}
