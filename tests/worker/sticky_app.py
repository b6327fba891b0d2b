"""The worker's application, with a main loop that SIGRTMIN makes stuck while its threads go on."""

import signal
import time

from worker.app import app

__all__ = ["app"]

STUCK_SECONDS = 60

signal.signal(signal.SIGRTMIN, lambda _number, _frame: time.sleep(STUCK_SECONDS))
