"""Every setting: its name, its type, its default, and what it means. A new one goes here, and into `.env.example`."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode

DEVELOPMENT_JWT_SECRET = "development-only-secret-never-use-it-elsewhere"


class SettingsFields(BaseSettings):
    """The fields alone; `backend.settings.Settings` reads and checks them."""

    # --- the application
    APP_NAME: str = Field("Slipway", description="Name of the application in pages, mails and the API document.")
    ENVIRONMENT: Literal["development", "test", "staging", "production"] = Field(
        "development", description="staging and production refuse unsafe settings at start."
    )
    DEBUG: bool = Field(False, description="Tracebacks in error answers. Refused in staging and production.")
    GIT_SHA: str = Field("development", description="Commit the running code was built from.")
    FLY_APP_NAME: str = Field("", description="Set by Fly.io on its machines; there its Redis may go without TLS.")
    PUBLIC_URL: str = Field(
        "http://127.0.0.1:8000", description="Address people open; links and the cookies' Secure flag follow it."
    )
    DATA_DIR: Path = Field(Path(".data"), description="Local files of development: SQLite, disk storage.")
    FRONTEND_DIR: Path = Field(
        Path("frontend/dist"), description="Built frontend the web process serves when the folder exists."
    )

    # --- processes
    PORT: int = Field(8000, ge=1, le=65535, description="Port of the web process.")
    WEB_CONCURRENCY: int = Field(2, ge=1, le=64, description="Web processes.")
    WORKER_CONCURRENCY: int = Field(2, ge=1, le=64, description="Jobs a worker runs at once.")
    METRICS_PORT: int = Field(
        0, ge=0, le=65535, description="Port of /metrics for Prometheus, never to be public; 0 measures nothing."
    )
    HEARTBEAT_FILE: str = Field(
        "", description="File that worker and beat touch every few seconds while they are not stuck; empty for none."
    )
    DRAIN_FILE: str = Field(
        "", description="While this file exists /health/serving is 503, and a proxy sends no new requests."
    )

    # --- database
    DATABASE_URL: SecretStr = Field(
        SecretStr("sqlite:///.data/slipway.db"),
        description="sqlite:///… or postgresql://user:password@host:5432/name",
    )
    DATABASE_POOL_SIZE: int = Field(10, ge=1, le=200, description="Connections a process keeps open.")
    DATABASE_MAX_OVERFLOW: int = Field(0, ge=0, le=200, description="Connections a process may add in a rush.")
    DATABASE_POOL_TIMEOUT_SECONDS: float = Field(5, gt=0, description="Wait for a free connection, then 503.")
    DATABASE_POOL_PRE_PING: bool = Field(True, description="Test a connection that lay idle before using it.")
    DATABASE_SSLMODE: Literal["", "disable", "allow", "prefer", "require", "verify-ca", "verify-full"] = Field(
        "", description="PostgreSQL TLS mode; empty leaves it to the URL."
    )
    DATABASE_CA_CERT: str = Field("", description="CA certificate of PostgreSQL as PEM text.")
    DATABASE_PGBOUNCER: bool = Field(False, description="Behind PgBouncer's transaction mode: no prepared statements.")

    # --- Valkey (the Redis protocol)
    REDIS_URL: SecretStr = Field(
        SecretStr("redis://127.0.0.1:6379/0"), description="Broker and live events: redis://… or rediss://…"
    )
    REDIS_CA_CERT: str = Field("", description="CA certificate of Valkey as PEM text; empty uses the system's.")

    # --- accounts
    JWT_SECRET: SecretStr = Field(
        SecretStr(DEVELOPMENT_JWT_SECRET), description="Signs tokens and storage links; 32 bytes or more."
    )
    JWT_SECRET_PREVIOUS: SecretStr = Field(
        SecretStr(""), description="The JWT_SECRET of before a change; its tokens are accepted until they expire."
    )
    JWT_ALGORITHM: Literal["HS256", "HS384", "HS512"] = Field("HS256", description="How tokens are signed.")
    ACCESS_TOKEN_EXPIRE_MINUTES: int = Field(30, ge=1, le=1440, description="Life of an access token.")
    REFRESH_TOKEN_EXPIRE_DAYS: int = Field(7, ge=1, le=365, description="Life of a session that is not used.")
    ENABLE_REGISTRATION: bool = Field(True, description="Strangers may sign up.")
    ALLOWED_ORIGINS: Annotated[list[str], NoDecode] = Field(
        [], description="Other origins whose pages may call the API, separated by commas."
    )
    ENABLE_DOCS: bool = Field(False, description="The API's page at /docs outside development, where it always is.")
    FORWARDED_ALLOW_IPS: str = Field(
        "127.0.0.1",
        description="Addresses or networks of proxies whose X-Forwarded-For is believed.",
    )
    CLIENT_ADDRESS_HEADER: str = Field(
        "", description="Header in which these proxies name the client, where X-Forwarded-For does not tell it."
    )
    RATE_LIMIT_PER_MINUTE: int = Field(100, ge=1, description="Requests a minute of an account, or an address without.")
    AUTH_RATE_LIMIT_PER_MINUTE: int = Field(
        5, ge=1, description="Log-ins and other attempts a minute, for an address and for an account."
    )
    GOOGLE_CLIENT_ID: str = Field("", description="Google sign-in; empty hides the button.")
    GOOGLE_CLIENT_SECRET: SecretStr = Field(SecretStr(""), description="Google sign-in.")
    GOOGLE_DISCOVERY_URL: str = Field(
        "https://accounts.google.com/.well-known/openid-configuration",
        description="Where Google describes its OpenID Connect service; another address for tests.",
    )

    # --- object storage; empty S3_BUCKET means files under DATA_DIR
    S3_ENDPOINT_URL: str = Field("", description="https://… of the object storage; empty for Amazon S3 itself.")
    S3_REGION: str = Field("us-east-1", description="Region used in signatures.")
    S3_BUCKET: str = Field("", description="Bucket; empty keeps files on disk, which production refuses.")
    S3_ACCESS_KEY_ID: str = Field("", description="Access key of the bucket.")
    S3_SECRET_ACCESS_KEY: SecretStr = Field(SecretStr(""), description="Secret key of the bucket.")
    S3_ADDRESSING_STYLE: Literal["auto", "path", "virtual"] = Field(
        "auto", description="path: host/bucket/key, virtual: bucket.host/key."
    )
    MAX_UPLOAD_BYTES: int = Field(50_000_000, ge=1, description="Largest file accepted, in bytes.")
    UPLOAD_EXPIRE_MINUTES: int = Field(
        60, ge=1, description="Minutes in which a file can be sent after its upload was created."
    )

    # --- jobs
    QUOTA_JOBS_RUNNING: int = Field(50, ge=1, description="Unfinished jobs a user may have at once.")
    QUOTA_JOBS_PER_DAY: int = Field(1000, ge=1, description="Jobs a user may make in 24 hours.")
    QUOTA_BYTES: int = Field(5_000_000_000, ge=1, description="Bytes of files and results a user may store.")
    RETENTION_DAYS: int = Field(30, ge=1, description="Finished jobs and their files are deleted after this.")
    JOB_LEASE_SECONDS: float = Field(30, gt=0, description="A worker silent for this long has lost its job.")
    JOB_REQUEUE_AFTER_SECONDS: float = Field(60, gt=0, description="A job queued this long is sent again.")
    JOB_RETRY_BACKOFF_SECONDS: float = Field(5, gt=0, description="First wait after outside trouble; doubles.")
    JOB_SOFT_TIME_LIMIT_SECONDS: int = Field(240, ge=1, description="A job this long fails with timed_out.")
    JOB_TIME_LIMIT_SECONDS: int = Field(270, ge=1, description="A job this long is killed.")
    SWEEP_INTERVAL_SECONDS: float = Field(10, gt=0, description="How often lost jobs are looked for.")
    BROKER_VISIBILITY_TIMEOUT_SECONDS: int = Field(
        3600, ge=1, description="The broker delivers a task again after this; longer than any job."
    )

    # --- mail; empty SMTP_HOST prints mails in development
    SMTP_HOST: str = Field("", description="Mail server.")
    SMTP_PORT: int = Field(587, ge=1, le=65535, description="Port of the mail server.")
    SMTP_USERNAME: str = Field("", description="Account at the mail server.")
    SMTP_PASSWORD: SecretStr = Field(SecretStr(""), description="Password at the mail server.")
    SMTP_SECURITY: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="How the connection to the mail server is encrypted."
    )
    MAIL_FROM: str = Field(
        "no-reply@localhost",
        description="Sender of mails: an address, or `Name <address>`; the name is APP_NAME without one.",
    )

    # --- logs and errors
    LOG_LEVEL: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Lowest level written.")
    LOG_FORMAT: Literal["auto", "json", "console"] = Field(
        "auto", description="auto: readable in development, JSON elsewhere."
    )
    SENTRY_DSN: SecretStr = Field(SecretStr(""), description="Sentry project; empty sends nothing.")
    SENTRY_TRACES_SAMPLE_RATE: float = Field(0.1, ge=0, le=1, description="Share of requests traced by Sentry.")
