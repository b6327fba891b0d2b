"""The worker's application; SIGRTMIN blocks its main loop while its threads continue."""

import signal
import time

from worker.app import app

__all__ = ["app"]

STUCK_SECONDS = 60

signal.signal(signal.SIGRTMIN, lambda _number, _frame: time.sleep(STUCK_SECONDS))
