"""The photo pipeline. Replace this folder with your own work.

The worker uses five names of it. `run(source, recipe, target)` takes a file, the recipe of `backend/jobs/recipe.py` as
plain data, and an empty folder. It yields a `Step` with the progress; new `facts` about the original and a finished
`Result` come with it. It raises `BadInput(code, message)` when the file itself can't be used.
"""

from worker.pipeline.model import BadInput, Result, Step
from worker.pipeline.run import run

__all__ = ["BadInput", "Result", "Step", "run"]
