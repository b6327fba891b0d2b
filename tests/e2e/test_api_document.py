"""The API document's page works under its content security policy; a fake replaces the viewer from the CDN."""

import pytest
from playwright.sync_api import Page, Route

from backend.settings import Settings
from backend.web.browser_policy import VIEWER
from tests.conftest import MakeSettings

SCRIPT = """
window.SwaggerUIBundle = async options => {
  const document_ = await (await fetch(options.url)).json();
  document.querySelector(options.dom_id).innerHTML =
    `<button>Authorize</button><h1>${Object.keys(document_.components.securitySchemes)}</h1>`;
};
window.SwaggerUIBundle.presets = {apis: []};
window.SwaggerUIBundle.SwaggerUIStandalonePreset = [];
"""


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    return make_settings(ENABLE_DOCS=True)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_page_runs_the_viewer_and_its_own_script_and_nothing_else(page: Page) -> None:
    def respond(route: Route) -> None:
        style = route.request.url.endswith(".css")
        route.fulfill(
            body="h1 { color: rgb(1, 2, 3) }" if style else SCRIPT,
            content_type="text/css" if style else "text/javascript",
        )

    page.route(f"{VIEWER}**", respond)
    page.route("https://fastapi.tiangolo.com/**", lambda route: route.fulfill(body=""))
    page.goto("/docs")
    page.get_by_role("button", name="Authorize").wait_for()
    schemes = page.get_by_role("heading", name="token,session")
    assert schemes.evaluate("element => getComputedStyle(element).color") == "rgb(1, 2, 3)"
