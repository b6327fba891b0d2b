"""Settings from secret files: X_FILE names the file that holds X."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource


class SettingsError(Exception):
    """The settings can't be used; `problems` holds one sentence per setting, without values."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        lines = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"The settings can't be used:\n{lines}\nSee them all with: python -m backend check")


@dataclass(frozen=True)
class UnreadableFile:
    """Stands in for the value of a file that can't be read, so that it is told with all other problems."""

    problem: str


class SecretFileSource(PydanticBaseSettingsSource):
    """Reads `X_FILE` for every setting X, as Docker and Kubernetes mount secrets."""

    def __call__(self) -> dict[str, Any]:
        """Return the settings found in files, and an UnreadableFile for each file that can't be read."""
        found = {name: _from_file(name) for name in self.settings_cls.model_fields}
        return {name: value for name, value in found.items() if value is not None}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Unused: `__call__` reads all fields at once."""
        return None, field_name, False


def environment_name() -> str:
    """Return ENVIRONMENT as a file or a variable sets it, before any other setting is read; empty when neither does."""
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
        return UnreadableFile(f"can't read {path}, named by {name}_FILE: {reason}")


def read_secret_file(path: Path) -> str:
    """Return a file's text without the one newline that editors add at its end."""
    text = path.read_text(encoding="utf-8")
    if text.endswith("\r\n"):
        return text[:-2]
    return text.removesuffix("\n")
