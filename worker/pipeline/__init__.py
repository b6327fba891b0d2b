"""The photo pipeline. Replace this folder with your own work.

The worker uses five names of it. `run(source, recipe, target)` takes a file, the recipe of `backend/jobs/recipe.py` as
plain data, and an empty folder. It yields a `Step` with the progress; new `facts` about the original and a finished
`Result` come with it. It raises `BadInput(code, message)` when the file itself can't be used.
"""

import logging
import os

# Before libvips is loaded. Jobs run side by side in processes; more threads in each would only compete.
os.environ.setdefault("VIPS_CONCURRENCY", "1")
logging.getLogger("pyvips").setLevel(logging.WARNING)

from worker.pipeline.model import BadInput, Result, Step
from worker.pipeline.run import run

__all__ = ["BadInput", "Result", "Step", "run"]
