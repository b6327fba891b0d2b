"""All settings: name, type, default and description. Add new settings here and in `.env.example`."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode

DEVELOPMENT_JWT_SECRET = "development-only-secret-never-use-it-elsewhere"


class SettingsFields(BaseSettings):
    """The fields only. `backend.settings.Settings` reads and checks them."""

    # --- application
    APP_NAME: str = Field("Slipway", description="Application name in pages, mails and the API document.")
    ENVIRONMENT: Literal["development", "test", "staging", "production"] = Field(
        "development", description="In staging and production the application does not start with unsafe settings."
    )
    DEBUG: bool = Field(False, description="Show tracebacks in error responses. Not allowed in staging and production.")
    GIT_SHA: str = Field("development", description="Git commit of the running code.")
    FLY_APP_NAME: str = Field("", description="Set by Fly.io. Allows Fly's private Redis without TLS.")
    PUBLIC_URL: str = Field(
        "http://127.0.0.1:8000",
        description="Public URL of the application. Used in links; https:// enables secure cookies.",
    )
    DATA_DIR: Path = Field(
        Path(".data"), description="Folder for local files in development: SQLite, disk storage, mails."
    )
    FRONTEND_DIR: Path = Field(
        Path("frontend/dist"), description="Folder of the built frontend. Served by the web process if it exists."
    )

    # --- processes
    PORT: int = Field(8000, ge=1, le=65535, description="Port of the web process.")
    WEB_CONCURRENCY: int = Field(2, ge=1, le=64, description="Number of web processes.")
    WORKER_CONCURRENCY: int = Field(2, ge=1, le=64, description="Number of jobs a worker runs in parallel.")
    METRICS_PORT: int = Field(
        0, ge=0, le=65535, description="Port for Prometheus metrics. Do not expose publicly; 0 disables metrics."
    )
    HEARTBEAT_FILE: str = Field(
        "", description="File that worker and beat update every few seconds while they are healthy; empty disables it."
    )
    DRAIN_FILE: str = Field(
        "", description="While this file exists, /health/serving returns 503, so that a proxy sends no new requests."
    )

    # --- database
    DATABASE_URL: SecretStr = Field(
        SecretStr("sqlite:///.data/slipway.db"),
        description="Database URL: sqlite:///… or postgresql://user:password@host:5432/name",
    )
    DATABASE_POOL_SIZE: int = Field(
        10, ge=1, le=200, description="Number of database connections each process keeps open."
    )
    DATABASE_MAX_OVERFLOW: int = Field(
        0, ge=0, le=200, description="Number of extra database connections per process under load."
    )
    DATABASE_POOL_TIMEOUT_SECONDS: float = Field(
        5, gt=0, description="Seconds to wait for a free connection before a 503 response."
    )
    DATABASE_POOL_PRE_PING: bool = Field(True, description="Test idle connections before use.")
    DATABASE_SSLMODE: Literal["", "disable", "allow", "prefer", "require", "verify-ca", "verify-full"] = Field(
        "", description="PostgreSQL TLS mode; empty uses the mode in the URL."
    )
    DATABASE_CA_CERT: str = Field("", description="CA certificate of PostgreSQL, as PEM text.")
    DATABASE_PGBOUNCER: bool = Field(
        False, description="Set to true behind PgBouncer in transaction mode. Disables prepared statements."
    )

    # --- Valkey (the Redis protocol)
    REDIS_URL: SecretStr = Field(
        SecretStr("redis://127.0.0.1:6379/0"),
        description="Valkey or Redis for the broker, live events and rate limits: redis://… or rediss://…",
    )
    REDIS_CA_CERT: str = Field(
        "", description="CA certificate of Valkey, as PEM text; empty uses the system's certificates."
    )

    # --- accounts
    JWT_SECRET: SecretStr = Field(
        SecretStr(DEVELOPMENT_JWT_SECRET), description="Secret that signs tokens and storage links. At least 32 bytes."
    )
    JWT_SECRET_PREVIOUS: SecretStr = Field(
        SecretStr(""), description="Previous JWT_SECRET, accepted until its tokens expire."
    )
    JWT_ALGORITHM: Literal["HS256", "HS384", "HS512"] = Field("HS256", description="Signature algorithm of tokens.")
    ACCESS_TOKEN_EXPIRE_MINUTES: int = Field(30, ge=1, le=1440, description="Lifetime of an access token, in minutes.")
    REFRESH_TOKEN_EXPIRE_DAYS: int = Field(7, ge=1, le=365, description="Days after which an unused session expires.")
    ENABLE_REGISTRATION: bool = Field(True, description="Allow new users to sign up.")
    ALLOWED_ORIGINS: Annotated[list[str], NoDecode] = Field(
        [], description="Other origins whose pages may call the API, comma-separated."
    )
    ENABLE_DOCS: bool = Field(False, description="Serve the API documentation at /docs. Always on in development.")
    FORWARDED_ALLOW_IPS: str = Field(
        "127.0.0.1",
        description="Addresses or networks of trusted proxies that set X-Forwarded-For, comma-separated.",
    )
    CLIENT_ADDRESS_HEADER: str = Field(
        "", description="Header with the client's address, for trusted proxies that don't use X-Forwarded-For."
    )
    RATE_LIMIT_PER_MINUTE: int = Field(
        100, ge=1, description="Requests per minute per account, or per client address when signed out."
    )
    AUTH_RATE_LIMIT_PER_MINUTE: int = Field(
        5, ge=1, description="Login and similar attempts per minute, per client address and per account."
    )
    GOOGLE_CLIENT_ID: str = Field("", description="OAuth client id of Google sign-in; empty disables it.")
    GOOGLE_CLIENT_SECRET: SecretStr = Field(SecretStr(""), description="OAuth client secret of Google sign-in.")
    GOOGLE_DISCOVERY_URL: str = Field(
        "https://accounts.google.com/.well-known/openid-configuration",
        description="URL of Google's OpenID Connect discovery document. Change it only for tests.",
    )

    # --- object storage; without S3_BUCKET, files are stored in DATA_DIR
    S3_ENDPOINT_URL: str = Field("", description="https:// URL of the object storage; empty for Amazon S3.")
    S3_REGION: str = Field("us-east-1", description="Region of the object storage.")
    S3_BUCKET: str = Field(
        "", description="Bucket name; empty stores files on disk. Required in staging and production."
    )
    S3_ACCESS_KEY_ID: str = Field("", description="Access key id of the object storage.")
    S3_SECRET_ACCESS_KEY: SecretStr = Field(SecretStr(""), description="Secret access key of the object storage.")
    S3_ADDRESSING_STYLE: Literal["auto", "path", "virtual"] = Field(
        "auto", description="URL style: path is host/bucket/key, virtual is bucket.host/key."
    )
    MAX_UPLOAD_BYTES: int = Field(50_000_000, ge=1, description="Maximum file size, in bytes.")
    UPLOAD_EXPIRE_MINUTES: int = Field(60, ge=1, description="Minutes until a created upload expires.")

    # --- jobs
    QUOTA_JOBS_RUNNING: int = Field(50, ge=1, description="Maximum number of unfinished jobs per user.")
    QUOTA_JOBS_PER_DAY: int = Field(1000, ge=1, description="Maximum number of new jobs per user in 24 hours.")
    QUOTA_BYTES: int = Field(
        5_000_000_000, ge=1, description="Maximum storage per user for files and results, in bytes."
    )
    RETENTION_DAYS: int = Field(30, ge=1, description="Days after which finished jobs and their files are deleted.")
    JOB_LEASE_SECONDS: float = Field(
        30, gt=0, description="Seconds without a lease renewal after which a worker loses its job."
    )
    JOB_REQUEUE_AFTER_SECONDS: float = Field(
        60, gt=0, description="Seconds after which a queued job is sent to the broker again."
    )
    JOB_RETRY_BACKOFF_SECONDS: float = Field(
        5, gt=0, description="Seconds before the first retry after a failed external system. Doubles with each retry."
    )
    JOB_SOFT_TIME_LIMIT_SECONDS: int = Field(240, ge=1, description="Seconds after which a job fails with timed_out.")
    JOB_TIME_LIMIT_SECONDS: int = Field(270, ge=1, description="Seconds after which a job's process is killed.")
    SWEEP_INTERVAL_SECONDS: float = Field(10, gt=0, description="Seconds between searches for lost jobs.")
    BROKER_VISIBILITY_TIMEOUT_SECONDS: int = Field(
        3600, ge=1, description="Seconds after which the broker delivers a task again. Must be longer than any job."
    )

    # --- mail; without SMTP_HOST, mails are printed in development
    SMTP_HOST: str = Field("", description="Host of the mail server.")
    SMTP_PORT: int = Field(587, ge=1, le=65535, description="Port of the mail server.")
    SMTP_USERNAME: str = Field("", description="User name at the mail server.")
    SMTP_PASSWORD: SecretStr = Field(SecretStr(""), description="Password at the mail server.")
    SMTP_SECURITY: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="Encryption of the connection to the mail server."
    )
    MAIL_FROM: str = Field(
        "no-reply@localhost",
        description="Sender of mails: an address, or `Name <address>`. The default name is APP_NAME.",
    )

    # --- logs and errors
    LOG_LEVEL: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Lowest log level that is written."
    )
    LOG_FORMAT: Literal["auto", "json", "console"] = Field(
        "auto", description="auto is console in development and JSON elsewhere."
    )
    SENTRY_DSN: SecretStr = Field(SecretStr(""), description="DSN of the Sentry project; empty disables Sentry.")
    SENTRY_TRACES_SAMPLE_RATE: float = Field(
        0.1, ge=0, le=1, description="Share of requests that Sentry traces, from 0 to 1."
    )
