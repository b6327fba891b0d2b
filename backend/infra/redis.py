"""Connections to Valkey over the Redis protocol, with verified certificates."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from backend.infra.ca_files import ca_file
from backend.settings import Settings

if TYPE_CHECKING:
    from redis import Redis
    from redis.asyncio import Redis as AsyncRedis

TIMEOUT_SECONDS = 2.0


def connect(settings: Settings, *, timeout: float | None = None) -> "Redis":
    """Return a client that connects on first use. redis is imported here because its import takes 70 ms."""
    from redis import Redis, exceptions
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    options = connection_options(settings) | {"socket_timeout": timeout or TIMEOUT_SECONDS}
    if timeout is not None:
        options["socket_connect_timeout"] = timeout
    # Retry once if the connection was closed. Do not retry after a timeout.
    retry = Retry(NoBackoff(), 1, supported_errors=(exceptions.ConnectionError,))
    return Redis.from_url(settings.REDIS_URL.get_secret_value(), retry=retry, **options)


def connect_async(settings: Settings) -> "AsyncRedis":
    """Return an asyncio client without a read timeout, because subscriptions may be idle for long."""
    from redis.asyncio import Redis

    return Redis.from_url(settings.REDIS_URL.get_secret_value(), **connection_options(settings))


def connection_options(settings: Settings) -> dict[str, Any]:
    """Return redis-py's keyword arguments for timeouts and TLS."""
    options: dict[str, Any] = {"socket_connect_timeout": TIMEOUT_SECONDS, "health_check_interval": 15}
    if uses_tls(settings):
        options["ssl_check_hostname"] = checks_host_name(settings)
        if settings.REDIS_CA_CERT:
            options["ssl_ca_certs"] = ca_file(settings.REDIS_CA_CERT)
    return options


def checks_host_name(settings: Settings) -> bool:
    """Return whether the certificate's host name is verified. Settings allow False only in development."""
    query = urlsplit(settings.REDIS_URL.get_secret_value()).query
    return not accepts_any_certificate(settings) and "ssl_check_hostname=false" not in query


def uses_tls(settings: Settings) -> bool:
    return urlsplit(settings.REDIS_URL.get_secret_value()).scheme == "rediss"


def accepts_any_certificate(settings: Settings) -> bool:
    """Return whether the URL disables certificate checks. Settings allow that only in development."""
    return "ssl_cert_reqs=none" in urlsplit(settings.REDIS_URL.get_secret_value()).query
