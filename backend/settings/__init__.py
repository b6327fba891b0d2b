"""Reads and checks the settings. `fields.py` defines them.

A setting X comes from the first of: the file named in `X_FILE`, the variable `X`, `.env` (development only), the
default. No other module of the application reads the environment.
"""

from functools import lru_cache
from typing import Any

from pydantic import SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from backend.settings.checks import (
    check_header_name,
    check_sentry_dsn,
    deployment_problems,
    normalise_database_url,
    normalise_proxies,
    normalise_redis_url,
)
from backend.settings.fields import SettingsFields
from backend.settings.sources import SecretFileSource, SettingsError, UnreadableFile, environment_name

DEPLOYED = ("staging", "production")


class Settings(SettingsFields):
    """The application's configuration: immutable and validated."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        case_sensitive=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

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
        on_fly = bool(info.data.get("FLY_APP_NAME"))
        return SecretStr(normalise_redis_url(value.get_secret_value(), deployed=deployed, on_fly=on_fly))

    @field_validator("FORWARDED_ALLOW_IPS")
    @classmethod
    def _check_proxies(cls, value: str) -> str:
        return normalise_proxies(value)

    @field_validator("CLIENT_ADDRESS_HEADER")
    @classmethod
    def _check_header_name(cls, value: str) -> str:
        check_header_name(value)
        return value

    @field_validator("SENTRY_DSN")
    @classmethod
    def _check_sentry_dsn(cls, value: SecretStr) -> SecretStr:
        check_sentry_dsn(value.get_secret_value())
        return value

    @property
    def deployed(self) -> bool:
        """True in staging and production."""
        return self.ENVIRONMENT in DEPLOYED

    @property
    def secure_cookies(self) -> bool:
        """True if cookies can have the Secure flag and the `__Host-` prefix."""
        return self.PUBLIC_URL.startswith("https://")

    @property
    def json_logs(self) -> bool:
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
        """Order the sources. `.env` is only read in development, so that it never affects tests or deployments."""
        sources = (init_settings, SecretFileSource(settings_cls), env_settings)
        return (*sources, dotenv_settings) if environment_name() in ("", "development") else sources


def load_settings(**overrides: Any) -> Settings:
    """Read and check all settings.

    Raises SettingsError with all problems in one message. It contains setting names, but no values.
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
        # Invalid values were replaced by defaults. Problems with those defaults are not the user's.
        refused = deployment_problems(settings)
        problems += [problem for problem in refused if not problem.startswith(invalid)]
    if settings.ENVIRONMENT != "development" and not environment_name() and "ENVIRONMENT" not in overrides:
        problems.append("ENVIRONMENT: set any value except development in the environment, not in .env")
    if problems:
        raise SettingsError(problems)
    return settings


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    return load_settings()


def _without_invalid(error: ValidationError, overrides: dict[str, Any]) -> Settings:
    """Replace invalid values by defaults, so that the remaining problems can be reported in the same message."""
    names = {str(item["loc"][0]) for item in error.errors()}
    defaults = {name: Settings.model_fields[name].get_default() for name in names}
    return Settings(**{**overrides, **defaults})


def _sentence(item: Any) -> str:
    return f"{item['loc'][0]}: {str(item['msg']).removeprefix('Value error, ')}"
