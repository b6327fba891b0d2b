"""The pipeline's types: recipe, steps, results, and the error for files that can't be used."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Preset = Literal["web", "social", "print"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the user asked for. `watermark` is untrusted text, not markup; None or blank means none."""

    preset: Preset
    enhance: bool = False
    watermark: str | None = None


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in pixels, as the picture is seen."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Result:
    """One finished file. `name` is a safe file name, unique in the job; `label` is what people call the file."""

    name: str
    path: Path
    label: str
    content_type: str
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """Progress from 0 to 100, never falling, with what is new: facts about the original, or a finished file."""

    progress: int
    facts: dict[str, Any] | None = None
    result: Result | None = None


class BadInput(Exception):
    """The file itself can't be used, so retrying is pointless. `message` is a sentence shown to its owner.

    `code` is a constant of at most 40 characters, never made from the file.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"
