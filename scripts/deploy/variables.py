"""The three-way view of variables: what a file says, what the platform has, and what the application knows.

Pure functions; no value is ever in what they return for showing.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from backend.settings_fields import SettingsFields
from scripts.deploy.errors import Refused


@dataclass(frozen=True, slots=True)
class DeclaredVariables:
    """The variables that the platform's file in git names, `source`: with a value, without one, and as secrets."""

    source: str
    fixed: frozenset[str]
    open: frozenset[str]
    secret: frozenset[str]


@dataclass(frozen=True, slots=True)
class Line:
    """One variable, what will become of it (`add`, `set`, `keep`, `remove`), and a remark."""

    key: str
    secret: bool
    action: str
    note: str = ""


def is_secret(key: str, named_secret: frozenset[str]) -> bool:
    """Tell whether a variable's value must not be shown: the settings class or the file in git says so."""
    known = SettingsFields.model_fields.get(key)
    return key in named_secret or (known is not None and known.annotation is SecretStr)


def compare(
    file: Mapping[str, str], platform: Mapping[str, str | None], named: DeclaredVariables, *, prune: bool
) -> list[Line]:
    """Return a line for each variable of the file or the platform; a value of None can't be read.

    Raises Refused for names nobody knows, and for values that the next deployment would undo.
    """
    _refuse_unknown(file, named)
    undone = [key for key in file if key in named.fixed]
    if undone:
        raise Refused(f"{named.source} gives {', '.join(undone)} a value, and a deployment brings it: change it there")
    lines = []
    for key in sorted({*file, *platform}):
        secret = is_secret(key, named.secret)
        if key in file:
            lines.append(Line(key, secret, *_file_action(file[key], platform.get(key, ""), key in platform)))
        else:
            lines.append(Line(key, secret, *_platform_action(key, named, prune)))
    return lines


def _file_action(value: str, held: str | None, there: bool) -> tuple[str, ...]:
    if not there:
        return ("add",)
    if held is None:
        return ("set", "can't be compared")
    return ("keep",) if held == value else ("set",)


def _platform_action(key: str, named: DeclaredVariables, prune: bool) -> tuple[str, ...]:
    if key in named.fixed:
        return ("keep", f"from {named.source}")
    if key in named.open:
        return ("keep", "needed, and not in the file")
    return ("remove",) if prune else ("keep", "only on the platform; PRUNE=1 removes it")


def _refuse_unknown(file: Mapping[str, str], named: DeclaredVariables) -> None:
    known = {*SettingsFields.model_fields, *named.fixed, *named.open}
    wrong = []
    for key in file:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            wrong.append(f"{key} (do you mean {near[0]}?)" if near else key)
    if wrong:
        raise Refused(f"The application has no setting {', '.join(wrong)}. See .env.example")
