"""Reads settings from secret files: X_FILE is the path of the file that contains X."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource


class SettingsError(Exception):
    """The settings are invalid. `problems` has one sentence per problem, without values."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        lines = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"The settings are invalid:\n{lines}\nShow all settings with: python -m backend check")


@dataclass(frozen=True)
class UnreadableFile:
    """Placeholder for the value of an unreadable file, so that it is reported together with all other problems."""

    problem: str


class SecretFileSource(PydanticBaseSettingsSource):
    """Reads `X_FILE` for every setting X, because Docker and Kubernetes mount secrets as files."""

    def __call__(self) -> dict[str, Any]:
        found = {name: _from_file(name) for name in self.settings_cls.model_fields}
        return {name: value for name, value in found.items() if value is not None}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Do nothing: the base class requires this method, but `__call__` reads all fields."""
        return None, field_name, False


def environment_name() -> str:
    """Return ENVIRONMENT from its file or variable, before other settings are read; empty if not set."""
    value = _from_file("ENVIRONMENT")
    return value if isinstance(value, str) else os.environ.get("ENVIRONMENT", "")


def _from_file(name: str) -> str | UnreadableFile | None:
    path = os.environ.get(f"{name}_FILE", "").strip()
    if not path:
        return None
    try:
        return read_secret_file(Path(path))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        return UnreadableFile(f"can't read {path} from {name}_FILE: {reason}")


def read_secret_file(path: Path) -> str:
    """Return a file's text without one final newline."""
    text = path.read_text(encoding="utf-8")
    if text.endswith("\r\n"):
        return text[:-2]
    return text.removesuffix("\n")
