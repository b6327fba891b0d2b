"""Normalisation of PostgreSQL and Valkey URLs."""

import pytest

from backend.settings import load_settings
from backend.settings.sources import SettingsError
from tests.backend.conftest import SetEnvironment
from tests.backend.settings.test_production import GOOD

CHECKED = "rediss://u:p@valkey.acme.org:6380/1?ssl_cert_reqs=required"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_postgresql_scheme_becomes_the_psycopg_scheme(scheme: str, set_environment: SetEnvironment) -> None:
    set_environment(DATABASE_URL=f"{scheme}://u:p%40w@db:25060/x?sslmode=require")
    found = load_settings().DATABASE_URL.get_secret_value()
    assert found == "postgresql+psycopg://u:p%40w@db:25060/x?sslmode=require"


@pytest.mark.parametrize(
    "url", ["mysql://db/x", "postgres:db", "sqlite", "postgresql+asyncpg://db/x", "", "postgres://u:p@h:x/y"]
)
def test_other_databases_are_refused(url: str, set_environment: SetEnvironment) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL: "):
        load_settings(DATABASE_URL=url)


@pytest.mark.parametrize("environment", ["development", "production"])
@pytest.mark.parametrize(
    "query",
    [
        "",
        "?ssl=true",
        "?ssl=True&ssl_cert_reqs=CERT_REQUIRED",
        "?ssl_cert_reqs=CERT_REQUIRED",
        "?ssl_cert_reqs=required",
        "?ssl_cert_reqs=REQUIRED",
        "?ssl_cert_reqs=optional",
        "?ssl_cert_reqs=CERT_OPTIONAL",
        "?ssl_cert_reqs=anything-else",
        "?ssl_check_hostname=true",
        "?ssl_cert_reqs=",
    ],
)
def test_every_rediss_url_checks_certificates(query: str, environment: str, set_environment: SetEnvironment) -> None:
    set_environment(**GOOD | {"ENVIRONMENT": environment, "REDIS_URL": f"rediss://u:p@valkey.acme.org:6380/1{query}"})
    assert load_settings().REDIS_URL.get_secret_value() == CHECKED


UNVERIFIED = {
    "?ssl_cert_reqs=none": "?ssl_cert_reqs=none",
    "?ssl_cert_reqs=CERT_NONE": "?ssl_cert_reqs=none",
    "?ssl_cert_reqs=None": "?ssl_cert_reqs=none",
    "?ssl_check_hostname=false": "?ssl_cert_reqs=required&ssl_check_hostname=false",
    "?ssl_check_hostname=False": "?ssl_cert_reqs=required&ssl_check_hostname=false",
    "?ssl_check_hostname=0": "?ssl_cert_reqs=required&ssl_check_hostname=false",
    "?ssl_check_hostname=n": "?ssl_cert_reqs=required&ssl_check_hostname=false",
    "?ssl_check_hostname=F": "?ssl_cert_reqs=required&ssl_check_hostname=false",
    "?ssl_cert_reqs=required&ssl_check_hostname=no": "?ssl_cert_reqs=required&ssl_check_hostname=false",
    "?ssl_cert_reqs=none&ssl_cert_reqs=required&ssl_check_hostname=f": (
        "?ssl_cert_reqs=required&ssl_check_hostname=false"
    ),
}


@pytest.mark.parametrize("query", UNVERIFIED)
def test_checks_can_be_disabled_in_development(query: str, set_environment: SetEnvironment) -> None:
    set_environment(ENVIRONMENT="development", REDIS_URL=f"rediss://h{query}")
    assert load_settings().REDIS_URL.get_secret_value() == f"rediss://h{UNVERIFIED[query]}"


@pytest.mark.parametrize("environment", ["staging", "production"])
@pytest.mark.parametrize("query", UNVERIFIED)
def test_checks_can_not_be_disabled_in_a_deployment(
    query: str, environment: str, set_environment: SetEnvironment
) -> None:
    set_environment(**GOOD | {"ENVIRONMENT": environment, "REDIS_URL": f"rediss://h{query}"})
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert [problem.split(";")[0] for problem in caught.value.problems] == ["REDIS_URL: disables certificate checks"]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "valkey.internal", "top1.nearest.of.valkey.internal", "v.flycast"]
)
def test_unencrypted_connections_are_accepted_in_private_networks(host: str, set_environment: SetEnvironment) -> None:
    set_environment(**GOOD | {"REDIS_URL": f"redis://u:p@{host}:6379/0"})
    assert load_settings().REDIS_URL.get_secret_value() == f"redis://u:p@{host}:6379/0"


@pytest.mark.parametrize(
    "host", ["valkey.acme.org", "10.0.0.1", "internal", "127.0.0.1.acme.org", "localhost.acme.org", "xinternal"]
)
def test_unencrypted_connections_are_refused_elsewhere(host: str, set_environment: SetEnvironment) -> None:
    set_environment(**GOOD | {"REDIS_URL": f"redis://u:p@{host}:6379/0"})
    with pytest.raises(SettingsError, match="REDIS_URL: sends the password unencrypted"):
        load_settings()


UPSTASH = "redis://default:p@fly-slipway-production.upstash.io:6379"


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_the_redis_of_fly_needs_no_tls_on_fly(environment: str, set_environment: SetEnvironment) -> None:
    set_environment(**GOOD | {"ENVIRONMENT": environment, "REDIS_URL": UPSTASH, "FLY_APP_NAME": "slipway"})
    assert load_settings().REDIS_URL.get_secret_value() == UPSTASH


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_the_redis_of_fly_needs_tls_elsewhere(environment: str, set_environment: SetEnvironment) -> None:
    set_environment(**GOOD | {"ENVIRONMENT": environment, "REDIS_URL": UPSTASH})
    with pytest.raises(SettingsError, match="REDIS_URL: sends the password unencrypted"):
        load_settings()


@pytest.mark.parametrize(
    "host",
    [
        "fly-x.upstash.io.evil.example",
        "fly-x.upstash.io@evil.example",
        "evil.example/fly-x.upstash.io",
        "evil.example#fly-x.upstash.io",
        "evil.example?fly-x.upstash.io",
        "fly-x.evil.upstash.io",
        "fly-.evil.example",
        "fly-x-upstash.io",
        "fly-x.upstash.io.",
        "fly-x.upstashxio",
        "fly-x.xupstash.io",
        "xfly-x.upstash.io",
        "x.fly-x.upstash.io",
        "fly-x%2eupstash.io",
        "eu1-x.upstash.io",
        "upstash.io",
        "valkey.acme.org",
    ],
)
def test_hosts_similar_to_the_redis_of_fly_need_tls_on_fly(host: str, set_environment: SetEnvironment) -> None:
    set_environment(**GOOD | {"REDIS_URL": f"redis://u:p@{host}", "FLY_APP_NAME": "slipway"})
    with pytest.raises(SettingsError, match="REDIS_URL: sends the password unencrypted"):
        load_settings()


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://valkey", "must start with redis:// or rediss://"),
        ("valkey:6379", "must start with"),
        ("redis://", "has no host"),
        ("rediss://:6379/0", "has no host"),
        ("rediss://valkey:port/0", "is not a URL"),
        ("rediss://valkey:99999/0", "is not a URL"),
        ("rediss://[valkey]:1/0", "is not a URL"),
    ],
)
def test_an_invalid_valkey_url_is_refused(url: str, problem: str, set_environment: SetEnvironment) -> None:
    set_environment(REDIS_URL=url)
    with pytest.raises(SettingsError, match=f"REDIS_URL: {problem}"):
        load_settings()
