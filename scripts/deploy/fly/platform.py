"""One app on Fly.io, driven by flyctl."""

import json
import os
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

from scripts.deploy.environments import STAGING, Environment
from scripts.deploy.errors import NeedsAttention, Refused, ReleaseFailed
from scripts.deploy.fly import commands, documents
from scripts.deploy.fly.config import config_at, config_changes, read_config
from scripts.deploy.fly.documents import COMPLETE, Document
from scripts.deploy.fly.flyctl import LAST_LINES, Flyctl
from scripts.deploy.platform import Deployment, Plan, State
from scripts.deploy.registry import Registry, platform_registry
from scripts.deploy.releases import SHORT
from scripts.deploy.report import Report
from scripts.deploy.system import ROOT, System
from scripts.deploy.variables import DeclaredVariables, compare

POLL_SECONDS = 5
HOST = "registry.fly.io"
NOT_KEPT = "Fly.io keeps no previous secrets: write the previous values into the file and run make sync-env again"


class Fly:
    """The app of one environment. Raises Refused without a token."""

    # One image: its web process serves the frontend too.
    images: tuple[str, ...] = ("app",)
    deploy_seconds = 1800.0

    def __init__(self, system: System, report: Report, environment: Environment) -> None:
        self._system = system
        self._report = report
        self._config = environment.fly_config
        self._settings = read_config(self._config)
        self.app = str(self._settings["app"])
        self._flyctl = Flyctl(system, report, self.app)
        prefix = os.environ.get("IMAGE_PREFIX") or f"{HOST}/"
        # Fly's registry accepts any user name with the token.
        self._registry = platform_registry(system, prefix, HOST, "x", self._flyctl.token)
        # The release that this command deployed, and whether it changed only secrets.
        self._own_release = ""
        self._secrets_only = False

    def registry(self) -> Registry:
        return self._registry

    def repository(self, image: str) -> str:
        """Return staging's repository, which production uses too, so that it runs the tested digest."""
        return str(read_config(STAGING.fly_config)["app"])

    def find_state(self) -> State | None:
        """Raise Refused when there is no app: it must be created with flyctl."""
        newest = next(iter(self._releases()), {})
        return State(
            url=str(self._settings["env"].get("PUBLIC_URL") or f"https://{self.app}.fly.dev").rstrip("/"),
            active=self._active(),
            in_progress=self._deployment(newest) if documents.is_in_progress(newest, self.deploy_seconds) else None,
        )

    def history(self) -> list[Deployment]:
        """Return the complete releases whose images still exist, newest first."""
        found = [self._deployment(release) for release in self._releases() if release["status"] == COMPLETE]
        return [deployment for deployment in found if all(deployment.images.values())]

    def plan(self, release: Mapping[str, str], git_sha: str, given: Mapping[str, str]) -> Plan:
        current = self.current_values()
        missing = [name for name in commands.NEEDED_SECRETS if name not in {*current, *given}]
        if missing:
            hint = "write them into a file and send them with the deployment: ENV_FILE=…"
            raise Refused(f"{self.app} has no secret {', '.join(missing)}: {hint}")
        lines = compare(given, current, self.declared_variables(), prune=False)
        added = {line.key: given[line.key] for line in lines if line.action == "add"}
        self._flyctl.run_checked(commands.validate(self.app, self._config))
        payload = {"image": self._image_name(git_sha), "stdin": commands.secrets_input(added), "pruned": []}
        return Plan(dict(release), [f"+ secret {name}" for name in added] + self._config_changes(), payload)

    def plan_variables(self, given: Mapping[str, str], secret: Collection[str], pruned: Collection[str]) -> Plan:
        active = self._active()
        changes = [f"+ secret {name}" for name in given] + [f"- secret {name}" for name in pruned]
        payload = {"image": "", "stdin": commands.secrets_input(given), "pruned": list(pruned)}
        return Plan(active.images if active else {}, changes, payload)

    def deploy(self, plan: Plan) -> str:
        """Run flyctl until it ends. Raises ReleaseFailed with its error, NeedsAttention when it changed secrets."""
        image, stdin, pruned = (plan.payload[name] for name in ("image", "stdin", "pruned"))
        self._secrets_only = not image
        if stdin:
            self._flyctl.run_checked(commands.import_secrets(self.app), stdin)
        if pruned:
            self._flyctl.run_checked(commands.unset_secrets(self.app, pruned))
        argv = commands.deploy(self.app, self._config, image) if image else commands.deploy_secrets(self.app)
        try:
            self._flyctl.run_streaming(argv)
        except ReleaseFailed as error:
            if self._secrets_only:
                raise NeedsAttention(f"{error}. {NOT_KEPT}") from None
            raise
        return self._verify_machines(plan.images)

    def wait_until_active(self, deployment: str, seconds: float) -> None:
        """Wait until another flyctl's release has ended; `deploy` already waited for its own."""
        if deployment == self._own_release:
            return
        deadline = self._system.clock() + seconds
        while True:
            release = next(one for one in self._releases() if f"v{one['version']}" == deployment)
            if not release["in_progress"]:
                break
            if self._system.clock() > deadline:
                raise NeedsAttention(
                    f"Release {deployment} did not finish in {seconds:.0f} s. See: make status PLATFORM=fly"
                )
            self._system.sleep(POLL_SECONDS)
        if release["status"] != COMPLETE:
            raise ReleaseFailed(f"Release {deployment} ended as {release['status']}")
        self._verify_machines(self._deployment(release).images)

    def cancel(self, deployment: str) -> None:
        """Raise Refused: another flyctl can only be stopped where it runs."""
        raise Refused(
            f"Release {deployment} is being deployed by another flyctl: stop it there, or wait. See: make status"
        )

    def roll_back(self, target: Deployment, git_sha: str, seconds: float) -> str:
        """Deploy the earlier image with its commit's configuration, on all Machines at once and without migrations.

        Raises ReleaseFailed, and NeedsAttention when only secrets were changed: those can't be rolled back.
        """
        if self._secrets_only:
            raise NeedsAttention(NOT_KEPT)
        repository, digest = next(iter(target.images.items()))
        image = self._image_name(git_sha) if git_sha else f"{self._registry.prefix}{repository}@{digest}"
        with tempfile.TemporaryDirectory(prefix="slipway-fly-") as folder:
            config = config_at(self._system, self._config, git_sha, Path(folder))
            if config is None:
                self._report.say(f"  git has no commit {git_sha[:SHORT]}: using this folder's {self._config}")
            argv = commands.roll_back(self.app, str(config or ROOT / self._config), image, seconds)
            self._flyctl.run_streaming(argv)
        return self._verify_machines(target.images)

    def logs(self, component: str, deployment: str = "") -> str:
        """Return the last lines of each Machine; the component is a process group."""
        machines = [one["id"] for one in self._machines() if documents.group_of(one) == component]
        if component and not machines:
            groups = ", ".join(self._settings["processes"])
            raise Refused(f"{self.app} has no Machine for {component}. Its groups are {groups}")
        texts = [self._flyctl.run_checked(commands.logs(self.app, one)).out for one in machines or [""]]
        return "\n".join(line for text in texts for line in text.splitlines()[-LAST_LINES:])

    def declared_variables(self) -> DeclaredVariables:
        needed = frozenset(commands.NEEDED_SECRETS)
        return DeclaredVariables(self._config, frozenset(self._settings["env"]), needed, needed)

    def current_values(self) -> dict[str, str | None]:
        return {one["name"]: None for one in self._flyctl.read_json("secrets list")}

    def _active(self) -> Deployment | None:
        """Return the newest release among the Machines; its digest is "" when they run several images."""
        machines = self._machines()
        if not machines:
            return None
        digests = {documents.digest_of(one) for one in machines}
        digest = digests.pop() if len(digests) == 1 else ""
        return Deployment(documents.newest_of(machines), {self.repository("app"): digest})

    def _deployment(self, release: Document) -> Deployment:
        """Convert a release; if it names its image by tag, get the digest from the registry."""
        repository, (tag, digest) = self.repository("app"), documents.image_of(release)
        if not digest and tag:
            digest = self._registry.digest(repository, tag) or ""
        return Deployment(f"v{release['version']}", {repository: digest})

    def _verify_machines(self, images: Mapping[str, str]) -> str:
        """Check that every Machine runs the digest, because tags can move. Return the release. Raises ReleaseFailed."""
        (wanted,) = images.values()
        other = [one["id"] for one in self._machines() if documents.digest_of(one) != wanted]
        if other:
            raise ReleaseFailed(f"Machines {', '.join(other)} run another image than {wanted}")
        self._own_release = f"v{self._releases()[0]['version']}"
        return self._own_release

    def _config_changes(self) -> list[str]:
        """Compare the deployed with the local configuration, both as flyctl prints them."""
        live = self._flyctl.run(commands.show_config(self.app))
        local = self._flyctl.run_checked(commands.show_config(self.app, self._config))
        return config_changes(self._config, {} if live.code else json.loads(live.out), json.loads(local.out))

    def _image_name(self, git_sha: str) -> str:
        return f"{self._registry.prefix}{self.repository('app')}:sha-{git_sha[:SHORT]}"

    def _machines(self) -> list[Document]:
        return documents.machines_of_app(self._flyctl.read_json("machine list"))

    def _releases(self) -> list[Document]:
        return list(self._flyctl.read_json("releases"))
