"""One app on Fly.io, driven by flyctl."""

import json
import os
import tempfile
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from scripts.deploy import fly_commands
from scripts.deploy.environments import STAGING, Environment
from scripts.deploy.errors import Refused, ReleaseFailed, Unsure
from scripts.deploy.flyctl import LAST_LINES, Flyctl
from scripts.deploy.outside import ROOT, Outside
from scripts.deploy.platform import Deployment, Plan, State
from scripts.deploy.registry import Registry
from scripts.deploy.releases import SHORT
from scripts.deploy.report import Report
from scripts.deploy.variables import Named

POLL_SECONDS = 5
HOST = "registry.fly.io"
NOT_THERE = "Could not find App"


class Fly:
    """The app of one environment. Raises Refused without a token."""

    # One image: its web process serves the frontend too.
    images: tuple[str, ...] = ("app",)
    deploy_seconds = 1800.0

    def __init__(self, outside: Outside, report: Report, environment: Environment) -> None:
        self._outside = outside
        self._report = report
        self._config = environment.fly_config
        self._settings = _read(self._config)
        self.app = str(self._settings["app"])
        self._flyctl = Flyctl(outside, report, self.app)

    def registry(self) -> Registry:
        """Return Fly's registry, which takes any name with the token."""
        prefix = os.environ.get("IMAGE_PREFIX", f"{HOST}/")
        token = self._flyctl.token if prefix.startswith(f"{HOST}/") else ""
        return Registry(self._outside, prefix, "x", token)

    def repository(self, image: str) -> str:
        """Return staging's repository: an organisation's apps share their images, so a digest is one artifact."""
        return str(_read(STAGING.fly_config)["app"])

    def look(self) -> State | None:
        """Return how the app is now; None when there is none."""
        if NOT_THERE in self._flyctl.run(fly_commands.show("status", self.app)).err:
            return None
        status = self._flyctl.shown("status")
        releases = self._releases()
        newest = releases[0] if releases else {}
        url = self._settings["env"].get("PUBLIC_URL") or f"https://{status['Hostname']}"
        return State(
            url=url,
            active=self._active(newest),
            under_way=self._deployment(newest) if newest.get("in_progress") else None,
        )

    def history(self) -> list[Deployment]:
        """Return the releases that went well and whose images are still there, newest first."""
        found = [self._deployment(release) for release in self._releases() if release["status"] == "complete"]
        return [deployment for deployment in found if all(deployment.images.values())]

    def plan(self, release: Mapping[str, str], git_sha: str, given: Mapping[str, str]) -> Plan:
        """Return the deployment of an image with the configuration of this folder."""
        there = self.values()
        missing = [name for name in fly_commands.NEEDED_SECRETS if name not in {*there, *given}]
        if missing:
            hint = "write them into a file and send it: make sync-env ENV=… PLATFORM=fly FILE=…"
            raise Refused(f"{self.app} has no secret {', '.join(missing)}: {hint}")
        self._flyctl.expect(fly_commands.validate(self.app, self._config))
        added = {name: value for name, value in given.items() if name not in there}
        image = f"{self.registry().prefix}{self.repository('app')}:sha-{git_sha[:SHORT]}"
        changes = [f"+ secret {name}" for name in added] + self._changes()
        return Plan(dict(release), changes, {"image": image, "given": added, "pruned": []})

    def plan_values(self, given: Mapping[str, str], secret: Collection[str], pruned: Collection[str]) -> Plan:
        """Return a restart with other secrets."""
        state = self.look()
        if state is None or state.active is None:
            raise Refused(f"{self.app} runs nothing yet: deploy it first, with ENV_FILE=… for its variables")
        changes = [f"+ secret {name}" for name in given] + [f"- secret {name}" for name in pruned]
        return Plan(state.active.images, changes, {"given": dict(given), "pruned": list(pruned)})

    def deploy(self, plan: Plan) -> str:
        """Run flyctl until it ends. Raises ReleaseFailed with what it said last."""
        given, pruned, image = (plan.payload.get(name) for name in ("given", "pruned", "image"))
        if given:
            stdin = fly_commands.secrets_input(given)
            self._flyctl.expect(fly_commands.import_secrets(self.app), stdin)
        if pruned:
            self._flyctl.expect(fly_commands.unset_secrets(self.app, pruned))
        argv = fly_commands.deploy(self.app, self._config, image) if image else fly_commands.deploy_secrets(self.app)
        self._flyctl.watch(argv)
        self._verify(plan.images)
        return self._newest()

    def follow(self, deployment: str, seconds: float) -> None:
        """Wait until a release that another flyctl works on has ended."""
        deadline = self._outside.clock() + seconds
        while True:
            release = next(one for one in self._releases() if f"v{one['version']}" == deployment)
            if not release.get("in_progress"):
                break
            if self._outside.clock() > deadline:
                raise Unsure(f"Release {deployment} is not done after {seconds:.0f} s. See: make status PLATFORM=fly")
            self._outside.sleep(POLL_SECONDS)
        if release["status"] not in ("complete", "succeeded"):
            raise ReleaseFailed(f"Release {deployment} ended as {release['status']}")

    def cancel(self, deployment: str) -> None:
        """Refuse: what another flyctl does can only be ended where it runs."""
        raise Refused(f"Release {deployment} is deployed by another flyctl: end it there, or wait. See: make status")

    def roll_back(self, target: Deployment, git_sha: str, seconds: float) -> str:
        """Deploy the earlier image with its own configuration, at once and without migrations.

        Secrets are not taken back: Fly keeps no former ones.
        """
        repository, digest = next(iter(target.images.items()))
        name = f"{self.registry().prefix}{repository}"
        image = f"{name}:sha-{git_sha[:SHORT]}" if git_sha else f"{name}@{digest}"
        with tempfile.TemporaryDirectory(prefix="slipway-fly-") as folder:
            self._flyctl.watch(fly_commands.deploy_back(self.app, self._old_config(git_sha, Path(folder)), image))
        self._verify(target.images)
        return self._newest()

    def logs(self, component: str, deployment: str = "") -> str:
        """Return the last lines of a process group's first Machine, or of all Machines."""
        machines = [one["id"] for one in self._machines() if _group(one) == component] if component else []
        if component and not machines:
            raise Refused(f"{self.app} has no Machine for {component}; its groups are in {self._config}")
        ran = self._flyctl.expect(fly_commands.logs(self.app, machines[0] if machines else ""))
        return "\n".join(ran.out.splitlines()[-LAST_LINES:])

    def named(self) -> Named:
        """Return the variables of the configuration, and the secrets the application needs."""
        needed = frozenset(fly_commands.NEEDED_SECRETS)
        return Named(self._config, frozenset(self._settings["env"]), needed, needed)

    def values(self) -> dict[str, str | None]:
        """Return the names of the app's secrets; nobody can read their values."""
        return {one["name"]: None for one in self._flyctl.shown("secrets list")}

    def _active(self, newest: dict[str, Any]) -> Deployment | None:
        """Return what the Machines run; with more than one image, or none, nothing is sure."""
        found = {machine["image_ref"]["digest"] for machine in self._machines()}
        if not found:
            return None
        digest = found.pop() if len(found) == 1 else ""
        return Deployment(f"v{newest.get('version', 0)}", {self.repository("app"): digest})

    def _deployment(self, release: dict[str, Any]) -> Deployment:
        """Return a release; its image is named by a tag, and the registry knows the digest."""
        reference = str(release.get("image_ref", ""))
        named, _, digest = reference.partition("@")
        repository = self.repository("app")
        if not digest and ":" in named.rpartition("/")[2]:
            digest = self.registry().digest(repository, named.rpartition(":")[2]) or ""
        return Deployment(f"v{release['version']}", {repository: digest})

    def _verify(self, images: Mapping[str, str]) -> None:
        """See that every Machine runs the digest, for a tag is only a name. Raises ReleaseFailed."""
        wanted = set(images.values())
        other = [one["id"] for one in self._machines() if one["image_ref"]["digest"] not in wanted]
        if other:
            raise ReleaseFailed(f"Machines {', '.join(other)} run another image than {', '.join(wanted)}")

    def _changes(self) -> list[str]:
        """Return which variables of the configuration are new, or other than those deployed last."""
        ran = self._flyctl.run(["flyctl", "config", "show", "--app", self.app])
        live = (json.loads(ran.out) if ran.code == 0 and ran.out.startswith("{") else {}).get("env") or {}
        wanted = self._settings["env"]
        lines = [
            f"{'~' if name in live else '+'} {self._config} {name}" for name in wanted if live.get(name) != wanted[name]
        ]
        return lines + [f"- {self._config} {name}" for name in live if name not in wanted]

    def _old_config(self, git_sha: str, folder: Path) -> str:
        """Return the path of the configuration as the release's commit has it; this folder's when git lacks it."""
        shown = self._outside.run(["git", "show", f"{git_sha}:{self._config}"]) if git_sha else None
        if shown is None or shown.code:
            self._report.say(
                f"  {self._config} is this folder's: git has no commit {git_sha[:SHORT] or 'of the release'}"
            )
            return str(ROOT / self._config)
        path = folder / "fly.toml"
        path.write_text(shown.out, "utf-8")
        return str(path)

    def _machines(self) -> list[dict[str, Any]]:
        return list(self._flyctl.shown("machine list"))

    def _releases(self) -> list[dict[str, Any]]:
        return list(self._flyctl.shown("releases"))

    def _newest(self) -> str:
        return f"v{self._releases()[0]['version']}"


def _read(config: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / config).read_text("utf-8"))


def _group(machine: dict[str, Any]) -> str:
    return str(machine["config"]["metadata"].get("fly_process_group", ""))
