"""The job's baseline: a warm process that runs only the pipeline for each path on stdin and prints its milliseconds."""

import sys
import tempfile
import time
from pathlib import Path

from backend.jobs.recipe import Recipe
from worker import pipeline


def main() -> None:
    """Read paths of photos from stdin, one per line."""
    for line in sys.stdin:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            started = time.perf_counter()
            for _step in pipeline.run(Path(line.strip()), Recipe().model_dump(), Path(folder)):
                pass
            print((time.perf_counter() - started) * 1000, flush=True)


if __name__ == "__main__":
    main()
