"""The job's baseline: a warm process that runs the pipeline alone, once for each path it is told, and says the ms."""

import sys
import tempfile
import time
from pathlib import Path

from backend.jobs.recipe import Recipe
from worker import pipeline


def main() -> None:
    """Read paths of photos, line by line, until there are no more."""
    for line in sys.stdin:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            started = time.perf_counter()
            for _step in pipeline.run(Path(line.strip()), Recipe().model_dump(), Path(folder)):
                pass
            print((time.perf_counter() - started) * 1000, flush=True)


if __name__ == "__main__":
    main()
