"""Compares the variables of a file with those of the platform and the application's settings.

Pure functions. Returned lines never contain a value.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from backend.settings.fields import SettingsFields
from scripts.deploy.errors import Refused


@dataclass(frozen=True, slots=True)
class DeclaredVariables:
    """The variables in the platform's file, `source`: those with a value, those without one, and secrets."""

    source: str
    fixed: frozenset[str]
    open: frozenset[str]
    secret: frozenset[str]


@dataclass(frozen=True, slots=True)
class Line:
    """One variable, what will be done with it (`add`, `set`, `keep`, `remove`), and a note."""

    key: str
    secret: bool
    action: str
    note: str = ""


def is_secret(key: str, declared_secret: frozenset[str]) -> bool:
    """Return whether a value must not be shown, according to the settings class or the file in git."""
    known = SettingsFields.model_fields.get(key)
    return key in declared_secret or (known is not None and known.annotation is SecretStr)


def compare(
    file: Mapping[str, str], platform: Mapping[str, str | None], declared: DeclaredVariables, *, prune: bool
) -> list[Line]:
    """Return a line for each variable of the file or the platform; None is a value that can't be read.

    Raises Refused for unknown names, and for values that the next deployment would overwrite.
    """
    _refuse_unknown(file, declared)
    overwritten = [key for key in file if key in declared.fixed]
    if overwritten:
        hint = "and a deployment would overwrite your value: change it there"
        raise Refused(f"{declared.source} sets {', '.join(overwritten)}, {hint}")
    lines = []
    for key in sorted({*file, *platform}):
        secret = is_secret(key, declared.secret)
        if key in file:
            lines.append(Line(key, secret, *_file_action(file[key], platform.get(key, ""), key in platform)))
        else:
            lines.append(Line(key, secret, *_platform_action(key, declared, prune)))
    return lines


def _file_action(value: str, current: str | None, exists: bool) -> tuple[str, ...]:
    if not exists:
        return ("add",)
    if current is None:
        return ("set", "can't be compared")
    return ("keep",) if current == value else ("set",)


def _platform_action(key: str, declared: DeclaredVariables, prune: bool) -> tuple[str, ...]:
    if key in declared.fixed:
        return ("keep", f"from {declared.source}")
    if key in declared.open:
        return ("keep", "required, and not in the file")
    return ("remove",) if prune else ("keep", "only on the platform; remove it with PRUNE=1")


def _refuse_unknown(file: Mapping[str, str], declared: DeclaredVariables) -> None:
    known = {*SettingsFields.model_fields, *declared.fixed, *declared.open}
    unknown = []
    for key in file:
        if key not in known:
            similar = difflib.get_close_matches(key, known, 1)
            unknown.append(f"{key} (did you mean {similar[0]}?)" if similar else key)
    if unknown:
        raise Refused(f"The application has no setting {', '.join(unknown)}. All settings are in .env.example")
