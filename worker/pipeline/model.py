"""The pipeline's types: recipe, steps, results, and the error for unusable files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Preset = Literal["web", "social", "print"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """The user's options. `watermark` is untrusted text, not markup; None or blank means no watermark."""

    preset: Preset
    enhance: bool = False
    watermark: str | None = None


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in pixels, after orientation."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Result:
    """One finished file. `name` is a safe file name, unique in the job; `label` is shown to users."""

    name: str
    path: Path
    label: str
    content_type: str
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """Progress from 0 to 100, never decreasing, with new facts about the original or a finished file."""

    progress: int
    facts: dict[str, Any] | None = None
    result: Result | None = None


class BadInput(Exception):
    """The file can't be used, so it is not retried. `message` is a sentence shown to the file's owner.

    `code` is a constant of at most 40 characters and never contains data from the file.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"
