"""A Fly.io organisation for a test: its apps, its registry, and the deploy tool working on them."""

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
# The names of the apps, as the configurations have them: a clone changes them.
STAGING, PRODUCTION = (tomllib.loads((ROOT / name).read_text())["app"] for name in ("fly.staging.toml", "fly.toml"))
GROUPS = ("web", "web", "worker", "beat")
SECRETS = {name: f"hidden-{name.lower()}" for name in NEEDED_SECRETS}
# The commands that change nothing.
READ_ONLY = ("releases", "machine list", "secrets list", "config validate", "config show", "logs")


@dataclass
class Organisation:
    """The organisation of one test; `git_shas` and `pages` say how each image behaves, by its digest."""

    fly: Flyctl
    registry: OciRegistry
    capture: pytest.CaptureFixture[str]
    clock: Clock = field(default_factory=Clock)
    git_shas: dict[str, str] = field(default_factory=dict)
    pages: dict[tuple[str, str], Page] = field(default_factory=dict)
    # Called for every request to the site.
    on_request: Callable[[], object] = lambda: None

    def run(self, *argv: str) -> Ended:
        """Run the tool. Neither its output nor the arguments of programs may contain a secret."""
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
        """Add an app that runs a release, with the secrets given, or with all that are needed."""
        image = self.image(git_sha)
        self.fly.add_app(name, image, digest, GROUPS)
        with self.fly.changing() as state:
            kept = {"digest": "0", "staged": False}
            held = (secrets or SECRETS).items()
            state["apps"][name]["secrets"] = {key: {"value": value, **kept} for key, value in held}

    def let_run(self, name: str, git_sha: str) -> None:
        """Deploy a release, as someone else would."""
        argv = ["flyctl", "deploy", "--app", name, "--image", self.image(git_sha), "--yes"]
        subprocess.run(argv, env=self.fly.environment, check=True, capture_output=True, timeout=30)

    def image(self, git_sha: str) -> str:
        """Return the name that a release is deployed by."""
        return f"{self.registry.prefix}{STAGING}:sha-{git_sha[:12]}"

    def breaks(self, digest: str) -> None:
        """Let the site be unhealthy while a release runs."""
        self.pages[digest, "GET /api/version"] = Page(503, {"code": "unavailable"})

    def live_digest(self, name: str) -> str:
        """Return the image of an app's first Machine, when a request arrives."""
        self.on_request()
        return self.digests(name)[0]

    def digests(self, name: str) -> list[str]:
        """Return what the Machines run."""
        return [machine["digest"] for machine in self.fly.app(name)["machines"]]

    def changes(self) -> list[list[str]]:
        """Return the calls that changed something."""
        return [argv for argv in self.fly.argvs if not " ".join(argv).startswith(READ_ONLY)]

    def argvs_after(self, argv: list[str]) -> list[list[str]]:
        """Return the calls that came after another one."""
        return self.fly.argvs[self.fly.argvs.index(argv) + 1 :]

    def tags(self, digest: str) -> set[str]:
        """Return the tags of an image."""
        return {tag for tag, named in self.registry.tags(STAGING).items() if named == digest}
