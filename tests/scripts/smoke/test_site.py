"""scripts/smoke: a helpful message for each fault of a site."""

from backend.settings import Settings
from tests.conftest import MakeSettings
from tests.scripts.smoke.site import PARTNER, PASSWORD, SHA, Smoke, fake_site
from tests.servers import LiveServer


def test_headers_that_a_proxy_dropped_or_changed_are_named(smoke: Smoke) -> None:
    headers = {"x-content-type-options": "nosniff", "x-frame-options": "SAMEORIGIN", "referrer-policy": "unsafe-url"}
    with fake_site({"/api/version": lambda: {"git_sha": SHA}}, headers) as url:
        line = smoke(url, "--api-only").line("headers")
    assert line.startswith("FAIL headers ")
    assert "/api/version lacks content-security-policy" in line
    assert "/api/version has x-frame-options: SAMEORIGIN" in line
    assert "x-content-type-options" not in line
    assert "look at the proxy" in line


def test_a_missing_page_fails_unless_the_frontend_is_elsewhere(make_settings: MakeSettings, smoke: Smoke) -> None:
    with LiveServer(make_settings(ENABLE_REGISTRATION=False)) as server:
        assert "returned 404 not_found: Not Found" in smoke(server.url).line("page")
        elsewhere = smoke(server.url, "--api-only").steps
    assert "page" not in elsewhere
    assert elsewhere["headers"] == "ok"


def test_a_page_from_another_build_than_its_scripts_fails(server: LiveServer, settings: Settings, smoke: Smoke) -> None:
    (settings.FRONTEND_DIR / "assets" / "index-1.js").unlink()
    line = smoke(server.url, "--timeout", "0").line("page")
    assert "/assets/index-1.js should return 200 but returned 404" in line


def test_closed_registration_asks_for_an_account(make_settings: MakeSettings, smoke: Smoke) -> None:
    with LiveServer(make_settings(ENABLE_REGISTRATION=False)) as server:
        result = smoke(server.url)
    assert result.status == 1
    assert "registration_closed" in result.line("sign-up")
    assert "SMOKE_EMAIL and SMOKE_PASSWORD_FILE" in result.line("sign-up")
    assert result.steps["upload"] == "skip"
    assert "close" not in result.steps


def test_a_wrong_password_is_reported_but_not_printed(
    server: LiveServer, smoke: Smoke, account: dict[str, str]
) -> None:
    result = smoke(server.url, **account | {"SMOKE_PASSWORD": f"{PASSWORD}-no-more"})
    assert result.status == 1
    assert "wrong_credentials" in result.line("sign-in")
    assert "Are SMOKE_EMAIL and SMOKE_PASSWORD those of an account" in result.line("sign-in")
    assert "sign-out" not in result.steps


def test_a_password_in_a_response_is_not_printed(smoke: Smoke) -> None:
    problem = {"code": "odd", "detail": f"What is {PASSWORD}?\x1b[31m"}
    with fake_site({"/api/version": lambda: {"git_sha": SHA}, "/api/session": lambda: (400, problem)}) as url:
        line = smoke(url, SMOKE_EMAIL="s@example.com", SMOKE_PASSWORD=PASSWORD).line("sign-in")
    assert "odd: What is ***? [31m" in line


def test_origins_are_allowed_or_refused_as_expected(server: LiveServer, smoke: Smoke, account: dict[str, str]) -> None:
    wrong = account | {"SMOKE_PASSWORD": PASSWORD[::-1]}
    assert smoke(server.url, "--origin", PARTNER, **wrong).steps["cors"] == "ok"
    line = smoke(server.url, "--origin", PARTNER, "--origin", "https://other.example", **wrong).line("cors")
    assert "FAIL" in line
    assert "Expected https://other.example to be allowed" in line
    assert "ALLOWED_ORIGINS" in line


def test_a_site_that_allows_every_origin_fails(smoke: Smoke) -> None:
    with fake_site({"/api/version": lambda: {"git_sha": SHA}}, {"access-control-allow-origin": "*"}) as url:
        assert "Every origin is allowed (*)" in smoke(url).line("cors")
