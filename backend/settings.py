"""Every setting, where it is read from, and what production refuses.

For a setting X the value comes from the first of: the file named by `X_FILE`, the variable `X`,
`.env` (development only), the default. No other file of the application reads the environment.
"""

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from backend.settings_rules import (
    check_sentry_dsn,
    deployment_problems,
    normalise_database_url,
    normalise_proxies,
    normalise_redis_url,
)
from backend.settings_source import SecretFileSource, SettingsError, UnreadableFile, environment_name

DEPLOYED = ("staging", "production")
DEVELOPMENT_JWT_SECRET = "development-only-secret-never-use-it-elsewhere"


class Settings(BaseSettings):
    """The application's configuration; immutable, complete, and checked when it is made."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        case_sensitive=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    # --- the application
    APP_NAME: str = Field("Slipway", description="Name shown to people, in mails and in the API document.")
    ENVIRONMENT: Literal["development", "test", "staging", "production"] = Field(
        "development", description="staging and production refuse unsafe settings at start."
    )
    DEBUG: bool = Field(False, description="Tracebacks in error answers. Refused in staging and production.")
    GIT_SHA: str = Field("development", description="Commit the running code was built from.")
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
    MAX_UPLOAD_BYTES: int = Field(50_000_000, ge=1, description="Largest photo accepted.")
    UPLOAD_EXPIRE_MINUTES: int = Field(60, ge=1, description="Time to send a photo after asking for its address.")

    # --- jobs
    QUOTA_JOBS_RUNNING: int = Field(50, ge=1, description="Unfinished jobs a user may have at once.")
    QUOTA_JOBS_PER_DAY: int = Field(1000, ge=1, description="Jobs a user may make in 24 hours.")
    QUOTA_BYTES: int = Field(5_000_000_000, ge=1, description="Bytes of photos and results a user may store.")
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
    MAIL_FROM: str = Field("Slipway <no-reply@localhost>", description="Sender of the application's mails.")

    # --- logs and errors
    LOG_LEVEL: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Lowest level written.")
    LOG_FORMAT: Literal["auto", "json", "console"] = Field(
        "auto", description="auto: readable in development, JSON elsewhere."
    )
    SENTRY_DSN: SecretStr = Field(SecretStr(""), description="Sentry project; empty sends nothing.")
    SENTRY_TRACES_SAMPLE_RATE: float = Field(0.1, ge=0, le=1, description="Share of requests traced by Sentry.")

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_unreadable_file(cls, value: object) -> object:
        if isinstance(value, UnreadableFile):
            raise ValueError(value.problem)
        return value

    @field_validator("ALLOWED_ORIGINS", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        if isinstance(value, str):
            return [origin.strip().rstrip("/") for origin in value.split(",") if origin.strip()]
        return value

    @field_validator("PUBLIC_URL", "S3_ENDPOINT_URL")
    @classmethod
    def _check_web_address(cls, value: str, info: ValidationInfo) -> str:
        missing = not value and info.field_name == "S3_ENDPOINT_URL"
        if not missing and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/")

    @field_validator("DATABASE_URL")
    @classmethod
    def _normalise_database_url(cls, value: SecretStr) -> SecretStr:
        return SecretStr(normalise_database_url(value.get_secret_value()))

    @field_validator("REDIS_URL")
    @classmethod
    def _normalise_redis_url(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        deployed = info.data.get("ENVIRONMENT") in DEPLOYED
        return SecretStr(normalise_redis_url(value.get_secret_value(), deployed=deployed))

    @field_validator("FORWARDED_ALLOW_IPS")
    @classmethod
    def _check_proxies(cls, value: str) -> str:
        return normalise_proxies(value)

    @field_validator("SENTRY_DSN")
    @classmethod
    def _check_sentry_dsn(cls, value: SecretStr) -> SecretStr:
        check_sentry_dsn(value.get_secret_value())
        return value

    @property
    def deployed(self) -> bool:
        """Whether strangers use this: staging and production."""
        return self.ENVIRONMENT in DEPLOYED

    @property
    def secure_cookies(self) -> bool:
        """Whether cookies can carry the Secure flag and the `__Host-` prefix."""
        return self.PUBLIC_URL.startswith("https://")

    @property
    def json_logs(self) -> bool:
        """Whether log lines are JSON."""
        return self.LOG_FORMAT == "json" or (self.LOG_FORMAT == "auto" and self.ENVIRONMENT != "development")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources; a laptop's `.env` must never leak into a test run or a deployment."""
        sources = (init_settings, SecretFileSource(settings_cls), env_settings)
        return (*sources, dotenv_settings) if environment_name() in ("", "development") else sources


def load_settings(**overrides: Any) -> Settings:
    """Read and check every setting.

    Raises SettingsError with all problems in one message, naming settings but never their values.
    """
    problems: list[str] = []
    invalid: tuple[str, ...] = ()
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        problems += [_sentence(item) for item in error.errors(include_url=False, include_input=False)]
        settings = _without_invalid(error, overrides)
        invalid = tuple(f"{item['loc'][0]}:" for item in error.errors())
    if settings.deployed:
        # What is invalid was replaced by its default, about which there is nothing more to say.
        refused = deployment_problems(settings, DEVELOPMENT_JWT_SECRET)
        problems += [problem for problem in refused if not problem.startswith(invalid)]
    if settings.ENVIRONMENT != "development" and not environment_name() and "ENVIRONMENT" not in overrides:
        problems.append("ENVIRONMENT: anything but development is set in the environment, not in .env")
    if problems:
        raise SettingsError(problems)
    return settings


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """Return the process's settings, read once."""
    return load_settings()


def _without_invalid(error: ValidationError, overrides: dict[str, Any]) -> Settings:
    """Put defaults in place of what failed, so that the remaining problems can be told in the same message."""
    names = {str(item["loc"][0]) for item in error.errors()}
    defaults = {name: Settings.model_fields[name].get_default() for name in names}
    return Settings(**{**overrides, **defaults})


def _sentence(item: Any) -> str:
    return f"{item['loc'][0]}: {str(item['msg']).removeprefix('Value error, ')}"
