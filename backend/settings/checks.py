"""Checks of values: URL normalisation, and the rules for staging and production."""

import re
import string
from ipaddress import ip_network
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit, urlunsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from backend.settings.fields import DEVELOPMENT_JWT_SECRET, SettingsFields

PLACEHOLDERS = ("change-me", "changeme", "change_me", "placeholder", "your-", "example", "secret-key", "<")
MIN_SECRET_BYTES = 32
SENTRY_DSN = re.compile(r"https?://[^@/:\s]+(:[^@/\s]*)?@[^@/\s]+(/[^?\s]*)?/\d+")
# Fly's Upstash Redis has no TLS, and is only reachable on Fly's private network.
UPSTASH_ON_FLY = re.compile(r"fly-[a-z0-9-]+\.upstash\.io")
# Characters of an RFC 9110 token, such as a header name.
TOKEN = frozenset(string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~")
UNREADABLE_URL = "is not a URL; percent-encode special characters in the user and password"


def normalise_database_url(url: str) -> str:
    """Return the URL in SQLAlchemy's form, which does not accept the `postgres://` that providers show.

    Raises ValueError for other databases.
    """
    scheme, separator, rest = url.partition("://")
    if scheme in ("postgres", "postgresql", "postgresql+psycopg") and separator:
        url = f"postgresql+psycopg://{rest}"
    elif scheme != "sqlite" or not separator:
        raise ValueError("must start with postgresql:// or sqlite:///")
    try:
        make_url(url)
    except (ArgumentError, ValueError):
        # The parser's message contains the URL, including the password.
        raise ValueError(UNREADABLE_URL) from None
    return url


def normalise_redis_url(url: str, *, deployed: bool, on_fly: bool) -> str:
    """Return the URL with certificate options that both redis-py and Celery respect.

    With a bare `rediss://`, Celery's broker connection skips certificate checks (kombu 5.7, connection.py).
    `?ssl_cert_reqs=required` enables them in both. Raises ValueError for other schemes, and for disabled checks
    in staging and production.
    """
    parts = _split(url)
    if parts.scheme not in ("redis", "rediss"):
        raise ValueError("must start with redis:// or rediss://")
    if not parts.hostname:
        raise ValueError("has no host")
    if parts.scheme == "redis":
        private = _private_network(parts.hostname) or (on_fly and UPSTASH_ON_FLY.fullmatch(parts.hostname))
        if deployed and not private:
            raise ValueError("sends the password unencrypted; use rediss://")
        return url
    query = dict(parse_qsl(parts.query))
    query.pop("ssl", None)
    unverified = query.pop("ssl_cert_reqs", "required").lower().removeprefix("cert_") == "none"
    unnamed = query.pop("ssl_check_hostname", "true").lower() not in ("true", "t", "yes", "y", "1", "")
    if (unverified or unnamed) and deployed:
        raise ValueError("disables certificate checks; remove ssl_cert_reqs and ssl_check_hostname")
    query["ssl_cert_reqs"] = "none" if unverified else "required"
    if unnamed:
        query["ssl_check_hostname"] = "false"
    return urlunsplit(parts._replace(query=urlencode(query, quote_via=quote, safe="/:")))


def check_sentry_dsn(dsn: str) -> None:
    """Raise ValueError for an invalid DSN. Sentry itself checks it only after the process has started."""
    if dsn and not SENTRY_DSN.fullmatch(dsn):
        raise ValueError("is not a DSN such as https://key@host/project")


def normalise_proxies(text: str) -> str:
    """Return the list of addresses and networks without spaces. Raises ValueError for an invalid one.

    `*` and networks of all addresses are refused: the server would trust the part of X-Forwarded-For that the client
    wrote.
    """
    proxies = [item.strip() for item in text.split(",") if item.strip()]
    for proxy in proxies:
        try:
            everyone = proxy == "*" or ip_network(proxy).prefixlen == 0
        except ValueError:
            raise ValueError(f"{proxy} is not an address or a network such as 10.0.0.0/8") from None
        if everyone:
            raise ValueError(f"{proxy} lets clients fake their address; set the proxies' networks, such as 10.0.0.0/8")
    return ",".join(proxies)


def check_header_name(name: str) -> None:
    """Raise ValueError for an invalid header name. An empty name is allowed."""
    if not TOKEN.issuperset(name):
        raise ValueError("is not a header name such as Fly-Client-IP")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        # Python's message contains the URL, including the password.
        raise ValueError(UNREADABLE_URL) from None
    return parts


def _private_network(host: str) -> bool:
    """Return whether traffic to the host stays on this machine or in Fly's network, which WireGuard encrypts."""
    return host in ("127.0.0.1", "localhost", "::1") or host.endswith((".internal", ".flycast"))


def deployment_problems(settings: SettingsFields) -> list[str]:
    """Return the problems that prevent a start in staging and production, one sentence each."""
    rules = (
        _database_problems(settings),
        _secret_problems(settings),
        _origin_problems(settings),
        _proxy_problems(settings),
        _google_problems(settings),
        _service_problems(settings),
        _time_limit_problems(settings),
    )
    return [problem for problems in rules for problem in problems]


def _database_problems(settings: SettingsFields) -> list[str]:
    if settings.DATABASE_URL.get_secret_value().startswith("sqlite"):
        return ["DATABASE_URL: SQLite is for development; set a PostgreSQL URL"]
    return []


def _secret_problems(settings: SettingsFields) -> list[str]:
    problems = []
    if settings.DEBUG:
        problems.append("DEBUG: must be off")
    secret = settings.JWT_SECRET.get_secret_value()
    if secret == DEVELOPMENT_JWT_SECRET:
        problems.append("JWT_SECRET: missing; generate one with: openssl rand -base64 48")
    elif any(word in secret.lower() for word in PLACEHOLDERS):
        problems.append("JWT_SECRET: is a placeholder; generate one with: openssl rand -base64 48")
    elif len(secret.encode()) < MIN_SECRET_BYTES:
        problems.append(
            f"JWT_SECRET: shorter than {MIN_SECRET_BYTES} bytes; generate one with: openssl rand -base64 48"
        )
    previous = settings.JWT_SECRET_PREVIOUS.get_secret_value()
    if previous and (previous == DEVELOPMENT_JWT_SECRET or len(previous.encode()) < MIN_SECRET_BYTES):
        problems.append(
            f"JWT_SECRET_PREVIOUS: shorter than {MIN_SECRET_BYTES} bytes or the development secret; unset it"
        )
    return problems


def _origin_problems(settings: SettingsFields) -> list[str]:
    problems = []
    if "*" in "".join(settings.ALLOWED_ORIGINS):
        problems.append("ALLOWED_ORIGINS: * lets every website act for your users; list the origins")
    if any(origin.startswith("http://") for origin in settings.ALLOWED_ORIGINS):
        problems.append("ALLOWED_ORIGINS: has an http:// origin; use https://")
    if not settings.PUBLIC_URL.startswith("https://"):
        problems.append("PUBLIC_URL: must be the public https:// URL")
    return problems


def _proxy_problems(settings: SettingsFields) -> list[str]:
    proxies_set = "FORWARDED_ALLOW_IPS" in settings.model_fields_set and settings.FORWARDED_ALLOW_IPS
    if settings.CLIENT_ADDRESS_HEADER and not proxies_set:
        return [
            f"CLIENT_ADDRESS_HEADER: {settings.CLIENT_ADDRESS_HEADER} is only trusted from proxies, but "
            "FORWARDED_ALLOW_IPS is not set; set it to their networks, such as 10.0.0.0/8"
        ]
    return []


def _google_problems(settings: SettingsFields) -> list[str]:
    problems = []
    if not settings.GOOGLE_DISCOVERY_URL.startswith("https://"):
        problems.append("GOOGLE_DISCOVERY_URL: must be https://, because it decides who can sign in")
    if bool(settings.GOOGLE_CLIENT_ID) != bool(settings.GOOGLE_CLIENT_SECRET.get_secret_value()):
        problems.append("GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET: set both, or neither")
    return problems


def _service_problems(settings: SettingsFields) -> list[str]:
    problems = []
    if "REDIS_URL" not in settings.model_fields_set:
        problems.append("REDIS_URL: missing; set your Valkey or Redis, such as rediss://user:password@host:6380/0")
    if not settings.S3_BUCKET:
        problems.append("S3_BUCKET: missing; files on a container's disk are lost with the container")
    elif not (settings.S3_ACCESS_KEY_ID and settings.S3_SECRET_ACCESS_KEY.get_secret_value()):
        problems.append("S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY: missing")
    if not settings.SMTP_HOST:
        problems.append("SMTP_HOST: missing; users could not reset their passwords")
    elif settings.SMTP_SECURITY == "none" and not _private_network(settings.SMTP_HOST):
        problems.append("SMTP_SECURITY: none sends passwords and links unencrypted; use starttls or tls")
    return problems


def _time_limit_problems(settings: SettingsFields) -> list[str]:
    problems = []
    longest = max(settings.JOB_SOFT_TIME_LIMIT_SECONDS, settings.JOB_TIME_LIMIT_SECONDS)
    if longest > settings.BROKER_VISIBILITY_TIMEOUT_SECONDS:
        problems.append(
            "JOB_TIME_LIMIT_SECONDS: longer than BROKER_VISIBILITY_TIMEOUT_SECONDS; "
            "the broker would deliver a running job again"
        )
    if settings.JOB_SOFT_TIME_LIMIT_SECONDS >= settings.JOB_TIME_LIMIT_SECONDS:
        problems.append("JOB_SOFT_TIME_LIMIT_SECONDS: must be shorter than JOB_TIME_LIMIT_SECONDS")
    return problems
