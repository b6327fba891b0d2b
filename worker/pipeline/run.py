"""Run one recipe: check the photo, decode it once, then write one file after the other."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyvips

from worker.pipeline.decode import decode
from worker.pipeline.encode import write
from worker.pipeline.model import Recipe, Size, Step
from worker.pipeline.presets import PLANS
from worker.pipeline.retouch import auto_levels, sharpen, watermark
from worker.pipeline.source import open_photo

CHECKED, DECODED, DONE = 5, 25, 100


def run(source: Path, recipe: Mapping[str, Any], target: Path) -> Iterator[Step]:
    """Write every file of the recipe from the photo `source` to the folder `target`, created if missing.

    The first step has the photo's width and height. Each file has a step of its own. The last step is at 100.

    Raises, during iteration:
        BadInput: the photo can't be used; `not_an_image`, `too_many_pixels` or `truncated`.
        OSError: a file could not be read or written; the photo is not the cause.
    """
    wanted = Recipe(**recipe)
    plan = PLANS[wanted.preset]
    photo = open_photo(source)
    size = Size(photo.width, photo.height)
    yield Step(CHECKED, facts={"width": size.width, "height": size.height})
    base = plan.colours(decode(photo, plan.box(size)))
    if wanted.enhance:
        base = auto_levels(base)
    yield Step(DECODED)
    target.mkdir(parents=True, exist_ok=True)
    pictures = plan.pictures(base)
    files, done = sum(len(picture.names) for picture in pictures), 0
    for picture in pictures:
        image = _finished(picture.image, wanted)
        for name in picture.names:
            result = write(image, target / name, picture.label)
            done += 1
            yield Step(DECODED + (DONE - DECODED) * done // files, result=result)


def _finished(image: pyvips.Image, recipe: Recipe) -> pyvips.Image:
    if recipe.enhance:
        image = sharpen(image)
    # In memory, so that a picture written to two files is retouched once.
    return watermark(image, recipe.watermark or "").copy_memory()
