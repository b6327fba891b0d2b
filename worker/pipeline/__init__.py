"""The photo pipeline. Replace this folder with your own work.

The worker imports `run`, `Step`, `Result` and `BadInput`. `run(source, recipe, target)` accepts a file, the recipe of
`backend/jobs/recipe.py` as plain data, and an empty folder. It yields a `Step` for each progress, which may carry new
`facts` about the original or a finished `Result`. It raises `BadInput(code, message)` when the file can't be used.
"""

import logging
import os

# Set before libvips is loaded. Jobs run in parallel processes; more threads in each would only compete.
os.environ.setdefault("VIPS_CONCURRENCY", "1")
logging.getLogger("pyvips").setLevel(logging.WARNING)

from worker.pipeline.model import BadInput, Result, Step
from worker.pipeline.run import run

__all__ = ["BadInput", "Result", "Step", "run"]
