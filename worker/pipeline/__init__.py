"""The photo pipeline: a photo in, files out, progress yielded. Replace this folder with your own."""

from worker.pipeline.model import BadInput, Preset, Recipe, Size, Step, Variant
from worker.pipeline.run import run

__all__ = ["BadInput", "Preset", "Recipe", "Size", "Step", "Variant", "run"]
