"""Serves the simulated API and its live apps on 127.0.0.1."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from tests.simulators.app_platform.cloud import Cloud
from tests.simulators.app_platform.http import HttpApi, Seen
from tests.simulators.app_platform.model import App
from tests.simulators.app_platform.runner import Runner, ScriptedRunner
from tests.simulators.app_platform.spec import Spec
from tests.simulators.faults import Faults
from tests.simulators.serving import serve


@dataclass
class Simulator:
    """One test's App Platform: the tool uses `url`, the test everything else."""

    cloud: Cloud
    http: HttpApi
    stack: ExitStack
    token: str = "do-test-token"

    def __post_init__(self) -> None:
        self.cloud.site = lambda app: self.stack.enter_context(serve(Site(self.cloud, app)))

    @property
    def url(self) -> str:
        return self.http.url

    @property
    def faults(self) -> Faults:
        return self.http.faults

    @property
    def violations(self) -> list[str]:
        """Violations of the contract by the tool or the simulator."""
        return self.http.violations

    def add_app(self, spec: Spec, live_url: str = "") -> App:
        """Add an app that is live at the given address, else at one that the runner serves."""
        app = self.cloud.add_app(spec, live_url)
        app.live_url = live_url or self.cloud.site(app)
        return app

    def seen(self, method: str, ending: str = "") -> list[Seen]:
        """Return the requests of a method whose path has this ending."""
        return [seen for seen in self.http.seen if seen.method == method and seen.path.endswith(ending)]


@dataclass
class Site:
    """The public site of an app: the runner responds for its active deployment."""

    cloud: Cloud
    app: App

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        active = self.app.active
        assert active is not None, "an app is added with an active deployment"
        spec = self.cloud.vault.decrypt(active.spec)
        page = self.cloud.runner.respond(active.id, spec, Request(scope).url.path)
        is_text = isinstance(page.body, str)
        response = Response(page.body, page.status, media_type="text/html") if is_text else None
        await (response or JSONResponse(page.body, page.status))(scope, receive, send)


@contextmanager
def app_platform(runner: Runner | None = None) -> Iterator[Simulator]:
    """Serve a new App Platform; violations of the contract fail the test at the end."""
    cloud = Cloud(runner or ScriptedRunner())
    http = HttpApi(cloud)
    with ExitStack() as stack:
        http.url = stack.enter_context(serve(http))
        yield Simulator(cloud, http, stack)
    assert not http.violations, "\n".join(http.violations)
