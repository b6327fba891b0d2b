"""A simulated DigitalOcean account, and the deploy tool that runs against it."""

import copy
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from scripts.deploy.system import System
from tests.scripts.deploy.tool import Clock, Ended, RecordingSystem, run_tool, write_variables
from tests.servers import ROOT
from tests.simulators.app_platform.model import App
from tests.simulators.app_platform.runner import ScriptedRunner
from tests.simulators.app_platform.server import Simulator
from tests.simulators.app_platform.spec import Spec, images, levels_with_envs
from tests.simulators.registry.server import OciRegistry

Images = dict[str, str]

# Read from the specs, because a clone changes the names.
NAMES = {
    name: yaml.safe_load((ROOT / f".do/app.{name}.yaml").read_text())["name"] for name in ("staging", "production")
}
STAGING, PRODUCTION = NAMES["staging"], NAMES["production"]
OLDER, OLD, NEW = (f"{letter}{number}" * 20 for letter, number in ("a1", "b2", "c3"))
REPOSITORIES = ("slipway-app", "slipway-web")
OPEN = "JWT_SECRET S3_BUCKET S3_ACCESS_KEY_ID S3_SECRET_ACCESS_KEY SMTP_HOST SMTP_USERNAME SMTP_PASSWORD MAIL_FROM"
# Values for variables that have none in the specs. No output may contain one.
VALUES = {name: f"hidden-{name.lower()}" for name in [*OPEN.split(), "STORAGE_ORIGINS"]}


@dataclass
class Account:
    platform: Simulator
    registry: OciRegistry
    runner: ScriptedRunner
    capture: pytest.CaptureFixture[str]
    clock: Clock = field(default_factory=Clock)
    programs: list[str] = field(default_factory=list)

    def run(self, *argv: str, system: System | None = None) -> Ended:
        """Run the tool; check that neither its output nor the arguments of programs contain a secret."""
        recording = RecordingSystem(self.clock)
        ended = run_tool(list(argv), system or recording, self.capture)
        self.programs += recording.programs
        for text in (ended.text, *recording.programs):
            assert_no_secrets(text, self.platform.token)
        return ended

    def release(self, git_sha: str, *kinds: str, schema: str = "0004") -> Images:
        """Push both images of a commit, with the tag of each kind, such as `tested`; return repository to digest."""
        tags = tuple(f"{kind}-{git_sha[:12]}" for kind in kinds)
        # Different versions give the images different digests.
        pushed = {
            name: self.registry.push_image(name, git_sha=git_sha, schema=schema, version=name, tags=tags)
            for name in REPOSITORIES
        }
        self.runner.git_shas |= dict.fromkeys(pushed.values(), git_sha)
        return pushed

    def add_app(self, environment: str, running: Images, *more: Images) -> App:
        """Add an environment's app; these releases were live one after the other."""
        app = self.platform.add_app(with_images(file_spec(environment, **VALUES), running))
        for release in more:
            self.let_run(app, with_images(app.spec, release))
        return app

    def let_run(self, app: App, spec: Spec) -> None:
        """Deploy a spec, as someone else would."""
        deployment = self.platform.cloud.update(app, spec)
        while deployment.under_way:
            self.platform.cloud.app(app.id)
        assert app.active is deployment

    def app(self, environment: str) -> App:
        return next(app for app in self.platform.cloud.apps.values() if app.spec["name"] == NAMES[environment])

    def changes(self) -> list[str]:
        """Return the requests that changed something, without ids."""
        read_only = ("/propose", "/validate")
        return [
            f"{seen.method} /{'/'.join(part for part in seen.path.split('/')[2:] if '-' not in part)}"
            for seen in self.platform.http.seen
            if seen.method != "GET" and not seen.path.endswith(read_only)
        ]

    def tags(self, digest: str) -> set[str]:
        return {tag for name in REPOSITORIES for tag, named in self.registry.tags(name).items() if named == digest}


def file_spec(environment: str, **values: str) -> Spec:
    """Return the project's spec, with values for variables that have none."""
    spec: Spec = copy.deepcopy(yaml.safe_load((ROOT / ".do" / f"app.{environment}.yaml").read_text()))
    for level in levels_with_envs(spec):
        for env in level.get("envs") or []:
            env.setdefault("value", values.get(env["key"], ""))
    return spec


def with_images(spec: Spec, release: Images) -> Spec:
    spec = json.loads(json.dumps(spec))
    for _, image in images(spec):
        image["digest"] = release[image["repository"]]
    return spec


def running(app: App) -> dict[str, str]:
    """Map each live component to its digest."""
    assert app.active
    return {name: image["digest"] for name, image in images(app.active.spec)}


def runs(app: App, release: Images) -> bool:
    """Return whether every component runs a release, the jobs included."""
    assert app.active
    return all(image["digest"] == release[image["repository"]] for _, image in images(app.active.spec))


def env_values(spec: Spec) -> dict[str, str]:
    return {env["key"]: env.get("value", "") for level in levels_with_envs(spec) for env in level.get("envs") or []}


def write_env_file(path: Path, values: dict[str, str] = VALUES, leaving_out: Iterable[str] = ()) -> str:
    return write_variables(path, {name: value for name, value in values.items() if name not in leaving_out})


def live_digest(app: App) -> str:
    """Return the digest of the live site's image, "" when nothing is live."""
    return app.active.spec["services"][0]["image"]["digest"] if app.active else ""


def assert_no_secrets(text: str, token: str) -> None:
    for secret in (token, "EV[1:", *VALUES.values()):
        assert secret not in text, f"{secret} in: {text}"
