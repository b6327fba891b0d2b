"""Time limits of tests, scaled by how busy the machine is."""

import os

CORES = os.cpu_count() or 1


def scaled(seconds: float) -> float:
    """Return a limit that fits the machine's load now: never less than `seconds`, more where processes wait for a core.

    TEST_TIME_FACTOR multiplies every limit, for a slow machine whose load average does not show it.
    """
    return seconds * max(1.0, os.getloadavg()[0] / CORES) * float(os.environ.get("TEST_TIME_FACTOR", "1"))
