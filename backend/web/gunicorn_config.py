"""Gunicorn's settings: the master loads the application once, and workers share its memory."""

import gc
import importlib
from pathlib import Path
from typing import Any

from prometheus_client.multiprocess import mark_process_dead
from uvicorn_worker import UvicornWorker

from backend.infra.metrics import serve
from backend.settings import get_settings

SHARED = (
    "anyio._backends._asyncio",
    "jwt",
    "limits.storage",
    "limits.strategies",
    "pwdlib.hashers.argon2",
    "redis.asyncio",
    "uvicorn.protocols.http.httptools_impl",
    "uvloop",
)


_settings = get_settings()


class Worker(UvicornWorker):
    """Uvicorn under gunicorn, without its access log (our middleware writes it) and Server header."""

    CONFIG_KWARGS: dict[str, Any] = {
        **UvicornWorker.CONFIG_KWARGS,
        "server_header": False,
        "access_log": False,
        # With CLIENT_ADDRESS_HEADER, backend.web.client_address runs this middleware.
        "proxy_headers": not _settings.CLIENT_ADDRESS_HEADER,
    }


bind = f"{'127.0.0.1' if _settings.ENVIRONMENT == 'development' else '0.0.0.0'}:{_settings.PORT}"  # noqa: S104
workers = _settings.WEB_CONCURRENCY
worker_class = Worker
preload_app = True
keepalive = 65
forwarded_allow_ips = _settings.FORWARDED_ALLOW_IPS
# The heartbeat is a file. A write to a slow disk could block until the master kills the worker.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
timeout = 60
graceful_timeout = 30
control_socket_disable = True
# Without this gunicorn adds its own handlers to those of backend.infra.logging.
logconfig_dict = {"version": 1, "disable_existing_loggers": False}


def when_ready(_server: Any) -> None:
    """Import modules that every worker uses before the fork, so that workers share their memory."""
    for name in SHARED:
        importlib.import_module(name)
    serve(_settings, "web")
    gc.freeze()


def child_exit(_server: Any, worker: Any) -> None:
    """Remove the gauges of a stopped worker. Its counters remain."""
    if _settings.METRICS_PORT:
        mark_process_dead(worker.pid)
