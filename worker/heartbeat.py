"""Renews a job's lease from a thread while the job runs, and detects a lost lease."""

import threading
from types import TracebackType
from uuid import UUID

import structlog
from sqlalchemy.orm import Session, sessionmaker

from backend.infra.db import transaction
from backend.jobs.leases import LeaseLost, renew_lease
from backend.settings import Settings

log = structlog.get_logger(__name__)

RENEWALS_PER_LEASE = 3


class Heartbeat:
    """Renews a lease during a `with` block."""

    def __init__(self, job_id: UUID, token: UUID, settings: Settings, sessions: sessionmaker[Session]) -> None:
        self._job_id = job_id
        self._token = token
        self._settings = settings
        self._sessions = sessions
        self._stop = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True, name="heartbeat")

    def __enter__(self) -> "Heartbeat":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def check(self) -> None:
        """Raise LeaseLost when another worker may hold the job."""
        if self._lost.is_set():
            raise LeaseLost

    def _beat(self) -> None:
        while not self._stop.wait(self._settings.JOB_LEASE_SECONDS / RENEWALS_PER_LEASE):
            try:
                with transaction(self._sessions) as session:
                    held = renew_lease(session, self._settings, self._job_id, self._token)
            except Exception as error:
                # The database may be unavailable briefly; the lease survives two missed renewals.
                log.warning("lease_renewal_failed", job_id=str(self._job_id), error=type(error).__name__)
                continue
            if not held:
                self._lost.set()
                return
