"""The words of the pipeline: what it is asked, what it answers, how it refuses."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

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
class Variant:
    """One finished file. `name` is a safe file name, unique in the job; sizes are in pixels."""

    name: str
    path: Path
    format: str
    content_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Step:
    """Progress from 0 to 100, never falling, with what is new: the original's size, or a finished file."""

    progress: int
    original: Size | None = None
    variant: Variant | None = None


class BadInput(Exception):
    """The photo itself is at fault, so trying again is pointless. `message` is a sentence for its owner."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"
