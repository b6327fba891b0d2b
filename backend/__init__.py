"""The domain and its HTTP API. This package never imports the worker."""

import gc

__version__ = "0.1.0"

# Imports create many objects and free few. With the default threshold of 700 or 2,000 new objects, depending on the
# Python version, garbage collection takes a tenth of the start (docs/decisions/0011).
gc.set_threshold(10_000, 20, 20)
