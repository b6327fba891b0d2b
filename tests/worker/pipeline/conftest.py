"""Fixtures that create photos and run the pipeline on them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pyvips

from worker.pipeline import Step, run

RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 200, 40), (30, 40, 210), (240, 240, 240)


@dataclass
class Outcome:
    """The steps of one run, and its decoded files by name."""

    steps: list[Step]
    files: dict[str, pyvips.Image]


def decoded(path: Path) -> pyvips.Image:
    # From a copy: libvips reads lazily, and the next run overwrites the file.
    return pyvips.Image.new_from_buffer(path.read_bytes(), "")


@pytest.fixture
def plain() -> Callable[..., pyvips.Image]:

    def make(width: int, height: int, colour: tuple[int, ...] = RED) -> pyvips.Image:
        picture = pyvips.Image.black(width, height) + list(colour)
        return picture.cast("uchar").copy(interpretation="srgb")

    return make


@pytest.fixture
def quarters(plain: Callable[..., pyvips.Image]) -> Callable[..., pyvips.Image]:
    """Create a picture with red top left, green top right, blue bottom left, and white bottom right."""

    def make(width: int = 300, height: int = 200) -> pyvips.Image:
        corners = [plain(width // 2, height // 2, colour) for colour in (RED, GREEN, BLUE, WHITE)]
        return pyvips.Image.arrayjoin(corners, across=2)

    return make


@pytest.fixture
def noise() -> Callable[..., pyvips.Image]:
    """Create a picture with detail everywhere, always the same."""

    def make(width: int = 300, height: int = 200) -> pyvips.Image:
        grain = pyvips.Image.gaussnoise(width, height, mean=128, sigma=30, seed=7).cast("uchar")
        return grain.bandjoin([grain.fliphor(), grain.flipver()]).copy(interpretation="srgb")

    return make


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    """Save a picture under a file name, with libvips save options."""

    def write(picture: pyvips.Image, name: str, **options: Any) -> Path:
        path = tmp_path / name
        path.write_bytes(picture.write_to_buffer(path.suffix, **options))
        return path

    return write


@pytest.fixture
def process(tmp_path: Path) -> Callable[..., Outcome]:

    def call(source: Path, preset: Any = "print", **recipe: Any) -> Outcome:
        steps = list(run(source, {"preset": preset, **recipe}, tmp_path / "out"))
        results = [step.result for step in steps if step.result]
        files = {result.name: decoded(result.path) for result in results}
        return Outcome(steps, files)

    return call


@pytest.fixture
def is_near() -> Callable[..., bool]:
    """Compare a pixel with a colour, with a tolerance for lossy files and colour spaces."""

    def compare(picture: pyvips.Image, x: int, y: int, colour: tuple[int, ...], tolerance: int = 12) -> bool:
        pixel = picture(x, y)
        return len(pixel) == len(colour) and all(
            abs(value - wanted) <= tolerance for value, wanted in zip(pixel, colour, strict=True)
        )

    return compare
