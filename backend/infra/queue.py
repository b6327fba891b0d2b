"""The task queue: Celery configuration, and enqueueing after commit."""

import ssl
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import structlog
from prometheus_client import Counter
from sqlalchemy.orm import Session

from backend.infra.ca_files import ca_file
from backend.infra.db import after_commit
from backend.infra.redis import accepts_any_certificate, checks_host_name, connect, uses_tls
from backend.settings import Settings
from backend.tasks import JOBS_QUEUE, Task

if TYPE_CHECKING:
    from celery import Celery
    from pybreaker import CircuitBreaker
    from redis import Redis

log = structlog.get_logger(__name__)

WORKERS_KEY = "workers"
# kombu's key for messages that were delivered and not yet acknowledged.
UNACKED_KEY = "unacked"
WORKER_SILENT_SECONDS = 30
SOCKET_TIMEOUT_SECONDS = 2
# Celery gets the URL without its query string, because it interprets the options differently.
TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")


ENQUEUE_FAILURES = Counter("enqueue_failures_total", "Messages that could not be sent to the broker.", ["task"])
# Create all label values, so that each is exported as 0 before the first failure.
for _task in Task:
    ENQUEUE_FAILURES.labels(_task)


@dataclass(frozen=True, slots=True)
class BrokerFigures:
    """Waiting job messages, messages delivered to workers and not acknowledged, and live workers."""

    depth: int
    unacked: int
    workers: int


class Queue:
    """Sends task messages. `send` never raises if the broker is unavailable: a sweep resends lost messages."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def _breaker(self) -> "CircuitBreaker":
        # pybreaker imports redis, which would delay process start by 100 ms.
        from backend.infra.breaker import create_breaker

        return create_breaker("broker")

    @cached_property
    def celery(self) -> "Celery":
        """The Celery application, created on first use because importing Celery takes 120 ms."""
        app = create_celery(self._settings)
        # Publish once with a short timeout: kombu would retry for seconds within a request, even with `retry=False`.
        # Only the worker's connection waits for messages and needs a long timeout.
        once = {"max_retries": 0, "socket_timeout": SOCKET_TIMEOUT_SECONDS}
        app.conf.broker_transport_options = {**app.conf.broker_transport_options, **once}
        return app

    @cached_property
    def redis(self) -> "Redis":
        """A direct client of the broker, for queue depth and worker heartbeats."""
        return connect(self._settings)

    def send(self, task: Task, *args: str, delay: float = 0) -> bool:
        """Send a message that runs after `delay` seconds.

        Returns False and logs a warning if the broker is unavailable.
        """
        options = {"countdown": delay} if delay else {}
        try:
            self._breaker.call(self.celery.send_task, str(task), args=args, queue=task.queue, retry=False, **options)
        except Exception as error:
            ENQUEUE_FAILURES.labels(task).inc()
            log.warning("enqueue_failed", task=str(task), error=type(error).__name__)
            return False
        return True

    def depth(self) -> int:
        """Return the number of waiting job messages. Raises redis.RedisError."""
        return int(self.redis.llen(JOBS_QUEUE))

    def find_figures(self) -> "BrokerFigures | None":
        """Return the broker's figures. Returns None and logs a warning if the broker is unavailable."""
        from redis import RedisError

        pipe = self.redis.pipeline(transaction=False)
        pipe.llen(JOBS_QUEUE)
        pipe.hlen(UNACKED_KEY)
        pipe.zcount(WORKERS_KEY, time.time() - WORKER_SILENT_SECONDS, "+inf")
        try:
            return BrokerFigures(*pipe.execute())
        except RedisError as error:
            log.warning("broker_unavailable", error=type(error).__name__)
            return None

    def announce_worker(self, name: str) -> None:
        """Record a worker's heartbeat. Raises redis.RedisError."""
        pipe = self.redis.pipeline(transaction=False)
        pipe.zadd(WORKERS_KEY, {name: time.time()})
        pipe.zremrangebyscore(WORKERS_KEY, 0, time.time() - 10 * WORKER_SILENT_SECONDS)
        pipe.execute()

    def live_workers(self) -> int:
        """Return the number of workers with a recent heartbeat. Raises redis.RedisError."""
        since = time.time() - WORKER_SILENT_SECONDS
        return int(self.redis.zcount(WORKERS_KEY, since, "+inf"))


def enqueue(session: Session, task: Task, id: UUID, *, delay: float = 0) -> None:
    """Send `task` with an id after the session's transaction commits. The task runs after `delay` seconds.

    The queue is the one passed to the session factory (`create_sessions(engine, queue=...)`).
    """
    queue: Queue = session.info["queue"]

    def send() -> None:
        queue.send(task, str(id), delay=delay)

    after_commit(session, send)


def create_celery(settings: Settings) -> "Celery":
    """Return the Celery application that web, worker and beat share."""
    from celery import Celery

    app = Celery("slipway", set_as_current=False)
    app.conf.update(celery_configuration(settings))
    return app


def celery_configuration(settings: Settings) -> dict[str, Any]:
    """Return Celery's settings: late acknowledgement, no result backend, short timeouts for publishers."""
    configuration: dict[str, Any] = {
        "broker_url": settings.REDIS_URL.get_secret_value().partition("?")[0],
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_transport_options": {
            "visibility_timeout": settings.BROKER_VISIBILITY_TIMEOUT_SECONDS,
            "socket_connect_timeout": SOCKET_TIMEOUT_SECONDS,
            "socket_timeout": 10 * SOCKET_TIMEOUT_SECONDS,
            "socket_keepalive": True,
            "health_check_interval": 15,
        },
        "task_default_queue": JOBS_QUEUE,
        "task_ignore_result": True,
        "task_store_errors_even_if_ignored": False,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_soft_time_limit": settings.JOB_SOFT_TIME_LIMIT_SECONDS,
        "task_time_limit": settings.JOB_TIME_LIMIT_SECONDS,
        "worker_prefetch_multiplier": 1,
        "worker_concurrency": settings.WORKER_CONCURRENCY,
        "worker_hijack_root_logger": False,
        "worker_send_task_events": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_soft_shutdown_timeout": 0.0,
        "timezone": "UTC",
    }
    if uses_tls(settings):
        configuration["broker_use_ssl"] = _tls_options(settings)
    return configuration


def _tls_options(settings: Settings) -> dict[str, Any]:
    query = parse_qsl(urlsplit(settings.REDIS_URL.get_secret_value()).query)
    options: dict[str, Any] = {name: path for name, path in query if name in TLS_FILES}
    options["ssl_cert_reqs"] = ssl.CERT_NONE if accepts_any_certificate(settings) else ssl.CERT_REQUIRED
    options["ssl_check_hostname"] = checks_host_name(settings)
    if settings.REDIS_CA_CERT:
        options["ssl_ca_certs"] = ca_file(settings.REDIS_CA_CERT)
    return options
