"""One DigitalOcean account of a test: its platform, its registry, and the deploy tool at work on them."""

import copy
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml

from scripts.deploy.__main__ import main
from scripts.deploy.system import ProgramResult, System
from tests.servers import ROOT
from tests.simulators.app_platform.model import App
from tests.simulators.app_platform.runner import ScriptedRunner
from tests.simulators.app_platform.server import StandIn
from tests.simulators.app_platform.spec import Spec, images, levels_with_envs
from tests.simulators.registry.server import OciRegistry

Images = dict[str, str]

OLDER, OLD, NEW = (f"{letter}{number}" * 20 for letter, number in ("a1", "b2", "c3"))
REPOSITORIES = ("slipway-app", "slipway-web")
OPEN = "JWT_SECRET S3_BUCKET S3_ACCESS_KEY_ID S3_SECRET_ACCESS_KEY SMTP_HOST SMTP_USERNAME SMTP_PASSWORD MAIL_FROM"
# What the specs leave open; the words are looked for in everything that is printed.
VALUES = {name: f"hidden-{name.lower()}" for name in [*OPEN.split(), "STORAGE_ORIGINS"]}


class Clock:
    """Time that passes when somebody waits, and never else."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waited: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.waited.append(seconds)


class RecordingSystem(System):
    """The system, which remembers the programs that were run."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock.sleep, clock)
        self.programs: list[str] = []

    def run(self, argv: Any, **more: Any) -> ProgramResult:
        self.programs.append(" ".join(argv))
        return super().run(argv, **more)


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err

    @property
    def document(self) -> dict[str, Any]:
        return dict(json.loads(self.out))


@dataclass
class Account:
    platform: StandIn
    registry: OciRegistry
    runner: ScriptedRunner
    capture: pytest.CaptureFixture[str]
    clock: Clock = field(default_factory=Clock)
    programs: list[str] = field(default_factory=list)

    def run(self, *argv: str, system: System | None = None) -> Ended:
        """Run the tool in this process. Nothing secret may be in what it prints, or in the programs' arguments."""
        self.capture.readouterr()
        watched = RecordingSystem(self.clock)
        code = main(list(argv), system or watched)
        captured = self.capture.readouterr()
        self.programs += watched.programs
        # The real site logs to the same output, one JSON object a line.
        out, err = (
            "".join(line for line in text.splitlines(keepends=True) if not line.startswith('{"'))
            for text in (captured.out, captured.err)
        )
        for told in (out, err, *watched.programs):
            assert_tells_nothing(told, self.platform.token)
        return Ended(code, out, err)

    def release(self, git_sha: str, *kinds: str, schema: str = "0004") -> Images:
        """Push both images of a commit, with the tag of each kind, such as `tested`; return repository to digest."""
        tags = tuple(f"{kind}-{git_sha[:12]}" for kind in kinds)
        # The version makes two digests of them.
        pushed = {
            name: self.registry.push_image(name, git_sha=git_sha, schema=schema, version=name, tags=tags)
            for name in REPOSITORIES
        }
        self.runner.git_shas |= dict.fromkeys(pushed.values(), git_sha)
        return pushed

    def add_app(self, environment: str, running: Images, *more: Images) -> App:
        """Add an environment's app, where these releases had the traffic one after the other."""
        app = self.platform.add_app(with_images(file_spec(environment, **VALUES), running))
        for release in more:
            self.let_run(app, with_images(app.spec, release))
        return app

    def let_run(self, app: App, spec: Spec) -> None:
        """Bring a spec there, as somebody else would."""
        deployment = self.platform.cloud.update(app, spec)
        while deployment.under_way:
            self.platform.cloud.app(app.id)
        assert app.active is deployment

    def app(self, environment: str) -> App:
        """Return the environment's app."""
        return next(app for app in self.platform.cloud.apps.values() if app.spec["name"] == f"slipway-{environment}")

    def changes(self) -> list[str]:
        """Return the requests so far that changed something, ids left out."""
        harmless = ("/propose", "/validate")
        return [
            f"{seen.method} /{'/'.join(part for part in seen.path.split('/')[2:] if '-' not in part)}"
            for seen in self.platform.face.seen
            if seen.method != "GET" and not seen.path.endswith(harmless)
        ]

    def tags(self, digest: str) -> set[str]:
        """Return the tags of an image."""
        return {tag for name in REPOSITORIES for tag, named in self.registry.tags(name).items() if named == digest}


def file_spec(environment: str, **values: str) -> Spec:
    """Return the spec of the project, with values for variables that it leaves open."""
    spec: Spec = copy.deepcopy(yaml.safe_load((ROOT / ".do" / f"app.{environment}.yaml").read_text()))
    for level in levels_with_envs(spec):
        for env in level.get("envs") or []:
            env.setdefault("value", values.get(env["key"], ""))
    return spec


def with_images(spec: Spec, release: Images) -> Spec:
    """Return a copy of a spec that runs a release."""
    spec = json.loads(json.dumps(spec))
    for _, image in images(spec):
        image["digest"] = release[image["repository"]]
    return spec


def running(app: App) -> dict[str, str]:
    """Return the digest of each component that has the traffic."""
    assert app.active
    return {name: image["digest"] for name, image in images(app.active.spec)}


def runs(app: App, release: Images) -> bool:
    """Tell whether every component has a release's image, the jobs too."""
    assert app.active
    return all(image["digest"] == release[image["repository"]] for _, image in images(app.active.spec))


def env_values(spec: Spec) -> dict[str, str]:
    """Return the variables of all levels."""
    return {env["key"]: env.get("value", "") for level in levels_with_envs(spec) for env in level.get("envs") or []}


def write_env_file(path: Any, values: dict[str, str] = VALUES, leaving_out: Iterable[str] = ()) -> str:
    """Write a file of variables that only its owner can read, and return its path."""
    path.write_text("".join(f"{name}={value}\n" for name, value in values.items() if name not in leaving_out))
    path.chmod(0o600)
    return str(path)


def assert_tells_nothing(told: str, token: str) -> None:
    for secret in (token, "EV[1:", *VALUES.values()):
        assert secret not in told, f"{secret} in: {told}"
