"""Runs deployments of the App Platform simulator in containers: real images, real databases, real farewells."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait

from tests.rehearsal.containers import DockerError
from tests.rehearsal.environment import SpecError
from tests.rehearsal.rollout import Farewell, Rollout, Site
from tests.simulators.app_platform.runner import Outcome
from tests.simulators.app_platform.spec import Spec
from tests.simulators.serving import Page

# A container that is just being started is there within this time, and can be removed.
CLOSE_SECONDS = 30


class DockerRunner:
    """Does everything in threads of its own; each of its methods answers at once."""

    def __init__(self, sites: Mapping[str, Site]) -> None:
        self._sites = sites
        self._pool = ThreadPoolExecutor(16, "rehearsal")
        self._work: dict[tuple[str, str], Future[Outcome]] = {}
        self._rollouts: dict[str, Rollout] = {}
        self._leaving: list[tuple[Rollout, Future[list[Farewell]]]] = []

    def pre_deploy(self, deployment_id: str, spec: Spec, job: str) -> Outcome | None:
        """Run a job of the spec; None while it runs."""
        rollout = self._rollout(deployment_id, spec)
        return self._outcome(deployment_id, job, lambda: rollout.run_job(job))

    def roll(self, deployment_id: str, spec: Spec) -> Outcome | None:
        """Start the spec's services and workers and give them the requests; None while they become ready."""
        return self._outcome(deployment_id, "", self._rollout(deployment_id, spec).roll)

    def stop(self, deployment_id: str) -> None:
        """Drain what serves, remove what does not yet."""
        rollout = self._rollouts.pop(deployment_id, None)
        if rollout and rollout.end():
            self._leaving.append((rollout, self._pool.submit(rollout.drain)))

    def respond(self, deployment_id: str, spec: Spec, path: str) -> Page:
        """Never called: the apps' addresses are the routers'."""
        raise NotImplementedError("the router responds at the app's address")

    def farewells(self) -> list[Farewell]:
        """Wait until all that was replaced has ended, and return how."""
        return [farewell for _, leaving in self._leaving for farewell in leaving.result()]

    def close(self) -> None:
        """End what is under way: what starts removes itself, what leaves waits no longer."""
        for rollout in self._rollouts.values():
            rollout.ended.set()
        for rollout, _ in self._leaving:
            rollout.hurry.set()
        wait(self._work.values(), timeout=CLOSE_SECONDS)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _rollout(self, deployment_id: str, spec: Spec) -> Rollout:
        if deployment_id not in self._rollouts:
            self._rollouts[deployment_id] = Rollout(deployment_id, self._sites[spec["name"]], spec)
        return self._rollouts[deployment_id]

    def _outcome(self, deployment_id: str, step: str, work: Callable[[], Outcome]) -> Outcome | None:
        key = (deployment_id, step)
        if key not in self._work:
            self._work[key] = self._pool.submit(_told, work)
        return self._work[key].result() if self._work[key].done() else None


def _told(work: Callable[[], Outcome]) -> Outcome:
    try:
        return work()
    except (DockerError, SpecError) as error:
        return Outcome(False, str(error))
