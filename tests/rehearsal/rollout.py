"""One deployment's containers: started beside the old ones, given the requests once all are ready, drained, removed."""

import shlex
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.rehearsal import containers
from tests.rehearsal.containers import KILLED, PREFIX, Container, docker
from tests.rehearsal.databases import mounts
from tests.rehearsal.environment import environment, instances, memory_mb, seconds
from tests.rehearsal.readiness import wait_until_ready, watch
from tests.rehearsal.router import Router, Table, Target, rules
from tests.simulators.app_platform.runner import Outcome
from tests.simulators.app_platform.spec import Spec

# App Platform's own values where a spec gives none.
DRAIN_SECONDS, GRACE_SECONDS, JOB_TIMEOUT = 15, 120, "30m"
# A worker has no address to ask: it is well when it still runs after this. App Platform counts restarts for longer.
STAYS_SECONDS = 5
# Real instances have machines of their own; these share one, so they don't all start at once.
STARTED_AT_ONCE = 3


@dataclass(frozen=True)
class Farewell:
    """How a container ended: how many seconds after SIGTERM, and whether it had to be killed."""

    component: str
    container: str
    seconds: float
    killed: bool


@dataclass(frozen=True)
class Site:
    """One app's place on the platform."""

    router: Router
    network: str
    image_prefix: str
    bindables: Mapping[str, str]
    # Stands for the public authorities that images trust.
    public_authority: Path


@dataclass
class Rollout:
    """The containers of one deployment of one app."""

    id: str
    site: Site
    spec: Spec
    ended: threading.Event = field(default_factory=threading.Event)
    hurry: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    started: dict[str, list[Container]] = field(default_factory=dict)
    table: Table | None = None
    before: Table = field(default_factory=Table)

    def run_job(self, name: str) -> Outcome:
        """Run a job's container to its end."""
        job = next(job for job in self.spec["jobs"] if job["name"] == name)
        one = self._start(job, 0)
        deadline = time.monotonic() + seconds(job.get("timeout", JOB_TIMEOUT))
        while (code := containers.exit_code(one)) is None and time.monotonic() < deadline and not self.ended.wait(0.2):
            pass
        if code is None:
            code = containers.stop(one, grace(job))
        log = containers.logs(one)
        containers.remove(one)
        return Outcome(code == 0, f"{log}\n{name} ended with {code}")

    def roll(self) -> Outcome:
        """Start all services and workers, and give them the requests once all are ready; else remove them."""
        kinds = [component for kind in ("services", "workers") for component in self.spec.get(kind, [])]
        # Before anything is started: the rules may be more than the router knows.
        rules(self.spec)
        wanted = [(component, number) for component in kinds for number in range(instances(component))]
        self.started = {component["name"]: [] for component in kinds}
        with ThreadPoolExecutor(len(wanted)) as pool:
            slots = threading.Semaphore(STARTED_AT_ONCE)
            attempts = [pool.submit(self._start_ready, component, number, slots) for component, number in wanted]
            problems = [str(error) for attempt in attempts if (error := attempt.exception())]
        if not problems and self._take_requests():
            return Outcome(True, "\n".join(f"{one.name} is ready" for one in self._all()))
        containers.remove(*self._all())
        return Outcome(False, "\n".join(problems) or "ended from outside")

    def end(self) -> bool:
        """Give the requests back, or up; tell whether there are containers to drain. What still starts is removed."""
        with self.lock:
            self.ended.set()
            if self.table and self.site.router.table is self.table:
                self.site.router.table = self.before
            return self.table is not None

    def drain(self) -> list[Farewell]:
        """Let every container end in its own time."""
        kinds = {"services": DRAIN_SECONDS, "workers": 0}
        with ThreadPoolExecutor(len(self._all())) as pool:
            leaving = [
                pool.submit(self._farewell, one, component, drain)
                for kind, drain in kinds.items()
                for component in self.spec.get(kind, [])
                for one in self.started[component["name"]]
            ]
            return [done.result() for done in leaving]

    def _take_requests(self) -> bool:
        ports = {service["name"]: service.get("http_port", 8080) for service in self.spec["services"]}
        targets = {
            name: [Target(f"http://{one.address}:{port}") for one in self.started[name]] for name, port in ports.items()
        }
        with self.lock:
            if not self.ended.is_set():
                self.before, self.table = self.site.router.table, Table(rules(self.spec), targets)
                self.site.router.table = self.table
            return self.table is not None

    def _farewell(self, one: Container, component: dict[str, Any], drain: int) -> Farewell:
        # Its requests go elsewhere by now; those under way have this time, and then the grace.
        if drain:
            self.hurry.wait(component.get("termination", {}).get("drain_seconds", drain))
        told = time.monotonic()
        code = containers.stop(one, grace(component))
        containers.remove(one)
        return Farewell(component["name"], one.name, time.monotonic() - told, code == KILLED)

    def _start_ready(self, component: dict[str, Any], number: int, slots: threading.Semaphore) -> None:
        with slots:
            one = self._start(component, number)
            self.started[component["name"]].append(one)
            watch(one, 1, self.ended)
        if "http_port" in component:
            wait_until_ready(one, component, self.ended)
        else:
            watch(one, STAYS_SECONDS, self.ended)

    def _start(self, component: dict[str, Any], number: int) -> Container:
        image, memory = component["image"], f"{memory_mb(component)}m"
        reference = f"{self.site.image_prefix}{image['repository']}@{image['digest']}"
        docker("pull", "--quiet", reference, seconds=containers.SLOW)
        env = environment(self.spec, component, self.site.bindables)
        options = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
        # App Platform knows nothing of an image's HEALTHCHECK.
        options += ["--memory", memory, "--memory-swap", memory, "--no-healthcheck"]
        options += mounts({self.site.public_authority: "/public-authority.pem"})
        env["SSL_CERT_FILE"] = "/public-authority.pem"
        command = shlex.split(component.get("run_command", ""))
        name = f"{PREFIX}-{self.spec['name']}-{self.id[:8]}-{component['name']}-{number}"
        return containers.start(name, reference, *command, network=self.site.network, options=options, env=env)

    def _all(self) -> list[Container]:
        return [one for started in self.started.values() for one in started]


def grace(component: dict[str, Any]) -> int:
    """Return the seconds between SIGTERM and SIGKILL."""
    return int(component.get("termination", {}).get("grace_period_seconds", GRACE_SECONDS))
