"""Docker's health check: exits with 0 when the container is healthy, else 1. Imports no library, to be fast.

Worker and beat touch HEARTBEAT_FILE while their main loop runs; a web process responds on its port.
"""

import os
import sys
import time
import urllib.request
from pathlib import Path

TIMEOUT_SECONDS = 4
# Same as in worker/heartbeat_file.py, which is not imported because it loads Celery.
SILENT_SECONDS = 30


def main() -> int:
    heartbeat = Path(os.environ.get("HEARTBEAT_FILE", ""))
    if heartbeat.is_file():
        age = time.time() - heartbeat.stat().st_mtime
        print(f"last heartbeat {age:.0f} s ago")
        return int(age > SILENT_SECONDS)
    address = f"http://127.0.0.1:{os.environ['PORT']}/health/ready"
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_SECONDS) as response:
            print(response.status)
    except OSError as error:
        print(f"{address}: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
