"""Tells Docker whether this container works: exit status 0 or 1. Loads no library, so that asking is cheap.

Worker and beat touch HEARTBEAT_FILE while their main loop turns; a web process answers on its port.
"""

import os
import sys
import time
import urllib.request
from pathlib import Path

TIMEOUT_SECONDS = 4
# As in worker/heartbeat_file.py, whose import would load Celery for each check.
SILENT_SECONDS = 30


def main() -> int:
    """Return 0 when the role works."""
    heartbeat = Path(os.environ.get("HEARTBEAT_FILE", ""))
    if heartbeat.is_file():
        age = time.time() - heartbeat.stat().st_mtime
        print(f"last heartbeat {age:.0f} s ago")
        return int(age > SILENT_SECONDS)
    address = f"http://127.0.0.1:{os.environ['PORT']}/health/ready"
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_SECONDS) as answer:
            print(answer.status)
    except OSError as error:
        print(f"{address}: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
