"""Rules about values: how URLs are normalised, and what staging and production refuse."""

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
# The Redis that Fly hands out: it has no TLS, and is reached through Fly's private network alone.
UPSTASH_ON_FLY = re.compile(r"fly-[a-z0-9-]+\.upstash\.io")
# A token of RFC 9110, of which names of headers are made.
TOKEN = frozenset(string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~")
UNREADABLE_URL = "is not a URL; write special characters of the user and password as %XX"


def normalise_database_url(url: str) -> str:
    """Return the URL SQLAlchemy wants; providers hand out `postgres://`, which it does not know.

    Raises ValueError for another database.
    """
    scheme, separator, rest = url.partition("://")
    if scheme in ("postgres", "postgresql", "postgresql+psycopg") and separator:
        url = f"postgresql+psycopg://{rest}"
    elif scheme != "sqlite" or not separator:
        raise ValueError("must start with postgresql:// or sqlite:///")
    try:
        make_url(url)
    except (ArgumentError, ValueError):
        # The parser's own message quotes the URL, and with it the password.
        raise ValueError(UNREADABLE_URL) from None
    return url


def normalise_redis_url(url: str, *, deployed: bool, on_fly: bool) -> str:
    """Return the URL with certificate checks spelled the one way redis-py and Celery both obey.

    A bare `rediss://` makes Celery's broker connection skip the checks (kombu 5.7, connection.py);
    `?ssl_cert_reqs=required` verifies in both. Raises ValueError for another scheme, and for checks
    that are switched off outside development.
    """
    parts = _split(url)
    if parts.scheme not in ("redis", "rediss"):
        raise ValueError("must start with redis:// or rediss://")
    if not parts.hostname:
        raise ValueError("names no host")
    if parts.scheme == "redis":
        private = _private_network(parts.hostname) or (on_fly and UPSTASH_ON_FLY.fullmatch(parts.hostname))
        if deployed and not private:
            raise ValueError("sends the password in clear text; use rediss://")
        return url
    query = dict(parse_qsl(parts.query))
    query.pop("ssl", None)
    unverified = query.pop("ssl_cert_reqs", "required").lower().removeprefix("cert_") == "none"
    unnamed = query.pop("ssl_check_hostname", "true").lower() not in ("true", "t", "yes", "y", "1", "")
    if (unverified or unnamed) and deployed:
        raise ValueError("switches certificate checks off; remove ssl_cert_reqs and ssl_check_hostname from it")
    query["ssl_cert_reqs"] = "none" if unverified else "required"
    if unnamed:
        query["ssl_check_hostname"] = "false"
    return urlunsplit(parts._replace(query=urlencode(query, quote_via=quote, safe="/:")))


def check_sentry_dsn(dsn: str) -> None:
    """Raise ValueError unless Sentry could use the DSN; its own check comes when the process has already started."""
    if dsn and not SENTRY_DSN.fullmatch(dsn):
        raise ValueError("is not a DSN like https://key@host/project")


def normalise_proxies(text: str) -> str:
    """Return a list of addresses and networks without spaces. Raises ValueError when one is not readable.

    `*` and the networks of all addresses are refused: the server would then believe the part of X-Forwarded-For that
    the client wrote.
    """
    proxies = [item.strip() for item in text.split(",") if item.strip()]
    for proxy in proxies:
        try:
            everybody = proxy == "*" or ip_network(proxy).prefixlen == 0
        except ValueError:
            raise ValueError(f"{proxy} is not an address or a network like 10.0.0.0/8") from None
        if everybody:
            raise ValueError(f"{proxy} lets clients choose their address; name the proxies' networks, like 10.0.0.0/8")
    return ",".join(proxies)


def check_header_name(name: str) -> None:
    """Raise ValueError unless a header could have this name; empty is none."""
    if not TOKEN.issuperset(name):
        raise ValueError("is not the name of one header, like Fly-Client-IP")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        # As above: Python's message quotes what it could not read.
        raise ValueError(UNREADABLE_URL) from None
    return parts


def _private_network(host: str) -> bool:
    """Whether traffic to the host never leaves this machine or Fly's WireGuard network, encrypted already."""
    return host in ("127.0.0.1", "localhost", "::1") or host.endswith((".internal", ".flycast"))


def deployment_problems(settings: SettingsFields) -> list[str]:
    """Return what staging and production refuse, one sentence for each problem."""
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
        return ["DATABASE_URL: SQLite is for development; name a PostgreSQL database"]
    return []


def _secret_problems(settings: SettingsFields) -> list[str]:
    problems = []
    if settings.DEBUG:
        problems.append("DEBUG: must be off")
    secret = settings.JWT_SECRET.get_secret_value()
    if secret == DEVELOPMENT_JWT_SECRET:
        problems.append("JWT_SECRET: missing; make one with: openssl rand -base64 48")
    elif any(word in secret.lower() for word in PLACEHOLDERS):
        problems.append("JWT_SECRET: is a placeholder; make one with: openssl rand -base64 48")
    elif len(secret.encode()) < MIN_SECRET_BYTES:
        problems.append(f"JWT_SECRET: under {MIN_SECRET_BYTES} bytes; make one with: openssl rand -base64 48")
    previous = settings.JWT_SECRET_PREVIOUS.get_secret_value()
    if previous and (previous == DEVELOPMENT_JWT_SECRET or len(previous.encode()) < MIN_SECRET_BYTES):
        problems.append(f"JWT_SECRET_PREVIOUS: under {MIN_SECRET_BYTES} bytes or the one of development; unset it")
    return problems


def _origin_problems(settings: SettingsFields) -> list[str]:
    problems = []
    if "*" in "".join(settings.ALLOWED_ORIGINS):
        problems.append("ALLOWED_ORIGINS: * would let every page act for your users; list the origins")
    if any(origin.startswith("http://") for origin in settings.ALLOWED_ORIGINS):
        problems.append("ALLOWED_ORIGINS: has an http:// origin; use https://")
    if not settings.PUBLIC_URL.startswith("https://"):
        problems.append("PUBLIC_URL: must be the https:// address people open")
    return problems


def _proxy_problems(settings: SettingsFields) -> list[str]:
    """Return what staging and production refuse about proxies."""
    named = "FORWARDED_ALLOW_IPS" in settings.model_fields_set and settings.FORWARDED_ALLOW_IPS
    if settings.CLIENT_ADDRESS_HEADER and not named:
        return [
            f"CLIENT_ADDRESS_HEADER: {settings.CLIENT_ADDRESS_HEADER} is believed from trusted proxies alone, and "
            "FORWARDED_ALLOW_IPS names none; set it to their networks, like 10.0.0.0/8"
        ]
    return []


def _google_problems(settings: SettingsFields) -> list[str]:
    problems = []
    if not settings.GOOGLE_DISCOVERY_URL.startswith("https://"):
        problems.append("GOOGLE_DISCOVERY_URL: must be https://; it decides whose word signs people in")
    if bool(settings.GOOGLE_CLIENT_ID) != bool(settings.GOOGLE_CLIENT_SECRET.get_secret_value()):
        problems.append("GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET: set both, or neither")
    return problems


def _service_problems(settings: SettingsFields) -> list[str]:
    problems = []
    if "REDIS_URL" not in settings.model_fields_set:
        problems.append("REDIS_URL: missing; name your Valkey or Redis, like rediss://user:password@host:6380/0")
    if not settings.S3_BUCKET:
        problems.append("S3_BUCKET: missing; files on a container's disk are lost with it")
    elif not (settings.S3_ACCESS_KEY_ID and settings.S3_SECRET_ACCESS_KEY.get_secret_value()):
        problems.append("S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY: missing")
    if not settings.SMTP_HOST:
        problems.append("SMTP_HOST: missing; people could not reset a password")
    elif settings.SMTP_SECURITY == "none" and not _private_network(settings.SMTP_HOST):
        problems.append("SMTP_SECURITY: none sends passwords and links in clear text; use starttls or tls")
    return problems


def _time_limit_problems(settings: SettingsFields) -> list[str]:
    problems = []
    longest = max(settings.JOB_SOFT_TIME_LIMIT_SECONDS, settings.JOB_TIME_LIMIT_SECONDS)
    if longest > settings.BROKER_VISIBILITY_TIMEOUT_SECONDS:
        problems.append(
            "JOB_TIME_LIMIT_SECONDS: longer than BROKER_VISIBILITY_TIMEOUT_SECONDS; "
            "the broker would hand out a job that still runs"
        )
    if settings.JOB_SOFT_TIME_LIMIT_SECONDS >= settings.JOB_TIME_LIMIT_SECONDS:
        problems.append("JOB_SOFT_TIME_LIMIT_SECONDS: must be shorter than JOB_TIME_LIMIT_SECONDS")
    return problems
