"""The rehearsal's App Platform: the simulator's API before real containers, with a clock that needs no polls."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from scripts.valkey import free_port
from tests.rehearsal.certificates import Authority
from tests.rehearsal.databases import Clusters
from tests.rehearsal.rollout import Site
from tests.rehearsal.router import Router, serving
from tests.rehearsal.runner import DockerRunner
from tests.rehearsal.surroundings import Surroundings
from tests.simulators.app_platform.model import App
from tests.simulators.app_platform.registry import Registry
from tests.simulators.app_platform.server import Simulator, app_platform
from tests.simulators.app_platform.spec import Spec

TICK_SECONDS = 0.2
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json"


@dataclass
class Platform:
    """A running platform: `api` is what the tool talks to."""

    api: Simulator
    runner: DockerRunner
    sites: dict[str, Site]
    public: Authority

    def app(self, name: str) -> App:
        """Return an app by its name."""
        return next(app for app in self.api.cloud.apps.values() if app.spec["name"] == name)


class RealRegistry(Registry):
    """Looks into a registry that runs."""

    def __init__(self, image_prefix: str) -> None:
        super().__init__()
        self._host, _, self._account = image_prefix.rstrip("/").partition("/")

    def _holds(self, image: dict[str, Any]) -> bool:
        reference = image.get("digest") or image.get("tag", "latest")
        url = f"http://{self._host}/v2/{self._account}/{image['repository']}/manifests/{reference}"
        return httpx.head(url, headers={"accept": MANIFEST}, timeout=10, trust_env=False).is_success


@contextmanager
def platform(folder: Path, surroundings: Surroundings, specs: list[Spec]) -> Iterator[Platform]:
    """Serve a platform with an app for each spec: databases run, nothing is deployed yet. Raises DockerError."""
    public, private = Authority(folder, "public"), Authority(folder, "private")
    clusters = Clusters(surroundings.network, folder, public, private)
    sites: dict[str, Site] = {}
    runner = DockerRunner(sites)
    with ExitStack() as stack:
        stack.callback(runner.close)
        api = stack.enter_context(app_platform(runner))
        api.cloud.registry = RealRegistry(surroundings.image_prefix)
        certificate = public.issue("127.0.0.1")
        for spec in specs:
            router, port = Router(), free_port()
            stack.enter_context(serving(router, port, certificate))
            url = f"https://127.0.0.1:{port}"
            bindables = {"APP_URL": url, "APP_DOMAIN": url.removeprefix("https://")} | clusters.start(spec)
            sites[spec["name"]] = Site(router, surroundings.network, surroundings.image_prefix, bindables, public.path)
            _add_app(api, spec, url)
        stack.enter_context(_ticking(api))
        yield Platform(api, runner, sites, public)


def _add_app(api: Simulator, spec: Spec, url: str) -> None:
    """Add an app as it is when its first deployment found no image: with a spec, and nothing active."""
    cloud = api.cloud
    app = App(spec, cloud.pace.now(), url)
    app.spec = cloud.accepted(app.id, spec)
    cloud.apps[app.id] = app


@contextmanager
def _ticking(api: Simulator) -> Iterator[None]:
    """Let deployments go on also while nobody asks."""
    ended = threading.Event()

    def tick() -> None:
        while not ended.wait(TICK_SECONDS):
            with api.cloud.lock:
                for app_id in list(api.cloud.apps):
                    api.cloud.app(app_id)

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(10)
